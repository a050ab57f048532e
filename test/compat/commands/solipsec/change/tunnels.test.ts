import t from 'tap'
import type { TunnelInterface } from '../../../../../agent/model/tunnel.ts'
import { tunnelCommands } from '../../../../../compat/commands/solipsec/change/tunnels.ts'
import { address } from '../../../../agent/translate/simulation/arbitrary.ts'

const TUNNEL: TunnelInterface = {
  name: 'tun0',
  kind: 'ipip',
  local: address('192.0.2.1'),
  remote: address('198.51.100.1'),
  addresses: [{ ...address('10.0.0.1'), length: 30 }],
}

t.test('the lines that make of what is there what is wanted', async (t) => {
  const make = [
    'link add tun0 type ipip local 192.0.2.1 remote 198.51.100.1',
    'address add 10.0.0.1/30 dev tun0',
    'link set tun0 up',
  ]
  t.same(tunnelCommands([TUNNEL], []), make)
  t.same(tunnelCommands([TUNNEL], [{ ...TUNNEL, mtu: 1480 }]), [], 'it is there')
  t.same(tunnelCommands([TUNNEL], [{ ...TUNNEL, kind: 'gre' }]), ['link delete tun0', ...make])
  t.same(tunnelCommands([TUNNEL], [{ ...TUNNEL, addresses: [] }]), ['address add 10.0.0.1/30 dev tun0'])
  t.same(tunnelCommands([{ ...TUNNEL, mtu: 1400 }], [{ ...TUNNEL, mtu: 1480 }]), [
    'link set tun0 up mtu 1400',
  ])
  const inner = { ...TUNNEL, kind: 'ip6tnl', local: address('fd00::1'), remote: address('fd00::2') } as const
  t.equal(tunnelCommands([inner], [])[0], 'link add tun0 type ip6tnl local fd00::1 remote fd00::2 mode any')
})
