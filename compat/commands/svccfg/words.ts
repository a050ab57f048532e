/**
 * A line of svccfg(8), taken apart: words, quoted strings, and the signs `= : ( )`. Pure.
 *
 * @module
 */

export interface Token {
  readonly text: string
  /** A sign that separates, or a word; what was quoted is always a word. */
  readonly kind: 'word' | 'sign'
  readonly isQuoted: boolean
  /** No blank stands before it. */
  readonly isAttached: boolean
}

const SIGNS = '=()'

/** @returns the tokens, or what is wrong with the line */
export function tokens(line: string): readonly Token[] | { readonly error: string } {
  const found: Token[] = []
  let at = 0
  let isAttached = false
  const push = (text: string, kind: Token['kind'], isQuoted: boolean) => {
    found.push({ text, kind, isQuoted, isAttached })
    isAttached = true
  }
  while (at < line.length) {
    const character = line.charAt(at)
    if (/\s/.test(character)) {
      isAttached = false
      at++
    } else if (character === '#' && !isAttached) break
    else if (SIGNS.includes(character)) {
      push(character, 'sign', false)
      at++
    } else if (character === '"') {
      const string = quoted(line, at + 1)
      if (!string) return { error: 'Syntax error: a quotation mark is missing.' }
      push(string.text, 'word', true)
      at = string.end
    } else {
      const end = wordEnd(line, at)
      push(line.slice(at, end).replace(/\\(.)/g, '$1'), 'word', false)
      at = end
    }
  }
  return found
}

function quoted(line: string, start: number): { readonly text: string; readonly end: number } | undefined {
  let text = ''
  for (let at = start; at < line.length; at++) {
    const character = line.charAt(at)
    if (character === '"') return { text, end: at + 1 }
    text += character === '\\' && at + 1 < line.length ? line.charAt(++at) : character
  }
  return undefined
}

function wordEnd(line: string, start: number): number {
  let at = start
  while (at < line.length && !/[\s"]/.test(line.charAt(at)) && !SIGNS.includes(line.charAt(at))) {
    at += line.charAt(at) === '\\' && at + 1 < line.length ? 2 : 1
  }
  return at
}
