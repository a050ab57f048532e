/**
 * Collects the diagnostics of one policy file and builds their texts.
 *
 * @module
 */
import type { Diagnostic } from '../../../../agent/model/diagnostic.ts'
import { FIELDS, type Field } from '../vocabulary.ts'
import type { Token } from './lexer.ts'

/** What would have been right, and the way out. */
export interface Advice {
  readonly expected?: string
  readonly hint?: string
  readonly unresolved?: string
}

/** The diagnostics of one file, in the order in which they were found. */
export class Report {
  readonly diagnostics: Diagnostic[] = []
  /** Errors so far, warnings not counted. */
  errors = 0
  readonly file: string
  readonly #text: () => string
  /** The line quoted last: many errors on one long line must not cost its length each. */
  #quoted = { line: 0, source: '' }

  /** @param text or what makes it, when the first line is quoted */
  constructor(text: string | (() => string), file: string) {
    this.#text = typeof text === 'string' ? () => text : text
    this.file = file
  }

  error(at: Token, message: string, advice: Advice = {}): void {
    this.errors++
    this.#add('error', at, message, advice)
  }

  warning(at: Token, message: string, advice: Advice = {}): void {
    this.#add('warning', at, message, advice)
  }

  /** An error in the original's form, `Bad Source Port on line: 3`. */
  fault(at: Token, fault: 'Bad' | 'Duplicate' | 'Requires', field: Field, advice: Advice = {}): void {
    const expected = fault === 'Bad' ? { expected: FIELDS[field].expected } : {}
    this.error(at, `${fault} ${FIELDS[field].thing} on line: ${at.line}`, { ...expected, ...advice })
  }

  #add(severity: Diagnostic['severity'], at: Token, message: string, advice: Advice): void {
    const { expected, hint, unresolved } = advice
    this.diagnostics.push({
      severity,
      message: withoutKeys(message),
      file: this.file,
      span: { line: at.line, column: at.column, length: Math.max(1, at.text.length) },
      source: this.#sourceLine(at),
      ...(expected !== undefined && { expected: withoutKeys(expected) }),
      ...(hint !== undefined && { hint: withoutKeys(hint) }),
      ...(unresolved !== undefined && { unresolved }),
    })
  }

  #sourceLine(at: Token): string {
    if (this.#quoted.line !== at.line) {
      const from = at.start - at.column + 1
      const text = this.#text()
      const newline = text.indexOf('\n', at.start)
      const source = text.slice(from, newline < 0 ? undefined : newline)
      this.#quoted = {
        line: at.line,
        source: withoutKeys(source.endsWith('\r') ? source.slice(0, -1) : source),
      }
    }
    return this.#quoted.source
  }
}

/**
 * A key file may be given by mistake: what could be a key is blanked, at its length, so that columns still fit.
 * Nothing in a policy has that many digits in a row.
 */
function withoutKeys(text: string): string {
  return text.replace(/[0-9a-f]{16,}/gi, (digits) => 'x'.repeat(digits.length))
}
