import t from 'tap'
import type { OwnTunnel } from '../../../agent/model/tunnel.ts'
import { reportTunnels } from '../../../agent/status/tunnel-report.ts'
import type { HostLink } from '../../../agent/translate/tunnel-interfaces.ts'
import { address } from '../../support/address.ts'

const ends = { kind: 'ipip', local: address('192.0.2.1'), remote: address('198.51.100.1') } as const
const OWN: OwnTunnel = { name: 'ip.tun0', ...ends, addresses: [], ifindex: 1_000_001 }
const LINK: HostLink = {
  name: OWN.name,
  ifindex: OWN.ifindex,
  isUp: true,
  mtu: 1480,
  tunnel: ends,
  addresses: [],
}

t.test('how each of ours is', async (t) => {
  const state = (...links: HostLink[]) => reportTunnels([OWN], links)[0]?.state
  t.equal(state(LINK), 'up')
  t.equal(state({ ...LINK, isUp: false }), 'down')
  t.equal(state({ ...LINK, tunnel: { ...ends, remote: address('198.51.100.2') } }), 'changed')
  t.equal(state(), 'missing')
  t.equal(state({ ...LINK, ifindex: 9, tunnel: { ...ends, kind: 'gre' } }), 'taken')
  t.equal(state({ ...LINK, ifindex: 9 }), 'up', 'another that does the same')
  t.match(reportTunnels([OWN], [LINK]), [
    { name: 'ip.tun0', kind: 'ipip', local: '192.0.2.1', remote: '198.51.100.1' },
  ])
})
