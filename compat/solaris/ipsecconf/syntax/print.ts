/**
 * Syntactic rules as text. Nothing is resolved: names stay names. Synonyms become the usual word.
 *
 * @module
 */
import { type Field, type Keyword, PATTERN_KEYWORDS, PROPERTY_KEYWORDS } from '../vocabulary.ts'
import type { Setting, SyntaxRule } from './parser.ts'

/** `{pattern} action {properties}`. @param or what stands between alternatives */
export function formatSyntax(
  { pattern, actions }: Pick<SyntaxRule, 'pattern' | 'actions'>,
  or = ' or ',
): string {
  const alternatives = actions.map(
    ({ word, properties }) => `${word.text} ${group(properties, PROPERTY_WORDS)}`,
  )
  return `${group(pattern, PATTERN_WORDS)} ${alternatives.join(or)}`
}

function group(settings: readonly Setting[], words: ReadonlyMap<string, string>): string {
  return `{${settings.map((setting) => `${words.get(keyOf(setting))} ${setting.value.text}`).join(' ')}}`
}

const PATTERN_WORDS = usualWords(PATTERN_KEYWORDS)
const PROPERTY_WORDS = usualWords(PROPERTY_KEYWORDS)

/** The first word for each meaning. */
function usualWords(keywords: ReadonlyMap<string, Keyword>): ReadonlyMap<string, string> {
  const words = new Map<string, string>()
  for (const [word, keyword] of keywords) if (!words.has(keyOf(keyword))) words.set(keyOf(keyword), word)
  return words
}

function keyOf({ field, style }: Pick<Keyword<Field>, 'field' | 'style'>): string {
  return `${field} ${style}`
}
