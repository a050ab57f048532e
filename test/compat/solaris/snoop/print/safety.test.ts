/**
 * Any octets whatever: nothing throws, nothing is told of octets outside of the frame, and nothing but what a terminal
 * may show is printed. `SOLIPSEC_FUZZ=N` multiplies the number of runs by N.
 */
import fc from 'fast-check'
import t from 'tap'
import { hexLines, summaryLines, verboseLines } from '../../../../../compat/solaris/snoop/print/index.ts'
import { times } from '../../../../support/fuzz.ts'
import { anyFrame, withSurroundings } from '../arbitraries.ts'

const options = times(1500)
const { numRuns: runs } = options

t.test('output depends on the octets of the frame alone, and is safe to show', async (t) => {
  let lines = 0
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const [zeros, ones] = withSurroundings(frame)
      const shown = print(zeros)
      t.equal(shown, print(ones))
      t.notMatch(shown, /(?!\n)\p{C}/u)
      lines += shown.length
    }),
    options,
  )
  t.ok(lines > 100 * runs, 'and there is some')
})

function print(frame: Parameters<typeof summaryLines>[0]): string {
  const styles = { utc: true, numbers: true, sizes: true, time: 'absolute' } as const
  return [
    ...summaryLines(frame, styles),
    ...summaryLines(frame, { ...styles, layers: true }),
    ...verboseLines(frame, styles),
    ...hexLines(frame),
  ].join('\n')
}
