/**
 * The command line of ipadm(8), checked. Pure.
 *
 * @module
 */
import { isPossible, rangeText, type Tunable, tunableOf, tunablesOf } from '../../../agent/model/tunables.ts'
import type { ParsedOption } from '../support/getopt.ts'
import { FIELDS, type Field } from './table.ts'

export const optionTable = { short: 'cto:p:', long: { netns: 'value' } } as const

export const VERBS = ['show-prop', 'set-prop', 'reset-prop'] as const
export type Verb = (typeof VERBS)[number]

export interface Property {
  readonly tunable: Tunable
  /** Of `set-prop`. */
  readonly value?: number
}

export interface IpadmRequest {
  readonly verb: Verb
  readonly properties: readonly Property[]
  readonly fields: readonly Field[]
  readonly isParsable: boolean
  readonly isTemporary: boolean
  readonly netns?: string
}

type Interpretation = { readonly request: IpadmRequest } | { readonly usage: string }

export function isVerb(word: string): word is Verb {
  return (VERBS as readonly string[]).includes(word)
}

export function interpret(
  verb: Verb,
  options: readonly ParsedOption[],
  operands: readonly string[],
): Interpretation {
  const last = (wanted: string) => options.findLast(({ name }) => name === wanted)?.value
  const has = (wanted: string) => options.some(({ name }) => name === wanted)
  const isShow = verb === 'show-prop'
  const misplaced = [...(isShow ? ['t'] : ['c', 'o'])].find(has)
  if (misplaced !== undefined) return { usage: `${verb}: there is no option -${misplaced}` }
  const [protocol, ...more] = operands
  if (protocol === undefined && !isShow) return { usage: `${verb}: a protocol is missing: ip` }
  if (more.length > 0) return { usage: `${verb}: one protocol is enough` }
  if (protocol !== undefined && protocol !== 'ip') {
    return {
      usage: `${verb}: '${protocol}' has no property of IPsec; 'ip' has, and ndd(8) sets those of ipsecesp and ipsecah`,
    }
  }
  const fields = fieldsOf(last('o'))
  if ('usage' in fields) return fields
  if (has('c') && !has('o')) return { usage: `${verb}: -c needs -o` }
  const words = options.flatMap(({ name, value = '' }) => (name === 'p' ? value.split(',') : []))
  if (words.length === 0 && !isShow) return { usage: `${verb}: -p is missing` }
  const properties = propertiesOf(verb, words)
  if ('usage' in properties) return properties
  const netns = last('netns')
  return {
    request: {
      verb,
      ...properties,
      ...fields,
      isParsable: has('c'),
      isTemporary: has('t'),
      ...(netns !== undefined && { netns }),
    },
  }
}

function fieldsOf(text: string | undefined): { fields: readonly Field[] } | { usage: string } {
  if (text === undefined || text === 'all') return { fields: FIELDS }
  const fields: Field[] = []
  for (const word of text.split(',')) {
    const field = FIELDS.find((one) => one === word.toUpperCase())
    if (!field)
      return {
        usage: `show-prop: there is no field '${word}'; there are: ${FIELDS.join(', ').toLowerCase()}`,
      }
    fields.push(field)
  }
  return { fields }
}

function propertiesOf(
  verb: Verb,
  words: readonly string[],
): { properties: readonly Property[] } | { usage: string } {
  if (words.length === 0) return { properties: tunablesOf('ip').map((tunable) => ({ tunable })) }
  const properties: Property[] = []
  for (const word of words) {
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    const tunable = name.startsWith('_') ? tunableOf(name.slice(1)) : undefined
    if (tunable?.module !== 'ip') {
      const names = tunablesOf('ip').map((one) => `_${one.name}`)
      return { usage: `${verb}: unknown property '${name}'; there are: ${names.join(', ')}` }
    }
    if (verb !== 'set-prop') {
      if (equals >= 0) return { usage: `${verb}: '${name}' takes no value here` }
      properties.push({ tunable })
      continue
    }
    const text = equals < 0 ? '' : word.slice(equals + 1)
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!isPossible(tunable, value)) {
      return { usage: `${verb}: invalid value '${text}' for '${name}'; possible: ${rangeText(tunable)}` }
    }
    properties.push({ tunable, value })
  }
  return { properties }
}
