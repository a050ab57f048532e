import fc from 'fast-check'
import t from 'tap'
import {
  FRESH,
  NEVER_SENT,
  ReplayWindow,
  SEEN,
  TOO_OLD,
} from '../../../../../agent/datapath/software/state/replay-window.ts'

const sizes = fc.constantFrom(1, 7, 31, 32, 33, 64, 100, 128, 1000, 4095, 4096)

/** Numbers that mostly go up a little, sometimes down, sometimes far. */
const steps = fc.array(
  fc.oneof(
    fc.integer({ min: -5000, max: 40 }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 9000 }),
  ),
  { minLength: 1, maxLength: 200 },
)

t.test('property: the window is the set of the last numbers, exact to one', async () => {
  fc.assert(
    fc.property(sizes, fc.nat(2 ** 33), steps, (size, start, jumps) => {
      const window = new ReplayWindow(size, true, start)
      const seen = new Set<number>()
      let highest = start
      for (const jump of jumps) {
        const number = Math.max(0, highest + jump)
        const expected =
          number === 0
            ? NEVER_SENT
            : number > highest
              ? FRESH
              : highest - number >= size
                ? TOO_OLD
                : seen.has(number)
                  ? SEEN
                  : FRESH
        if (window.check(number) !== expected) return false
        if (expected !== FRESH) continue
        window.accept(number)
        seen.add(number)
        highest = Math.max(highest, number)
        if (window.highest !== highest || window.check(number) !== SEEN) return false
      }
      return true
    }),
  )
})

t.test('property: the lower half says which number is meant, as long as it is near', async () => {
  fc.assert(
    fc.property(
      sizes,
      fc.nat(2 ** 45),
      fc.integer({ min: -4000, max: 2 ** 31 }),
      (size, highest, distance) => {
        fc.pre(highest > 0)
        const window = new ReplayWindow(size, true, highest)
        const number = highest + Math.max(distance, 1 - size)
        fc.pre(number > 0)
        return window.wholeNumber(number % 2 ** 32) === number
      },
    ),
    { numRuns: 1000 },
  )
})

t.test('property: the kernel’s bitmaps hold the window', async () => {
  fc.assert(
    fc.property(
      sizes,
      fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 300 }),
      (size, numbers) => {
        const window = new ReplayWindow(size, true)
        for (const number of numbers) if (window.check(number) === FRESH) window.accept(number)
        const copy = new ReplayWindow(size, true)
        copy.readKernelBitmap(window.toKernelBitmap(), window.highest)
        const small = new ReplayWindow(Math.min(size, 32), false)
        small.readLegacyBitmap(window.toLegacyBitmap(), window.highest)
        for (let n = Math.max(1, window.highest - size - 2); n < window.highest + 3; n++) {
          if (copy.check(n) !== window.check(n)) return false
          if (window.highest - n < Math.min(size, 32) && small.check(n) !== window.check(n)) return false
        }
        return true
      },
    ),
  )
})

t.test('the bits of a bitmap as the kernel writes them', async (t) => {
  const window = new ReplayWindow(64, false)
  for (const number of [1, 2, 5]) window.accept(number)
  t.same(window.toKernelBitmap(), [0b10011, 0])
  t.equal(window.toLegacyBitmap(), 0b11001)
})

t.test('without a window everything passes', async (t) => {
  const window = new ReplayWindow(0, false)
  for (const number of [5, 5, 0, 1]) {
    t.equal(window.check(number), FRESH)
    window.accept(number)
  }
})

t.test('numbers that JavaScript does not tell apart are refused', async (t) => {
  const window = new ReplayWindow(4096, true, Number.MAX_SAFE_INTEGER - 1)
  t.equal(window.check(Number.MAX_SAFE_INTEGER), FRESH)
  t.equal(window.check(2 ** 53), NEVER_SENT)
  t.equal(window.check(2 ** 60), NEVER_SENT)
})
