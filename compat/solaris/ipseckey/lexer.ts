/**
 * Splits `ipseckey(8)` text into entries (one command each, over any number of physical lines) and tokens.
 *
 * Tokens remember where they came from as offsets into the text; `SourceText` turns those into lines and columns
 * only where a diagnostic needs them, so that a good file pays nothing for it.
 *
 * @module
 */

/** One word, with the half-open range of the text that it was read from (quotes and line joins included). */
export interface Token {
  readonly text: string
  readonly start: number
  readonly end: number
}

export type LexicalProblemKind =
  | 'unterminated-quote'
  | 'text-after-quote'
  | 'empty-quote'
  | 'comment-swallows'

export interface LexicalProblem {
  readonly kind: LexicalProblemKind
  readonly start: number
  readonly end: number
}

/** The physical lines of one command. A comment or blank entry is only reported where it has a problem. */
export interface LexedEntry {
  readonly tokens: readonly Token[]
  readonly problems: readonly LexicalProblem[]
  /** 1-based. */
  readonly firstLine: number
  readonly lastLine: number
  /** Range of the entry's physical lines in the text, without the last newline. */
  readonly start: number
  readonly end: number
}

const TAB = 9
const NEWLINE = 10
const CARRIAGE_RETURN = 13
const SPACE = 32
const QUOTE = 34
const HASH = 35
const BACKSLASH = 92
const BYTE_ORDER_MARK = 0xfeff

function isBlank(code: number): boolean {
  return code === SPACE || (code >= TAB && code <= CARRIAGE_RETURN && code !== NEWLINE)
}

/** True at a newline or a line join. */
function endsLine(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code === NEWLINE || (code === BACKSLASH && text.charCodeAt(at + 1) === NEWLINE)
}

/** The same, or at a blank. */
function endsWord(text: string, at: number): boolean {
  return isBlank(text.charCodeAt(at)) || endsLine(text, at)
}

/**
 * Reads the entries of a text, one at a time, so that the words of one are gone before the next is read. A
 * backslash directly before a newline joins lines without adding a blank.
 */
export function* lex(text: string): Generator<LexedEntry, void> {
  const scanner = new Scanner(text)
  while (!scanner.atEnd()) {
    const entry = scanner.entry()
    if (entry.tokens.length > 0 || entry.problems.length > 0) yield entry
  }
}

/** True where the last line of `text` asks for another one. */
export function isContinued(text: string): boolean {
  return text.endsWith('\\')
}

const NONE: readonly never[] = []

class Scanner {
  readonly #text: string
  #at: number
  #line = 1
  #problems: LexicalProblem[] | undefined

  constructor(text: string) {
    this.#text = text
    this.#at = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length
  }

  entry(): LexedEntry {
    const start = this.#at
    const firstLine = this.#line
    const tokens: Token[] = []
    this.#problems = undefined
    for (;;) {
      this.#skipBlanks()
      const code = this.#text.charCodeAt(this.#at)
      if (Number.isNaN(code) || code === NEWLINE) break
      if (code === HASH && tokens.length === 0) this.#comment()
      else if (code === QUOTE) this.#quoted(tokens)
      else tokens.push(this.#bare())
    }
    const end = this.#at
    const lastLine = this.#line
    if (!this.atEnd()) this.#newline()
    return { tokens, problems: this.#problems ?? NONE, firstLine, lastLine, start, end }
  }

  #newline(): void {
    this.#at++
    this.#line++
  }

  /** At a backslash-newline: steps over it. */
  #join(): boolean {
    if (this.#text.charCodeAt(this.#at) !== BACKSLASH) return false
    if (this.#text.charCodeAt(this.#at + 1) !== NEWLINE) return false
    this.#at++
    this.#newline()
    return true
  }

  #skipBlanks(): void {
    const text = this.#text
    do {
      let at = this.#at
      while (isBlank(text.charCodeAt(at))) at++
      this.#at = at
    } while (this.#join())
  }

  #comment(): void {
    const start = this.#at
    for (;;) {
      while (!this.atEnd() && !endsLine(this.#text, this.#at)) this.#at++
      if (!this.#join()) return
      const rest = this.#text.slice(this.#at, this.#lineEnd()).trim()
      if (rest !== '' && !rest.startsWith('#')) {
        this.#problem({ kind: 'comment-swallows', start, end: start + 1 })
      }
    }
  }

  #problem(problem: LexicalProblem): void {
    this.#problems ??= []
    this.#problems.push(problem)
  }

  #lineEnd(): number {
    const newline = this.#text.indexOf('\n', this.#at)
    return newline < 0 ? this.#text.length : newline
  }

  #bare(): Token {
    const source = this.#text
    const start = this.#at
    let end = start
    let text = ''
    do {
      const from = this.#at
      let at = from
      while (at < source.length && !endsWord(source, at)) at++
      if (at > from) end = at
      text = text === '' ? source.slice(from, at) : text + source.slice(from, at)
      this.#at = at
    } while (this.#join())
    return { text, start, end }
  }

  #quoted(tokens: Token[]): void {
    const start = this.#at++
    let text = ''
    for (;;) {
      const from = this.#at
      while (!this.atEnd() && this.#text.charCodeAt(this.#at) !== QUOTE && !endsLine(this.#text, this.#at))
        this.#at++
      text += this.#text.slice(from, this.#at)
      if (!this.#join()) break
    }
    const closed = this.#text.charCodeAt(this.#at) === QUOTE
    if (closed) this.#at++
    const token = { text, start, end: this.#at }
    tokens.push(token)
    if (!closed) this.#problem({ kind: 'unterminated-quote', start, end: token.end })
    else if (text === '') this.#problem({ kind: 'empty-quote', start, end: token.end })
    while (closed && this.#join());
    if (closed && !this.atEnd() && !endsWord(this.#text, this.#at)) {
      const tail = this.#bare()
      this.#problem({ kind: 'text-after-quote', start: tail.start, end: tail.end })
      tokens.push(tail)
    }
  }
}

/** A text with its name, which finds lines and columns on demand. */
export class SourceText {
  readonly file: string
  #text: string | (() => string)
  #lineStarts: number[] | undefined
  /** Index of the line asked for last: the next question is mostly about the same one. */
  #lastLine = 0

  /** @param text or what makes it, when it is asked for the first time */
  constructor(text: string | (() => string), file: string) {
    this.#text = text
    this.file = file
  }

  get text(): string {
    if (typeof this.#text !== 'string') this.#text = this.#text()
    return this.#text
  }

  /** 1-based line and column of an offset. */
  position(offset: number): { line: number; column: number } {
    const starts = this.#starts()
    let low = 0
    let high = starts.length - 1
    const last = this.#lastLine
    if ((starts[last] ?? 0) <= offset) {
      low = last
      if (offset < (starts[last + 1] ?? Number.POSITIVE_INFINITY)) high = last
    }
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    this.#lastLine = low
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }

  /** The offset of a place. */
  offset({ line, column }: { readonly line: number; readonly column: number }): number {
    return (this.#starts()[line - 1] ?? 0) + column - 1
  }

  /** The offsets where the lines from one place to another begin and end, without the last newline. */
  lines(from: number, to: number): { readonly start: number; readonly end: number } {
    const starts = this.#starts()
    const start = starts[this.position(from).line - 1] ?? 0
    const next = starts[this.position(to).line]
    return { start, end: next === undefined ? this.text.length : next - 1 }
  }

  #starts(): number[] {
    if (!this.#lineStarts) {
      this.#lineStarts = [0]
      for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) {
        this.#lineStarts.push(at + 1)
      }
    }
    return this.#lineStarts
  }
}
