import fc from 'fast-check'
import t from 'tap'
import type { Action } from '../../../agent/model/policy.ts'
import {
  assignPositions,
  BAND,
  bandOf,
  MAX_POSITION,
  positionOf,
  priorityOf,
  SLOT_REFUSE,
  SLOTS,
} from '../../../agent/translate/priorities.ts'
import { rulesOf } from '../../compat/solaris/ipsecconf/support.ts'

const order = fc.array(fc.option(fc.integer({ min: 1, max: 4000 }), { nil: undefined, freq: 3 }), {
  maxLength: 40,
})

/** The straightforward way, for comparison. */
function longestIncreasing(values: readonly (number | undefined)[]): number {
  const best: number[] = []
  for (const value of values) {
    const before = best.filter((_, k) => value !== undefined && (values[k] ?? value) < value)
    best.push(value === undefined ? 0 : 1 + Math.max(0, ...before))
  }
  return Math.max(0, ...best)
}

t.test('property: positions rise, and as many as possible stay where they are', async () => {
  fc.assert(
    fc.property(order, (old) => {
      const next = assignPositions(old)
      const rising = next.every((one, i) => one > (next[i - 1] ?? 0) && one <= MAX_POSITION)
      const kept = next.filter((one, i) => one === old[i]).length
      // Where the gaps do not do, all are numbered anew.
      const renumbered = next.every((one, i) => one === (i + 1) * 64)
      return next.length === old.length && rising && (renumbered || kept >= longestIncreasing(old))
    }),
    { numRuns: 1000 },
  )
})

t.test('small edits are small', async (t) => {
  const start = assignPositions(Array.from({ length: 100 }, () => undefined))
  t.same(start.slice(0, 3), [64, 128, 192])
  const replaced = assignPositions([...start.slice(0, 50), undefined, ...start.slice(51)])
  t.same(replaced, start, 'the new rule stands where the old one stood')
  const inserted = assignPositions([...start.slice(0, 50), undefined, ...start.slice(50)])
  t.same(
    inserted.filter((one) => start.includes(one)),
    start,
  )
  const moved = assignPositions([...start.slice(1), start[0]])
  t.equal(moved.filter((one) => start.includes(one)).length, 99)
  const crowded = assignPositions([1, ...Array.from({ length: 5 }, () => undefined), 3])
  t.same(crowded, [64, 128, 192, 256, 320, 384, 448], 'no room between 1 and 3')
})

t.test('bands: kind before place, all alternatives together', async (t) => {
  const band = (action: string): number =>
    bandOf(rulesOf(`{raddr 192.0.2.1 dir both} ${action}\n`)[0]?.actions ?? [])
  const kinds = [
    band('bypass {}'),
    band('ipsec {auth_algs sha1 encr_algs aes}'),
    band('ipsec {encr_algs aes encr_auth_algs sha1}'),
    band('ipsec {auth_algs sha1}'),
    band('drop {}'),
  ]
  t.same(kinds, [BAND.bypass, BAND.ahEsp, BAND.esp, BAND.ah, BAND.drop])
  t.same(
    kinds,
    [...kinds].sort((a, b) => a - b),
    'the kernel asks the smallest first',
  )
  t.equal(band('ipsec {auth_algs sha1} or ipsec {encr_algs aes encr_auth_algs sha1}'), BAND.ahEsp)
  t.equal(band('ipsec {auth_algs sha1} or pass {}'), BAND.bypass)
  const dropped: Action[] = [{ kind: 'drop' }]
  t.equal(bandOf(dropped), BAND.drop)
})

t.test('priorities stay in their band and lead back to the position', async (t) => {
  const bands = [BAND.bypass, BAND.ahEsp, BAND.esp, BAND.ah, BAND.drop]
  bands.forEach((band, i) => {
    for (const position of [1, 64, MAX_POSITION - 1]) {
      for (const slot of [0, SLOT_REFUSE, SLOTS - 1])
        t.equal(positionOf(priorityOf(band, position) + slot), position)
    }
    t.ok(priorityOf(band, MAX_POSITION - 1) + SLOTS <= (bands[i + 1] ?? 0x6000_0000))
  })
  for (const outside of [0, BAND.guard, BAND.system, BAND.fence]) t.equal(positionOf(outside), undefined)
  t.throws(() => priorityOf(BAND.esp, 0), RangeError)
  t.throws(() => priorityOf(BAND.esp, MAX_POSITION + 1), RangeError)
})
