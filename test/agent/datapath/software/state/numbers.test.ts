/** Numbers that are used once only: sequence numbers and initialization vectors. */
import fc from 'fast-check'
import t from 'tap'
import { IvEpochs, IvSource } from '../../../../../agent/datapath/software/state/iv-source.ts'
import { ReservedCounter } from '../../../../../agent/datapath/software/state/reservation.ts'

t.test(
  'property: whoever begins behind the mark repeats no number, whenever the one before was killed',
  async () => {
    const lives = fc.array(fc.nat(300), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), lives, (block, counts) => {
        let written = 0
        let last = 0
        for (const count of counts) {
          const counter = new ReservedCounter(written, Number.MAX_SAFE_INTEGER, block, (mark) => {
            written = mark
          })
          for (let i = 0; i < count; i++) {
            const number = counter.take()
            if (number <= last || number > written) return false
            last = number
          }
        }
        return true
      }),
    )
  },
)

t.test('at its end a counter gives nothing more', async (t) => {
  const counter = new ReservedCounter(0xffff_fffd, 0xffff_ffff, 100, () => {})
  t.same([counter.take(), counter.take(), counter.take(), counter.take()], [0xffff_fffe, 0xffff_ffff, 0, 0])
  t.throws(() => counter.skipTo(5), RangeError, 'and never goes back')
})

t.test('a mark is written before the number is used, and only then', async (t) => {
  const marks: number[] = []
  const counter = new ReservedCounter(10, 1000, 4, (mark) => marks.push(mark))
  t.same(marks, [])
  for (let i = 0; i < 4; i++) counter.take()
  t.same(marks, [14])
  counter.take()
  t.same(marks, [14, 18])
  counter.skipTo(50)
  t.same(marks, [14, 18, 54])
})

function vectors(source: IvSource, count: number, length = 8): string[] {
  const view = new DataView(new ArrayBuffer(64))
  return Array.from({ length: count }, () => {
    source.write(view, 0, length)
    return Buffer.from(view.buffer, 0, length).toString('hex')
  })
}

t.test('no vector comes twice: other SAs, other sides, restarts, clocks that go back', async (t) => {
  let mark = 0
  const all: string[] = []
  for (const now of [1.8e12, 1.8e12, 1.8e12 - 5000, 1.7e12, 0]) {
    const epochs = new IvEpochs(mark, now, (written) => {
      mark = written
    })
    for (const side of [0, 1] as const) {
      for (let sa = 0; sa < 5; sa++) all.push(...vectors(new IvSource(epochs, side), 10))
    }
  }
  t.equal(new Set(all).size, 5 * 2 * 5 * 10)
})

t.test('when an epoch is used up, the next one begins', async (t) => {
  const epochs = new IvEpochs(0, 1.8e12, () => {})
  const source = new IvSource(epochs, 1)
  const many = vectors(source, 2 ** 18 + 2)
  t.equal(new Set(many).size, many.length)
  t.ok(
    many.every((one) => Number.parseInt(one.slice(0, 2), 16) >= 0x80),
    'all on one side',
  )
})

t.test('a longer vector begins with zeros', async (t) => {
  const source = new IvSource(new IvEpochs(0, 1.8e12, () => {}), 0)
  t.match(vectors(source, 1, 16)[0], /^0{16}/)
})
