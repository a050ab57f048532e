/**
 * Whatever the text, the parser answers with rules and diagnostics that point into the text, and in linear time.
 * `SOLIPSEC_FUZZ=N` multiplies the number of runs by N.
 */
import fc from 'fast-check'
import t from 'tap'
import { renderDiagnostics } from '../../../../compat/diagnostics.ts'
import { formatRule } from '../../../../compat/solaris/ipsecconf/index.ts'
import { times } from '../../../support/fuzz.ts'
import { rule, WORDS } from './arbitraries.ts'
import { algorithms, parse } from './support.ts'

const options = times(100)

/** Parses, and checks what must hold for every text. Throws where it does not. */
function examine(text: string): void {
  const { rules, diagnostics } = parse(text)
  const lines = text.split('\n')
  let last = 0
  for (const { span, message, source } of diagnostics) {
    const line = lines[span.line - 1]
    if (line === undefined || span.line < last)
      throw new Error(`line ${span.line} of ${lines.length}: ${message}`)
    if (span.column < 1 || span.column > line.length + 1 || span.length < 1)
      throw new Error(`column: ${message}`)
    if (source === undefined || !line.startsWith(source)) throw new Error(`source: ${message}`)
    last = span.line
  }
  renderDiagnostics(diagnostics, { color: true })
  for (const { selector, actions, span } of rules) {
    if (actions.length === 0 || selector.pairs.length === 0 || span.length < 1) throw new Error('empty rule')
  }
}

t.test('any characters', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), examine), options)
})

t.test('any bytes', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => examine(Buffer.from(bytes).toString('latin1'))),
    options,
  )
})

t.test('soup of words', async () => {
  const soup = fc.array(fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom(' ', ' ', '', '\n')), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(soup, (words) => examine(words.map(([word, blank]) => word + blank).join(''))),
    options,
  )
})

t.test('good rules with a word put in, taken out or changed', async () => {
  fc.assert(
    fc.property(
      fc.array(rule, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      fc.nat({ max: 2 }),
      fc.constantFrom(...WORDS),
      (rules, at, remove, word) => {
        const words = rules
          .map((one) => formatRule(one, { algorithms }))
          .join('\n')
          .split(/( |\n)/)
        words.splice(at % words.length, remove, word)
        examine(words.join(''))
      },
    ),
    options,
  )
})

t.test('an error in one rule loses no other rule', async (t) => {
  for (const word of WORDS) {
    if (/[{}#\n]/.test(word)) continue
    const { rules } = parse(
      `{ulp 6 dir in} drop {}\n{lport 1 ${word} dir in} drop {}\n{ulp 17 dir in} drop {}`,
    )
    const lines = rules.map(({ span }) => span.line)
    t.ok(lines.includes(1) && lines.includes(3), JSON.stringify(word))
  }
})

/** User plus system time of this process for one parse: other processes do not count. */
function cost(text: string): number {
  const start = process.cpuUsage()
  parse(text)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

t.test('time grows with the size of the text, not with its square', async (t) => {
  const unit: Record<string, (count: number) => string> = {
    rules: (n) =>
      Array.from({ length: n }, (_, i) => `{lport ${i % 65535} ulp ${1 + (i >> 16)} dir in} drop {}\n`).join(
        '',
      ),
    'equal rules': (n) => '{laddr alpha dir in} drop {}\n'.repeat(n),
    'errors on one line': (n) => '{laddr nowhere} drop {x y} '.repeat(n),
    'open braces': (n) => '{'.repeat(8 * n),
    'closed braces': (n) => '}'.repeat(8 * n),
    'one long pattern': (n) => `{${' lport 1'.repeat(2 * n)}} drop {}`,
    'one long rule': (n) => `{dir in} drop {} ${'or pass {} '.repeat(2 * n)}`,
    'one long word': (n) =>
      `{laddr ${'1.'.repeat(8 * n)} lport ${'1'.repeat(8 * n)}} ipsec {encr_algs ${'a('.repeat(8 * n)}}`,
    'one long comment': (n) => '#'.repeat(16 * n),
    'unknown words': (n) => `{${' ldadr'.repeat(2 * n)}} drop {}`,
  }
  for (const [name, make] of Object.entries(unit)) {
    cost(make(500))
    const small = Math.min(cost(make(1000)), cost(make(1000)))
    const large = Math.min(cost(make(16_000)), cost(make(16_000)))
    // 16 times the text; a square would be 256 times the work. The constant absorbs what is too short to measure.
    t.ok(
      large < 64 * (small + 2),
      `${name}: ${small.toFixed(1)} ms for 1000, ${large.toFixed(1)} ms for 16000`,
    )
  }
})
