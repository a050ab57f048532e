/** The progress bar. */
import t from 'tap'
import { ProgressBar, progressText, sizeText } from '../../../../compat/commands/support/progress.ts'
import { captureIo } from './capture-io.ts'

t.test('one line', async (t) => {
  t.equal(
    progressText(250e6, 1e9, 2000),
    '[======>                 ]   25%  250 MB of 1.0 GB  125 MB/s  6 s left',
  )
  t.equal(progressText(10, 10, 1000), `[${'='.repeat(24)}]  100%  10 B of 10 B  10 B/s  0 s left`)
  t.equal(progressText(0, 5, 0), `[>${' '.repeat(23)}]    0%  0 B of 5 B  0 B/s`)
  t.match(progressText(1e6, 1e9, 1000), /16 min 39 s left$/)
  t.match(progressText(0, 0, 0), /100%/)
  t.equal(progressText(5e6, undefined, 1000), '5.0 MB  5.0 MB/s')
  // A file that grows.
  t.match(progressText(20, 10, 1000), /100%/)
})

t.test('sizes', async (t) => {
  const rows = [0, 999, 1000, 9949, 9950, 999_499, 999_500, 1.5e9, 5e15]
  t.same(rows.map(sizeText), [
    '0 B',
    '999 B',
    '1.0 kB',
    '9.9 kB',
    '10 kB',
    '999 kB',
    '1.0 MB',
    '1.5 GB',
    '5000 TB',
  ])
})

t.test('drawn ten times a second, and taken away', async (t) => {
  const io = captureIo()
  let now = 0
  const bar = new ProgressBar(io.stderr, 100, () => now)
  bar.clear()
  t.equal(io.err(), '')
  for (; now < 1000; now++) bar.show(now / 10)
  bar.clear()
  bar.clear()
  t.equal(io.err().split('\r').length - 1, 11)
  t.ok(io.err().endsWith('\r\x1b[K'))
})
