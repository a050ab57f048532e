/** At most once an interval, and nothing goes uncounted. */
import fc from 'fast-check'
import t from 'tap'
import { Limiter } from '../../../agent/log/limiter.ts'

t.test('once an interval, with the count of the rest', async (t) => {
  let time = 0
  const limiter = new Limiter({ interval: 1000, now: () => time })
  t.equal(limiter.admit('a'), 0)
  t.equal(limiter.admit('a'), undefined)
  t.equal(limiter.admit('b'), 0, 'another one')
  time = 999
  t.equal(limiter.admit('a'), undefined)
  time = 1000
  t.equal(limiter.admit('a'), 2)
  t.equal(limiter.admit('a'), undefined)
  t.same(limiter.overdue(), [], 'its time is not over')
  time = 2000
  t.same(limiter.overdue(), [{ key: 'a', count: 1 }])
  t.same(limiter.overdue(), [])
})

t.test('no interval, no limit; a clock that is set back', async (t) => {
  let time = 5000
  const free = new Limiter({ interval: 0, now: () => time })
  t.same([free.admit('a'), free.admit('a')], [0, 0])
  const limiter = new Limiter({ interval: 1000, now: () => time })
  limiter.admit('a')
  time = 10
  t.equal(limiter.admit('a'), 0)
})

t.test('memory is bounded, and what had no room is counted', async (t) => {
  let time = 0
  const limiter = new Limiter({ interval: 1000, now: () => time, most: 2 })
  t.same([limiter.admit('a'), limiter.admit('b'), limiter.admit('c')], [0, 0, undefined])
  t.same(limiter.overdue(), [{ key: '', count: 1 }])
  time = 1000
  t.equal(limiter.admit('c'), 0, 'one of the others has had its time')
})

t.test('said and held back are together what came', async (t) => {
  const step = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(700))
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let time = 0
      const limiter = new Limiter({ interval: 1000, now: () => time, most: 3 })
      let accounted = 0
      for (const [key, later] of steps) {
        time += later
        const more = limiter.admit(key)
        if (more !== undefined) accounted += 1 + more
      }
      time += 1000
      for (const { count } of limiter.overdue()) accounted += count
      return accounted === steps.length
    }),
    { seed: 1 },
  )
  t.pass()
})
