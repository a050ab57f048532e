import t from 'tap'
import { unprotectedEvents } from '../../../agent/daemon/duties/units.ts'
import type { PolicyKind } from '../../../agent/sockets/journal.ts'
import { GRACE_MS, SocketJudge } from '../../../agent/units/judge.ts'
import type { UnitSocket } from '../../../agent/units/sockets.ts'
import { address } from '../../support/address.ts'

let last = 0n
const base = { unit: 'a.service', domain: 2, local: address('0.0.0.0'), remote: address('0.0.0.0') }
const listener = (localPort: number): UnitSocket => ({
  ...{ ...base, protocol: 6, cookie: ++last, localPort, remotePort: 0, isListening: true, hasPeer: false },
})
const connection = (localPort: number): UnitSocket => ({
  ...listener(localPort),
  isListening: false,
  hasPeer: true,
  local: address('192.0.2.1'),
  remote: address('192.0.2.2'),
  remotePort: 9,
})
const datagrams = (localPort: number): UnitSocket => ({
  ...listener(localPort),
  protocol: 17,
  isListening: false,
})

/** A judge with a clock, and what sockets have. */
function court() {
  const judge = new SocketJudge()
  const policies = new Map<bigint, PolicyKind>()
  let now = 5000
  const look = (...sockets: UnitSocket[]) => {
    const { unprotected, fresh, areAnyPending } = judge.judge(sockets, (cookie) => policies.get(cookie), now)
    const names = (list: readonly UnitSocket[]) => list.map(({ cookie }) => cookie)
    return { unprotected: names(unprotected), fresh: names(fresh), areAnyPending }
  }
  return { policies, look, wait: (ms: number) => (now += ms) }
}

t.test('a connection is told of at once, other sockets have a moment, each is told of once', async (t) => {
  const { look, wait } = court()
  const [peer, port, udp] = [connection(7), listener(8), datagrams(9)]
  const first = look(peer, port, udp)
  t.same(first, { unprotected: [peer.cookie], fresh: [peer.cookie], areAnyPending: true })
  wait(GRACE_MS - 1)
  t.same(look(peer, port, udp), { unprotected: [peer.cookie], fresh: [], areAnyPending: true })
  wait(1)
  const all = [peer.cookie, port.cookie, udp.cookie]
  const fresh = [port.cookie, udp.cookie]
  t.same(look(peer, port, udp), { unprotected: all, fresh, areAnyPending: false })
  t.same(look(peer, port, udp), { unprotected: all, fresh: [], areAnyPending: false })
  t.same(look(), { unprotected: [], fresh: [], areAnyPending: false })
})

t.test('what has the policy, or comes to have it, is not told of; what passes in clear is', async (t) => {
  const { policies, look, wait } = court()
  const [port, udp, clear] = [listener(8), datagrams(9), datagrams(10)]
  policies.set(port.cookie, 'protect')
  policies.set(clear.cookie, 'bypass')
  t.same(look(port, udp, clear).unprotected, [])
  policies.set(udp.cookie, 'protect')
  wait(GRACE_MS)
  t.same(look(port, udp, clear).fresh, [clear.cookie])
})

t.test('connections have the policy of the socket that accepted them', async (t) => {
  const { policies, look, wait } = court()
  const [port, one, two, other] = [listener(8), connection(8), connection(8), connection(9)]
  policies.set(port.cookie, 'protect')
  t.same(look(port, one, other).unprotected, [other.cookie])
  wait(GRACE_MS)
  t.same(look(one, two, other).fresh, [], 'also when it has gone')
  const fresh = listener(8)
  const three = connection(8)
  t.same(look(fresh, one, two, three).fresh, [three.cookie], 'another one without took its place')
  policies.set(fresh.cookie, 'protect')
  const four = connection(8)
  t.same(
    look(fresh, one, three, four).unprotected,
    [three.cookie],
    'what it had accepted before stays without',
  )
})

t.test('events', async (t) => {
  const [tcp] = unprotectedEvents([connection(7)])
  t.match(tcp, {
    level: 'warning',
    event: 'unprotected-socket',
    message: /^A socket of a\.service \(tcp 192\.0\.2\.1:7 to 192\.0\.2\.2:9\) has no policy/,
    details: {
      unit: 'a.service',
      protocol: 'tcp',
      localAddress: '192.0.2.1',
      localPort: 7,
      remoteAddress: '192.0.2.2',
      remotePort: 9,
    },
  })
  const [udp] = unprotectedEvents([datagrams(5)])
  t.same(udp?.details, { unit: 'a.service', protocol: 'udp', localAddress: '0.0.0.0', localPort: 5 })
  const many = unprotectedEvents(Array.from({ length: 100 }, (_, i) => listener(i)))
  t.equal(many.length, 17)
  t.match(many[16], { message: /^84 more sockets of a\.service/, details: { sockets: 84 } })
})
