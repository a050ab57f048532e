/** Quantities, tables and the size of a terminal. */
import fc from 'fast-check'
import t from 'tap'
import {
  bitRateText,
  bytesText,
  durationText,
  rateText,
} from '../../../../compat/commands/support/quantities.ts'
import { clipped, printable, tableLines } from '../../../../compat/commands/support/table.ts'
import { terminalOf } from '../../../../compat/commands/support/terminal.ts'
import { captureIo } from './capture-io.ts'

t.test('bytes and rates', async (t) => {
  for (const [value, text] of [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [9999, '10.0 kB'],
    [99_960, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [1_234_567_890, '1.23 GB'],
    [2 ** 53, '9.01 PB'],
  ] as const) {
    t.equal(bytesText(value), text)
  }
  t.equal(bitRateText(1_500_000), '1.50 Mbit/s')
  t.same([0, 0.04, 9.96, 10, 1234.5].map(rateText), ['0', '0.0', '10.0', '10', '1235'])
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) =>
      /^\d{1,3}(\.\d{1,2})? [kMGTPE]?B$/.test(bytesText(bytes)),
    ),
    { seed: 1 },
  )
})

t.test('durations and numbers of things', async (t) => {
  t.same([-1, 0, 59.9, 60, 61, 3600, 3661, 86_400, 200_000].map(durationText), [
    '0s',
    '0s',
    '59s',
    '1m',
    '1m1s',
    '1h',
    '1h1m',
    '1d',
    '2d7h',
  ])
})

t.test('tables', async (t) => {
  const rows = [
    { a: 'one', b: 1 },
    { a: 'a long text', b: 22 },
  ]
  const columns = [
    { title: 'A', text: (row: (typeof rows)[0]) => row.a, mayBeCut: true },
    { title: 'MORE', text: () => 'more', expendable: 1 },
    { title: 'B', text: (row: (typeof rows)[0]) => String(row.b), isNumber: true },
  ]
  const lines = (width: number) => tableLines(rows, columns, { width, hasColour: false })
  t.same(lines(99), ['A            MORE   B', 'one          more   1', 'a long text  more  22'])
  t.same(lines(16), ['A             B', 'one           1', 'a long text  22'])
  t.same(lines(13), ['A           B', 'one         1', 'a long t…  22'])
  t.same(tableLines([], columns, { width: 9, hasColour: false }), [])
  const [, first] = tableLines(rows, [{ title: 'A', text: () => 'x', colour: () => '31' }], {
    width: 9,
    hasColour: true,
  })
  t.equal(first, '\x1b[31mx\x1b[0m')
})

t.test('cut, and made harmless', async (t) => {
  t.same(
    [clipped('abc', 3), clipped('abc', 2), clipped('abc', 0), clipped('a\u{1f600}b', 3)],
    ['abc', 'a…', '', 'a…'],
  )
  t.equal(printable('a\x1b[2J\u202e\ud800\n'), 'a\ufffd[2J\ufffd\ufffd\ufffd')
})

t.test('the size of a terminal', async (t) => {
  const { stdout } = captureIo()
  t.match(terminalOf({ stdout, env: {} }), { columns: Number.POSITIVE_INFINITY, hasColour: false })
  t.match(terminalOf({ stdout, env: { COLUMNS: '60', LINES: 'x' } }), {
    columns: 60,
    rows: Number.POSITIVE_INFINITY,
  })
  const tty = Object.create(stdout, { isTTY: { value: true } })
  t.same(terminalOf({ stdout: tty, env: {} }), { columns: 80, rows: 24, hasColour: true })
  t.match(terminalOf({ stdout: tty, env: { NO_COLOR: '1', LINES: '50' } }), { rows: 50, hasColour: false })
})
