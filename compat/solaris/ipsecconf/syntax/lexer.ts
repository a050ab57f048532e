/**
 * `ipsecinit.conf` as tokens: braces, and words between white space. `#` starts a comment anywhere; there is
 * no quoting and no line continuation.
 *
 * @module
 */

/** One token with its place: `line` and `column` count from 1, columns in UTF-16 code units. */
export interface Token {
  readonly kind: 'word' | 'open' | 'close' | 'end'
  readonly text: string
  /** Offset into the text of the file. */
  readonly start: number
  readonly line: number
  readonly column: number
}

const NEWLINE = 10
const HASH = 35
const OPEN = 123
const CLOSE = 125

/** The white space of `isspace(3)` in the C locale; so a CR before the newline is nothing special. */
function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13)
}

/** Hands out the tokens of one file, with one token of look-ahead. At the end it repeats the `end` token. */
export class Lexer {
  readonly text: string
  #offset = 0
  #line = 1
  #lineStart = 0
  #current: Token
  #ahead: Token | undefined

  constructor(text: string) {
    this.text = text
    if (text.charCodeAt(0) === 0xfeff) this.#offset = 1
    this.#current = this.#scan()
  }

  /** The token that {@link next} will return. */
  get current(): Token {
    return this.#current
  }

  /** The token after {@link current}. */
  ahead(): Token {
    this.#ahead ??= this.#scan()
    return this.#ahead
  }

  /** Takes the current token and moves on. */
  next(): Token {
    const taken = this.#current
    this.#current = this.#ahead ?? this.#scan()
    this.#ahead = undefined
    return taken
  }

  #scan(): Token {
    this.#skipBlanks()
    const { text } = this
    const start = this.#offset
    const code = text.charCodeAt(start)
    if (start >= text.length) return this.#token('end', start, start)
    if (code === OPEN) return this.#token('open', start, start + 1)
    if (code === CLOSE) return this.#token('close', start, start + 1)
    let end = start + 1
    for (; end < text.length; end++) {
      const next = text.charCodeAt(end)
      if (isSpace(next) || next === OPEN || next === CLOSE || next === HASH) break
    }
    return this.#token('word', start, end)
  }

  #skipBlanks(): void {
    const { text } = this
    for (let i = this.#offset; ; i++) {
      const code = text.charCodeAt(i)
      if (code === NEWLINE) {
        this.#line++
        this.#lineStart = i + 1
      } else if (code === HASH) {
        const newline = text.indexOf('\n', i)
        i = (newline < 0 ? text.length : newline) - 1
      } else if (!isSpace(code)) {
        this.#offset = i
        return
      }
    }
  }

  #token(kind: Token['kind'], start: number, end: number): Token {
    this.#offset = end
    return {
      kind,
      text: this.text.slice(start, end),
      start,
      line: this.#line,
      column: start - this.#lineStart + 1,
    }
  }
}

/** The same text with every comment cut, and the blanks before it. Newlines stay. */
export function stripComments(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const hash = line.indexOf('#')
      return hash < 0 ? line : line.slice(0, hash).trimEnd()
    })
    .join('\n')
}
