/** Keepalives for SAs of the kernel: on the wire in clear, under rules for everything, and nobody minds. */
import t from 'tap'
import { KeepaliveClock } from '../../../../agent/nat-keepalive/due.ts'
import { KeepaliveSender } from '../../../../agent/nat-keepalive/sender.ts'
import { readHostNetwork } from '../../../../agent/reconcile/host.ts'
import { XfrmConnection } from '../../../../netlink/xfrm/connection.ts'
import { ownState } from '../../../support/own-state.ts'
import { AES_SHA256 } from '../../support/keys.ts'
import { until } from '../../support/sockets.ts'
import { ping } from '../../support/traffic.ts'
import { ESP, INET, TwoStations } from '../../support/two-stations.ts'
import { Wiretap } from '../../support/wiretap.ts'

t.setTimeout(600_000)
ownState(t)

const two = await TwoStations.make(t)
const { left, right } = two

t.test('one byte after the interval', async (t) => {
  const { L, R } = INET
  await left.policy(`{laddr ${L} raddr ${R}} ipsec {${ESP}}`)
  await right.policy(`{laddr ${R} raddr ${L}} ipsec {${ESP}}`)
  await two.keys([
    { ...AES_SHA256, spi: 0x3000, source: L, destination: R, more: `encap udp nat_loc ${L} nat_rem ${R}` },
    { ...AES_SHA256, spi: 0x3001, source: R, destination: L, more: `encap udp nat_loc ${R} nat_rem ${L}` },
  ])
  t.ok(ping(two.end(left, L), two.end(right, R)).delivered)
  const wire = Wiretap.open(t, { station: left })
  const clock = new KeepaliveClock()
  const sender = new KeepaliveSender()
  const states = left.visit(() => {
    const connection = XfrmConnection.open()
    try {
      return connection.states()
    } finally {
      connection.close()
    }
  })
  const { localAddresses } = left.visit(readHostNetwork)
  const now = Math.floor(Date.now() / 1000)
  t.same(clock.due(states, localAddresses, 20, now + 10), [])
  const due = clock.due(states, localAddresses, 20, now + 25)
  t.equal(due.length, 1)
  for (const one of due) left.visit(() => sender.send(one))
  const found = until(() => wire.take().find(({ protocol }) => protocol === 17), 10_000)
  t.match(found, { source: L, destination: R })
  t.same(found?.payload.subarray(0, 4), Buffer.from([0x11, 0x94, 0x11, 0x94]), 'from port 4500 to port 4500')
  t.same(found?.payload.subarray(8), Buffer.of(0xff))
  t.ok(ping(two.end(left, L), two.end(right, R)).delivered)
  sender.close()
})
