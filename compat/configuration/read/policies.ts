/**
 * Rules of a JSON document as the syntax that the checks of `ipsecinit.conf` know: whatever holds for a rule of Solaris
 * holds for one of JSON.
 *
 * @module
 */
import type { Setting, SyntaxAction, SyntaxRule } from '../../solaris/ipsecconf/syntax/parser.ts'
import { formatSyntax } from '../../solaris/ipsecconf/syntax/print.ts'
import type { Field, PropertyField } from '../../solaris/ipsecconf/vocabulary.ts'
import type { JsonDocument } from '../document.ts'
import type { JsonArray, JsonMember, JsonNode, JsonObject } from '../json/tree.ts'
import type { Flaws } from '../validate.ts'
import { PATTERN_MEMBERS, type PolicyMember, PROPERTY_MEMBERS } from '../vocabulary.ts'

/** The rules of a list, one by one; those that the schema refuses, and mere comments, are left out. */
export function* policySyntax(
  document: JsonDocument,
  items: JsonArray,
  pointer: string,
  flaws: Flaws,
): Generator<SyntaxRule> {
  for (const [index, item] of items.items.entries()) {
    if (item.kind !== 'object' || flaws.within(`${pointer}/${index}`)) continue
    if (item.members.has('protect') || item.members.has('action')) yield withDirection(document, item)
  }
}

/** One rule. The schema must have accepted it. */
export function ruleSyntax(document: JsonDocument, node: JsonObject): SyntaxRule {
  const pattern = settingsOf(document, node, PATTERN)
  const actions = actionsOf(document, node)
  const open = document.token({ start: node.start, end: node.start + 1 }, '{')
  const text = formatSyntax({ pattern, actions })
  const firstLine = document.lines({ start: node.start, end: node.start })
  return {
    open,
    pattern,
    actions,
    broken: false,
    text,
    actionText: formatSyntax({ pattern: [], actions }),
    span: { line: open.line, column: open.column, length: Math.min(node.end, firstLine.end) - node.start },
    end: node.end,
  }
}

/**
 * A document means both directions where it names none. On Solaris, a rule that lets pass or refuses does nothing then, and
 * the checks warn of that; the old style has to say which.
 */
function withDirection(document: JsonDocument, node: JsonObject): SyntaxRule {
  const rule = ruleSyntax(document, node)
  const isSaid = rule.pattern.some(({ field, style }) => field === 'direction' || style === 'old')
  if (isSaid || rule.actions.some(({ word }) => word.text === 'ipsec')) return rule
  const word = document.token(node, 'both')
  const both = { field: 'direction', style: undefined, keyword: word, value: word } as const
  return { ...rule, pattern: [...rule.pattern, both] }
}

type Members<F extends Field> = ReadonlyMap<string, PolicyMember<F>>

const byPath = <F extends Field>(members: readonly PolicyMember<F>[]): Members<F> =>
  new Map(members.map((member) => [member.path.join('.'), member]))

const PATTERN = byPath(PATTERN_MEMBERS)
const PROPERTIES = byPath(PROPERTY_MEMBERS)

function settingsOf<F extends Field>(
  document: JsonDocument,
  node: JsonObject,
  members: Members<F>,
  prefix = '',
): Setting<F>[] {
  const settings: Setting<F>[] = []
  for (const [name, { name: place, value }] of node.members) {
    const known = members.get(prefix + name)
    if (known && value.kind === 'scalar') {
      settings.push({
        field: known.field,
        style: known.style,
        keyword: document.token(place),
        value: document.token(value, document.word(value)),
      })
    } else if (value.kind === 'object' && name !== 'protect') {
      settings.push(...settingsOf(document, value, members, `${prefix}${name}.`))
    }
  }
  return settings
}

function actionsOf(document: JsonDocument, node: JsonObject): SyntaxAction[] {
  const action = node.members.get('action')
  if (action) return [wordAction(document, action.value)]
  const protect = node.members.get('protect')
  if (!protect) return []
  const { value } = protect
  if (value.kind === 'array')
    return value.items.map((item) => alternative(document, { name: item, value: item }))
  return [alternative(document, protect)]
}

function alternative(document: JsonDocument, { name, value }: JsonMember): SyntaxAction {
  if (value.kind !== 'object') return wordAction(document, value)
  const place = name === value ? { start: value.start, end: value.start + 1 } : name
  const properties: Setting<PropertyField>[] = settingsOf(document, value, PROPERTIES)
  return { word: document.token(place, 'ipsec'), properties }
}

function wordAction(document: JsonDocument, value: JsonNode): SyntaxAction {
  const text = value.kind === 'scalar' ? document.word(value) : ''
  return { word: document.token(value, text), properties: [] }
}
