/**
 * Filter expressions as tokens.
 *
 * A colon belongs to an address outside of brackets and separates offset and size inside. A hyphen belongs to a name,
 * but not to what can be a number: `my-host`, `length-1`, `60-1`.
 *
 * @module
 */

export interface Token {
  /** `symbol` is punctuation, `bad` a character that has no meaning here. */
  readonly kind: 'word' | 'number' | 'symbol' | 'bad' | 'end'
  /** Words in lower case. */
  readonly text: string
  /** Of a number. */
  readonly value: number
  /** Offsets into the expression. */
  readonly start: number
  readonly end: number
}

const SYMBOL = /&&|\|\||[<>!]=|==|[()[\],:!=<>+\-*/%&|^]/y
const SPACE = /\s+/y
const NUMBER = /^(?:0x[0-9a-f]+|[0-9]+)$/i
/** Outside of brackets; a hyphen is looked at one by one. */
const WORD = /[\p{L}\p{N}_.:]+/uy
const WORD_IN_BRACKETS = /[\p{L}\p{N}_.]+/uy

/** All tokens of an expression; the last one is `end`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let depth = 0
  let at = 0
  while (at < text.length) {
    const space = matchAt(SPACE, text, at)
    if (space > 0) {
      at += space
      continue
    }
    const word = wordLength(text, at, depth > 0)
    const symbol = word > 0 ? 0 : matchAt(SYMBOL, text, at)
    const end = at + (word || symbol || 1)
    const shown = text.slice(at, end)
    if (shown === '[') depth++
    else if (shown === ']') depth = Math.max(0, depth - 1)
    const isNumber = word > 0 && NUMBER.test(shown)
    const kind = isNumber ? 'number' : word > 0 ? 'word' : symbol > 0 ? 'symbol' : 'bad'
    tokens.push({ kind, text: shown.toLowerCase(), value: isNumber ? Number(shown) : 0, start: at, end })
    at = end
  }
  tokens.push({ kind: 'end', text: '', value: 0, start: text.length, end: text.length })
  return tokens
}

function matchAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0].length ?? 0
}

function wordLength(text: string, at: number, inBrackets: boolean): number {
  if (inBrackets) return matchAt(WORD_IN_BRACKETS, text, at)
  let end = at + matchAt(WORD, text, at)
  const first = text.slice(at, end)
  if (NUMBER.test(first) || first.toLowerCase() === 'length') return end - at
  while (end > at && text[end] === '-') {
    const more = matchAt(WORD, text, end + 1)
    if (more === 0) break
    end += 1 + more
  }
  return end - at
}
