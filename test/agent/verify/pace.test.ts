import fc from 'fast-check'
import t from 'tap'
import { Pace, processorTime } from '../../../agent/verify/pace.ts'

/** A program whose work takes what it takes, and that obeys. */
function live(percent: number, works: readonly number[]): { used: number; time: number } {
  let used = 0
  let time = 0
  const pace = new Pace(
    percent,
    () => used,
    () => time,
  )
  for (const work of works) {
    used += work
    time += work
    time += pace.rest()
  }
  return { used, time }
}

t.test('property: never more than its share, but for one window and the last piece of work', async () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.5, max: 100, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 30, noNaN: true }), { maxLength: 300 }),
      (percent, works) => {
        const { used, time } = live(percent, works)
        return used <= (percent / 100) * (time + 100) + (works.at(-1) ?? 0) + 1e-6
      },
    ),
    { numRuns: 300, seed: 1 },
  )
})

t.test('who has little to do does not rest', async (t) => {
  let used = 0
  let time = 0
  const pace = new Pace(
    5,
    () => used,
    () => time,
  )
  for (let i = 0; i < 1000; i++) {
    used += 0.4
    time += 10
    t.equal(pace.rest(), 0)
  }
  used += 6
  t.ok(pace.rest() > 0, 'what was not used is not saved up')
})

t.test('the processor time of this process grows', async (t) => {
  const before = processorTime()
  while (processorTime() === before) Math.sqrt(2)
  t.ok(processorTime() > before)
})
