import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import type { Diagnostic } from '../../agent/model/diagnostic.ts'
import { plainDiagnostics, renderDiagnostic, renderDiagnostics } from '../../compat/diagnostics.ts'

const base: Diagnostic = {
  severity: 'error',
  message: 'Bad Source Port on line: 3',
  file: 'a.conf',
  span: { line: 3, column: 8, length: 5 },
  source: '{lport 99999 dir in} drop {}',
  expected: 'a port number',
  hint: 'Take another.',
}
const caret = (source: string, column: number, length: number): string | undefined =>
  renderDiagnostic({ ...base, source, span: { line: 1, column, length } }).split('\n')[2]

t.test('the whole form', async (t) => {
  t.equal(
    renderDiagnostics([base, { ...base, severity: 'warning' }]),
    ['error', 'warning']
      .map((severity) =>
        [
          `a.conf:3:8: ${severity}: Bad Source Port on line: 3`,
          ' 3 | {lport 99999 dir in} drop {}',
          '   |        ^~~~~',
          '   expected a port number',
          '   help: Take another.\n',
        ].join('\n'),
      )
      .join(''),
  )
})

t.test('without source, expectation and hint', async (t) => {
  const { source, expected, hint, ...bare } = base
  t.equal(renderDiagnostic(bare), 'a.conf:3:8: error: Bad Source Port on line: 3')
  t.equal(renderDiagnostics([]), '')
})

t.test('the gutter fits the line number', async (t) => {
  const lines = renderDiagnostic({ ...base, span: { line: 1234, column: 1, length: 1 } }).split('\n')
  t.equal(lines[1]?.indexOf('|'), lines[2]?.indexOf('|'))
})

t.test('the caret stands under its word', async (t) => {
  t.equal(caret('ab cd', 4, 2), '   |    ^~')
  t.equal(caret('\tab', 2, 2), '   |         ^~', 'a tab is eight columns')
  t.equal(caret('a\tb', 3, 1), '   |         ^', 'to the next stop')
  t.equal(caret('日本 x', 4, 1), '   |      ^', 'wide characters')
  t.equal(caret('x 日本', 3, 2), '   |   ^~~~')
  t.equal(caret('e\u0301 x', 4, 1), '   |   ^', 'combining characters')
  t.equal(caret('👍 x', 4, 1), '   |    ^', 'emoji')
  t.equal(caret('ab', 3, 1), '   |   ^', 'after the end')
})

t.test('a long line is shown around the place', async (t) => {
  const [, source, under] = renderDiagnostic({
    ...base,
    source: `${'a'.repeat(10_000)}HERE${'b'.repeat(10_000)}`,
    span: { line: 1, column: 10_001, length: 4 },
  }).split('\n')
  t.ok((source?.length ?? 999) < 200)
  t.equal(source?.indexOf('HERE'), under?.indexOf('^~~~'))
  t.match(source, /… *$/)
})

t.test('programs get no line that is very long', async (t) => {
  const long = { ...base, source: 'a'.repeat(1001) }
  const { source: _, ...bare } = base
  t.same(plainDiagnostics([base, long, bare]), [base, bare, bare])
})

t.test('a file cannot write to the terminal', async (t) => {
  const out = renderDiagnostic({
    ...base,
    file: 'x\x1b[2J',
    message: 'bad \x1b]0;x\x07 \u202e',
    source: 'a\x1b[31m\u0000\r\ud800',
  })
  t.notMatch(out.replaceAll('\n', ''), /[\p{Cc}\u202e]/u)
})

t.test('colour only where wanted', async (t) => {
  t.match(renderDiagnostic(base, { color: true }), '\x1b[31;1merror:\x1b[0m')
  t.match(renderDiagnostic({ ...base, severity: 'warning' }, { color: true }), '\x1b[33;1mwarning:\x1b[0m')
  t.notMatch(renderDiagnostic(base), '\x1b')
  t.equal(stripVTControlCharacters(renderDiagnostic(base, { color: true })), renderDiagnostic(base))
})
