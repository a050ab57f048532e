import t from 'tap'
import { newFlow } from '../../../agent/packet/flow.ts'
import { MOST_FLOWS, Tally } from '../../../agent/verify/tally.ts'
import { CATEGORIES, FAILURES, isFine } from '../../../agent/verify/verdict.ts'

t.test('every packet is counted once, and what is fine leaves no finding', async (t) => {
  const tally = new Tally()
  for (const category of CATEGORIES) {
    const finding = tally.add({ category, seen: 'so' }, newFlow(), 1, 5)
    t.equal(finding === undefined, isFine(category), category)
    t.equal(tally.count(category), 1)
  }
  t.equal(tally.total, CATEGORIES.length)
  t.equal(tally.failures, FAILURES.size)
})

t.test('flows beyond the limit are counted, and leave others their room', async (t) => {
  const tally = new Tally()
  const flow = newFlow()
  for (let port = 0; port < MOST_FLOWS + 20; port++) {
    flow.sport = port
    tally.add({ category: 'wrongIcv', seen: 'x' }, flow, 1, port)
    tally.add({ category: 'wrongIcv', seen: 'x' }, flow, 1, port + 0.5)
  }
  t.equal(tally.findings('wrongIcv').length, MOST_FLOWS)
  t.equal(tally.beyond('wrongIcv'), 40)
  t.equal(tally.count('wrongIcv'), 2 * MOST_FLOWS + 40)
  t.ok(tally.add({ category: 'leak', seen: 'in clear' }, flow, 1, 1))
  t.match(tally.findings('wrongIcv')[7], { count: 2, first: 7, last: 7.5, flow: { sport: 7 } })
})
