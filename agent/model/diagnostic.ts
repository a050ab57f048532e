/**
 * What a parser or checker has to say about one place in a file.
 *
 * Parsers collect diagnostics and go on to the next rule; they never throw on bad input. Texts never quote key
 * material.
 *
 * @module
 */

/** A stretch of source text: 1-based line and column (in characters), and its length in characters. */
export interface Span {
  readonly line: number
  readonly column: number
  readonly length: number
}

export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  /** What is wrong, in the words of the original tool where it has some: `Bad Source Port on line: 3`. */
  readonly message: string
  readonly file: string
  readonly span: Span
  /** The source line that `span` points into, for the caret; absent where it might hold a key. */
  readonly source?: string
  /** In JSON documents: the member that it is about, as a JSON pointer (RFC 6901). */
  readonly pointer?: string
  /** What would have been right there, as a noun phrase: `a port number (0..65535) or a service name`. */
  readonly expected?: string
  /** The way out, as a sentence. */
  readonly hint?: string
  /** The host name, where all that is wrong is that it has no address now: it may have one later. */
  readonly unresolved?: string
}

/** True where at least one of them is an error. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error')
}
