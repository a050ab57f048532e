/**
 * What is wrong with a filter expression, and where.
 *
 * @module
 */
import type { Diagnostic } from '../../../../agent/model/diagnostic.ts'
import type { Token } from './lexer.ts'

/** What would have been right, and the way out. */
export interface Advice {
  readonly expected?: string
  readonly hint?: string
}

/** Thrown by the parser for the first error of an expression. */
export class FilterError extends Error {
  /** For `renderDiagnostics`; the file is called `expression`. */
  readonly diagnostic: Diagnostic

  constructor(text: string, at: Token, message: string, { expected, hint }: Advice = {}) {
    super(message)
    this.name = 'FilterError'
    const lineStart = text.lastIndexOf('\n', at.start - 1) + 1
    const newline = text.indexOf('\n', at.start)
    this.diagnostic = {
      severity: 'error',
      message,
      file: 'expression',
      span: {
        line: text.slice(0, lineStart).split('\n').length,
        column: at.start - lineStart + 1,
        length: Math.max(1, at.end - at.start),
      },
      source: text.slice(lineStart, newline < 0 ? undefined : newline),
      ...(expected !== undefined && { expected }),
      ...(hint !== undefined && { hint }),
    }
  }
}
