/**
 * The command line of svcs(1), checked. Pure.
 *
 * @module
 */
import type { ParsedOption } from '../support/getopt.ts'
import { COLUMNS } from './columns.ts'

export const optionTable = { short: 'aHpvldDxLo:s:S:', long: { json: 'flag' } } as const

export interface SortKey {
  readonly column: string
  readonly isDescending: boolean
}

export interface Request {
  readonly kind: 'list' | 'long' | 'explain' | 'log' | 'dependencies' | 'dependents'
  readonly words: readonly string[]
  readonly all: boolean
  readonly header: boolean
  readonly processes: boolean
  readonly verbose: boolean
  readonly json: boolean
  readonly columns: readonly string[]
  readonly sort: readonly SortKey[]
}

const KINDS = { l: 'long', x: 'explain', L: 'log', d: 'dependencies', D: 'dependents' } as const
const DEFAULT_COLUMNS = ['state', 'stime', 'fmri']
const VERBOSE_COLUMNS = ['state', 'nstate', 'stime', 'ctid', 'fmri']

export function interpret(
  options: readonly ParsedOption[],
  words: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  const given = new Set(options.map(({ name }) => name))
  const kinds = Object.keys(KINDS).filter((name) => given.has(name)) as (keyof typeof KINDS)[]
  if (kinds.length > 1) return { usage: `-${kinds.join(' and -')} do not go together` }
  const [kind] = kinds
  const stray = [...'aHosS'].find((name) => kind && 'lxL'.includes(kind) && given.has(name))
  if (stray) return { usage: `-${stray} does not go with -${kind}` }
  if (kind !== undefined && kind !== 'x' && words.length === 0) return { usage: `-${kind} needs a service` }
  if (given.has('json') && (kind === 'L' || given.has('o')))
    return { usage: '--json does not go with -L and -o' }
  const chosen = listed(options, ['o'])
  const sorted = options.filter(({ name }) => name === 's' || name === 'S')
  const unknown = [...chosen, ...sorted.map(({ value = '' }) => value)].find((name) => !isColumn(name))
  if (unknown !== undefined)
    return { usage: `Unknown column '${unknown}'. There are: ${Object.keys(COLUMNS).join(', ')}` }
  return {
    request: {
      kind: kind ? KINDS[kind] : 'list',
      words,
      all: given.has('a'),
      header: !given.has('H'),
      processes: given.has('p'),
      verbose: given.has('v'),
      json: given.has('json'),
      columns: chosen.length > 0 ? chosen.map(lower) : given.has('v') ? VERBOSE_COLUMNS : DEFAULT_COLUMNS,
      sort: sorted.map(({ name, value = '' }) => ({ column: lower(value), isDescending: name === 'S' })),
    },
  }
}

const lower = (text: string): string => text.toLowerCase()
const isColumn = (name: string): boolean => Object.hasOwn(COLUMNS, lower(name))

function listed(options: readonly ParsedOption[], names: readonly string[]): string[] {
  return options.filter(({ name }) => names.includes(name)).flatMap(({ value = '' }) => value.split(','))
}
