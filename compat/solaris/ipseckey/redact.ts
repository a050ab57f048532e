/**
 * Keeps keys out of what people see: which words of an entry are, or may be, key material, and the entry's text
 * with those words blanked.
 *
 * Deliberately suspicious. The value of an extension whose name has `key` in it is secret whatever it looks like,
 * and so is every word that looks like a key wherever it stands, because people mistype the words around it.
 *
 * @module
 */
import { parseAddress } from '../../../agent/model/address.ts'
import { type LexedEntry, lex, type Token } from './lexer.ts'

/** True where a word might be (part of) a key: a long run of hex digits, or mostly hex digits. */
export function looksLikeKey(word: string): boolean {
  if (/[0-9a-f]{8}/i.test(word)) return true
  const digits = word.replace(/[^0-9a-f]/gi, '').length
  return digits >= 12 && digits >= word.length * 0.65 && !parseAddress(word.replace(/\/\d+$/, ''))
}

/** The words of an entry that must never be shown. */
export function secretTokens(tokens: readonly Token[]): ReadonlySet<Token> {
  const secrets = new Set<Token>()
  let inKey = false
  let afterKeyWord = false
  for (const token of tokens) {
    const stray: boolean = inKey && /^[0-9a-f]+(\/.*)?$/i.test(token.text)
    const secret: boolean = afterKeyWord || stray || looksLikeKey(token.text)
    if (secret) secrets.add(token)
    inKey = secret
    afterKeyWord = /key/i.test(token.text)
  }
  return secrets
}

/**
 * The physical lines of an entry with every secret word replaced by `x` of the same length, so that columns still
 * fit. A comment is not part of any command and may hold anything, so an entry of no words gives nothing.
 */
export function redactedLines(text: string, entry: Pick<LexedEntry, 'tokens' | 'start' | 'end'>): string {
  if (entry.tokens.length === 0) return ''
  let shown = ''
  let from = entry.start
  for (const token of secretTokens(entry.tokens)) {
    shown += text.slice(from, token.start)
    shown += text.slice(token.start, token.end).replace(/\\\n|./gs, (part) => (part.length > 1 ? part : 'x'))
    from = token.end
  }
  return shown + text.slice(from, entry.end)
}

/** The same for the lines of one entry alone. */
export function redactEntry(lines: string): string {
  const [entry] = lex(lines)
  return entry ? redactedLines(lines, entry) : ''
}

/** True where a line has a word that is, or may be, a key or a part of one. */
export function holdsSecret(line: string): boolean {
  return [...lex(line)].some(({ tokens }) => secretTokens(tokens).size > 0)
}
