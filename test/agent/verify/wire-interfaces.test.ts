import t from 'tap'
import type { NetworkInterface } from '../../../agent/capture/interfaces.ts'
import { wireInterfaces } from '../../../agent/verify/wire-interfaces.ts'

const ETHERNET = 1
let index = 0
const device = (name: string, rest: Partial<NetworkInterface> = {}): NetworkInterface => ({
  index: ++index,
  name,
  isUp: true,
  isLoopback: false,
  type: ETHERNET,
  ...rest,
})

t.test('what leads to the wire', async (t) => {
  const bridge = device('br0', { kind: 'bridge' })
  const vrf = device('red', { kind: 'vrf' })
  const all = [
    device('lo', { isLoopback: true, type: 772 }),
    device('eth0'),
    device('eth1', { isUp: false }),
    device('veth0', { kind: 'veth' }),
    device('eth0.5', { kind: 'vlan' }),
    bridge,
    device('eth2', { master: bridge.index }),
    vrf,
    device('eth3', { master: vrf.index }),
    device('solipsec0', { kind: 'tun', type: 65_534 }),
    device('tap0', { kind: 'tun' }),
    device('tun0', { kind: 'ipip', type: 768 }),
    device('ppp0', { type: 512 }),
  ]
  const names = wireInterfaces(all).map(({ name }) => name)
  t.same(names, ['eth0', 'veth0', 'br0', 'eth3', 'tap0', 'ppp0'])
})
