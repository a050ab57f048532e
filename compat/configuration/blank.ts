/**
 * Keeps keys out of what people see of a JSON document, whether it is good JSON or not.
 *
 * @module
 */
import { looksLikeKey } from '../solaris/ipseckey/redact.ts'

const STRING = /"(?:[^"\\\n]|\\.)*"?/g
const COLON = /\s*:/y
/** Hex digits in groups: a key that somebody made readable. */
const GROUPS = /\b[0-9a-f]{2,}\b(?:[\s-]+[0-9a-f]{2,}\b){2,}/gi
/** Outside of text, where a quote may have been forgotten. A number of JSON has at most 20 digits. */
const BARE = /(?=[0-9a-f]*[a-f])[0-9a-f]{8,}|[0-9]{21,}/gi

/**
 * The text with everything that is or may be a key replaced by `x`, at its length, so that places still fit: whatever
 * is the value of a member whose name sounds like a key, and whatever looks like one wherever it stands.
 */
export function blankKeys(text: string): string {
  let shown = ''
  let end = 0
  let afterKey = false
  for (const match of text.matchAll(STRING)) {
    const between = text.slice(end, match.index)
    const isValue: boolean = afterKey && /^\s*:?\s*[[,]?\s*$/.test(between)
    shown += blankBare(between, afterKey)
    end = match.index + match[0].length
    COLON.lastIndex = end
    const isName = COLON.test(text)
    shown += isValue && !isName ? blankAll(match[0]) : blankWords(match[0])
    // In a list of strings, each of them follows the name of the key.
    afterKey = isName ? /key/i.test(match[0]) : isValue
  }
  return shown + blankBare(text.slice(end), afterKey)
}

function blankAll(text: string): string {
  return text.replace(/[^"\n]/g, 'x')
}

function blankWords(text: string): string {
  const grouped = text.replace(GROUPS, (group) => 'x'.repeat(group.length))
  return grouped.replace(/[^\s"]+/g, (word) => (looksLikeKey(word) ? 'x'.repeat(word.length) : word))
}

function blankBare(text: string, afterKey: boolean): string {
  const blanked = text.replace(BARE, (digits) => 'x'.repeat(digits.length))
  return afterKey ? blanked.replace(/[0-9a-z]/gi, 'x') : blanked
}
