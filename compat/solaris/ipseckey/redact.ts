/**
 * Keeps keys out of what people see: which words of an entry are, or may be, key material, and the entry's text
 * with those words blanked.
 *
 * Deliberately suspicious. The value of an extension whose name looks like that of a key is secret whatever it looks
 * like, and so is every word that looks like a key wherever it stands, and hex digits in groups, because people
 * mistype the words around a key, leave them out, or go on in the next line.
 *
 * @module
 */
import { parseAddress } from '../../../agent/model/address.ts'
import { nearest } from '../../nearest.ts'
import { EXTENSION_NAMES } from './extension-names.ts'
import { type LexedEntry, lex, type Token } from './lexer.ts'
import { COMMANDS, SA_TYPE_WORDS } from './words.ts'

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
  for (const [index, token] of tokens.entries()) {
    const stray: boolean = inKey && /^[0-9a-f]+(\/.*)?$/i.test(token.text)
    const secret: boolean = afterKeyWord || stray || looksLikeKey(token.text) || isInGroups(tokens, index)
    if (secret) secrets.add(token)
    inKey = secret
    afterKeyWord = soundsLikeKey(token.text) && !EXTENSION_NAMES.has(tokens[index + 1]?.text ?? '')
  }
  return secrets
}

/** True for the names of key extensions, and for what may be meant as one. */
function soundsLikeKey(word: string): boolean {
  if (/key/i.test(word)) return true
  if (EXTENSION_NAMES.has(word)) return false
  return /^(auth|encr)/i.test(word) || nearest(word, ['authkey', 'encrkey']) !== undefined
}

/** True for hex digits beside hex digits, and where a command should stand: a key that goes on from the line before. */
function isInGroups(tokens: readonly Token[], index: number): boolean {
  if (!isGroup(tokens, index)) return false
  return index === 0 || isGroup(tokens, index - 1) || isGroup(tokens, index + 1)
}

function isGroup(tokens: readonly Token[], index: number): boolean {
  if (index === 0 && isCommand(tokens)) return false
  return /^(0x)?[0-9a-f]{2,}(\/.*)?$/i.test(tokens[index]?.text ?? '')
}

/** The command `add` is hex digits too, and so is `ad` before `esp`. */
function isCommand([first, second]: readonly Token[]): boolean {
  return COMMANDS.has(first?.text ?? '') || SA_TYPE_WORDS.some((type) => type === second?.text.toLowerCase())
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
