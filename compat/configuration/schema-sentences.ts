/**
 * Errors of the schema as sentences. What would have been right comes from the schema itself.
 *
 * @module
 */
import { nearest } from '../nearest.ts'
import { looksLikeKey } from '../solaris/ipseckey/redact.ts'
import type { JsonNode } from './json/tree.ts'
import { resolved, type SchemaNode } from './schema-at.ts'
import type { SchemaError } from './validate.ts'

export interface Sentence {
  /** After the name of the value, as in `is missing`; a whole sentence where there is a member. */
  readonly message: string
  /** The member of the object that it is about; absent: the value as a whole. */
  readonly member?: string
  readonly expected?: string
  readonly hint?: string
}

const TYPES: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  string: 'text in double quotes',
  object: 'an object in braces',
  array: 'a list in brackets',
  boolean: '`true` or `false`',
}

/**
 * Says what an error is about.
 *
 * @param node the value that has it
 * @param parts what the schema says of that value
 */
export function describe(
  { keyword, params }: SchemaError,
  node: JsonNode,
  parts: readonly SchemaNode[],
): Sentence {
  const own = parts.find((part) => Object.hasOwn(part, keyword)) ?? {}
  const help = helpOf(parts)
  switch (keyword) {
    case 'additionalProperties':
      return unknownMember(String(params.additionalProperty), own)
    case 'required':
      return missingMember(String(params.missingProperty), parts)
    case 'not':
      return forbiddenMember(own, parts, node)
    case 'type':
      return { message: `is ${kindOf(node)}`, expected: list(typesOf(own)), ...help }
    case 'enum':
      return unknownWord(own.enum ?? [], node)
    case 'const':
      return unknownWord([own.const], node)
    case 'minimum':
    case 'maximum':
      return outOfRange(own)
    case 'minItems':
      return { message: 'is empty', ...help }
    case 'maxItems':
      return { message: `has more than ${own.maxItems} entries`, ...help }
    case 'minProperties':
    case 'maxProperties':
      return wrongCount(own)
    default:
      return { message: 'cannot be written like this', ...help }
  }
}

function unknownMember(member: string, own: SchemaNode): Sentence {
  const known = Object.keys(own.properties ?? {})
  if (looksLikeKey(member))
    return { message: 'There is no member of this name here', member, expected: list(known.map(quoted)) }
  const match = nearest(member, known) ?? known.find((name) => name.toLowerCase() === member.toLowerCase())
  return {
    message: `There is no member \`${member}\` here`,
    member,
    ...(match === undefined
      ? { expected: `one of ${known.join(', ')}` }
      : { hint: `Did you mean \`${match}\`?` }),
  }
}

function missingMember(member: string, parts: readonly SchemaNode[]): Sentence {
  const choices = parts.flatMap((part) => (part.required?.includes(member) ? [] : alternativesOf(part)))
  const known = parts.find(({ properties }) => properties?.[member])?.properties?.[member]
  const { description } = known ? resolved(known) : {}
  return {
    message: `has no ${[...choices, member].map(quoted).join(' and no ')}`,
    ...(description !== undefined && choices.length === 0 && { hint: `${quoted(member)}: ${description}` }),
  }
}

/** Members that would do in place of those that `else` asks for. */
function alternativesOf({ if: condition }: SchemaNode): readonly string[] {
  return condition?.maxProperties === undefined ? (condition?.required ?? []) : []
}

function forbiddenMember({ not }: SchemaNode, parts: readonly SchemaNode[], node: JsonNode): Sentence {
  const [first = ''] = parts.flatMap(alternativesOf)
  const member = not?.required?.find((name) => node.kind === 'object' && node.members.has(name)) ?? ''
  return {
    message: `${quoted(member)} cannot stand beside ${quoted(first)}`,
    member,
    hint: 'Take one of the two out.',
  }
}

function unknownWord(words: readonly unknown[], node: JsonNode): Sentence {
  const given = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
  const match = given === undefined ? undefined : nearest(given, words.map(String))
  return {
    message: 'is none of the words that can stand here',
    expected: list(words.map((word) => (typeof word === 'string' ? quoted(word) : String(word)))),
    ...(match !== undefined && { hint: `Did you mean ${quoted(match)}?` }),
  }
}

function outOfRange({ minimum, maximum }: SchemaNode): Sentence {
  const expected =
    maximum === undefined ? `a number from ${minimum} up` : `a number from ${minimum} to ${maximum}`
  return { message: 'is out of range', expected }
}

function wrongCount({ properties = {} }: SchemaNode): Sentence {
  return { message: 'is not what can stand here', expected: list(Object.keys(properties).map(quoted)) }
}

function helpOf(parts: readonly SchemaNode[]): { hint?: string } {
  const description = parts.find((part) => part.description !== undefined)?.description
  if (description === undefined) return {}
  const example = parts.find((part) => part.examples)?.examples?.[0]
  return { hint: example === undefined ? description : `${description} Example: ${JSON.stringify(example)}` }
}

function typesOf({ type }: SchemaNode): string[] {
  return [type ?? []].flat().map((name) => TYPES[name] ?? name)
}

function kindOf(node: JsonNode): string {
  if (node.kind !== 'scalar') return node.kind === 'array' ? 'a list' : 'an object'
  if (node.value === null) return '`null`'
  if (typeof node.value === 'boolean') return `\`${node.value}\``
  return typeof node.value === 'string' ? 'text' : 'a number'
}

function quoted(word: string): string {
  return `\`${word}\``
}

/** `a, b or c`. */
function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
