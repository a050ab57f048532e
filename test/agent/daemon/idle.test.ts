import t from 'tap'
import { IdleWatch } from '../../../agent/daemon/idle.ts'
import { saKey } from '../../../agent/reconcile/association-notes.ts'
import { kernelAssociation } from './support.ts'

t.test('idle since it was added, or since its last packet', async (t) => {
  const watch = new IdleWatch()
  const idle = { addTime: 10n, useTime: 100n }
  const overdue = (packets: number, now: number, age: number, limits: typeof idle | 'none' = idle) =>
    watch.overdue(
      [kernelAssociation(0x1000, { packets })],
      () => (limits === 'none' ? undefined : limits),
      now,
      () => age,
    ).length
  t.equal(overdue(0, 0, 9), 0)
  t.equal(overdue(0, 1, 10), 1, 'never used')
  t.equal(overdue(5, 2, 11), 0, 'used: now the other limit counts')
  t.equal(overdue(5, 101, 110), 0)
  t.equal(overdue(6, 101.5, 110), 0)
  t.equal(overdue(6, 201, 211), 0, 'the count begins anew with each packet')
  t.equal(overdue(6, 201.5, 211), 1)
  t.equal(overdue(6, 1000, 1000, 'none'), 0, 'without limits it lives on')
  watch.overdue(
    [],
    () => undefined,
    1000,
    () => 0,
  )
  t.equal(overdue(6, 1001, 1001), 0, 'what was known of one that went is forgotten')
  t.equal(overdue(6, 1000, 1000, { addTime: 10n, useTime: 0n }), 0, 'no limit of that kind')
})

t.test('each SA by itself', async (t) => {
  const watch = new IdleWatch()
  const both = [kernelAssociation(1001, { packets: 1 }), kernelAssociation(1002, { packets: 1 })]
  const limitsOf = (key: string) =>
    key === saKey(both[0]?.association as never) ? { addTime: 0n, useTime: 5n } : undefined
  watch.overdue(both, limitsOf, 0, () => 0)
  t.same(
    watch.overdue(both, limitsOf, 5, () => 0).map(({ spi }) => spi),
    [1001],
  )
})

t.test('a clock that is set makes no SA older or younger', async (t) => {
  const watch = new IdleWatch()
  const overdue = (now: number, age: number, added = 0n) => {
    const one = kernelAssociation(0x1000, { packets: 0 })
    const counters = { ...one.counters, add_time: added }
    return watch.overdue(
      [{ ...one, counters }],
      () => ({ addTime: 60n, useTime: 0n }),
      now,
      () => age,
    ).length
  }
  t.equal(overdue(0, -5000), 0, 'added before the clock was set back')
  t.equal(overdue(1, 86_400 * 365), 0, 'set forward by a year')
  t.equal(overdue(59, -86_400), 0)
  t.equal(overdue(60, -86_400), 1, 'a minute is a minute')
  t.equal(overdue(61, 0, 7n), 0, 'another one in its place')
  t.equal(overdue(120, 0, 7n), 0)
  t.equal(overdue(121, 0, 7n), 1)
})

t.test('one that is away for a moment is not looked at anew', async (t) => {
  const watch = new IdleWatch()
  const limitsOf = () => ({ addTime: 100n, useTime: 100n })
  const one = kernelAssociation(1001)
  watch.overdue([one], limitsOf, 0, () => 0)
  watch.overdue([], limitsOf, 1, () => 0)
  const years = () => 1e9
  t.same(watch.overdue([one], limitsOf, 2, years), [], 'the time of day was set meanwhile')
  t.equal(watch.overdue([one], limitsOf, 100, years).length, 1)
})
