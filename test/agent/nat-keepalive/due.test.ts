import t from 'tap'
import { KeepaliveClock } from '../../../agent/nat-keepalive/due.ts'
import { HERE, state, THERE } from './states.ts'

t.test('due when it was quiet for the interval, and again an interval later', async (t) => {
  const clock = new KeepaliveClock()
  const due = (usedAt: bigint, now: number, interval = 20) =>
    clock.due([state(usedAt)], [HERE], interval, now)
  t.same(due(100n, 119), [])
  t.match(due(100n, 120), [{ source: HERE, destination: THERE, sourcePort: 4500, destinationPort: 1024 }])
  t.same(due(100n, 139), [])
  t.equal(due(100n, 140).length, 1)
  t.same(due(155n, 160), [], 'a packet has gone out since')
  t.equal(due(155n, 175).length, 1)
  t.same(due(155n, 999, 0), [])
})

t.test('who needs none', async (t) => {
  const due = (one: ReturnType<typeof state>) => new KeepaliveClock().due([one], [HERE], 20, 1000).length
  t.equal(due(state(1n)), 1)
  t.equal(due(state(0n)), 0, 'never used')
  t.equal(due(state(1n, { inbound: true })), 0)
  t.equal(due(state(1n, { reqid: 7 })), 0, 'of another program')
  t.equal(due(state(1n, { plain: true })), 0, 'not in UDP')
  const one = state(1n)
  t.equal(due({ ...one, attributes: { ...one.attributes, nat_keepalive_interval: 5 } } as typeof one), 0)
})
