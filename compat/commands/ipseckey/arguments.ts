/**
 * The command line of ipseckey(8), checked.
 *
 * @module
 */
import type { DataPathChoice } from '../../../agent/datapath/data-path.ts'
import { DATA_PATH_USAGE, readDataPath } from '../support/data-path-option.ts'
import type { ParsedOption } from '../support/getopt.ts'

export const optionTable = {
  short: 'pnvf:s:c:',
  long: { all: 'flag', json: 'flag', netns: 'value', datapath: 'value' },
} as const

/** Where commands come from. */
export type Source =
  | { readonly kind: 'file' | 'check'; readonly file: string }
  | { readonly kind: 'operands'; readonly words: readonly string[] }
  | { readonly kind: 'interactive' }

export interface Request {
  readonly source: Source
  /** `-n`: no name look-ups, for input and for output. */
  readonly numeric: boolean
  /** `-p`: keys are printed as `XX`. */
  readonly paranoid: boolean
  readonly verbose: boolean
  /** SAs of other programs are touched as well. */
  readonly foreignToo: boolean
  readonly json: boolean
  readonly dataPath: DataPathChoice
  readonly netns?: string
}

export type Interpretation = { readonly request: Request } | { readonly usage: string }

export function interpret(options: readonly ParsedOption[], operands: readonly string[]): Interpretation {
  const words = new Map<string, string>()
  for (const { name, value = '' } of options) {
    if (words.has(name) && 'fcs'.includes(name)) return { usage: `-${name} given twice` }
    words.set(name, value)
  }
  const dataPath = readDataPath(words.get('datapath'))
  if (!dataPath) return { usage: DATA_PATH_USAGE }
  const source = sourceOf(words, operands)
  if ('usage' in source) return source
  const netns = words.get('netns')
  return {
    request: {
      source,
      numeric: words.has('n'),
      paranoid: words.has('p'),
      verbose: words.has('v'),
      foreignToo: words.has('all'),
      json: words.has('json'),
      dataPath,
      ...(netns !== undefined && { netns }),
    },
  }
}

function sourceOf(
  words: ReadonlyMap<string, string>,
  operands: readonly string[],
): Source | { usage: string } {
  const given = ['f', 'c', 's'].filter((letter) => words.has(letter))
  if (given.length > 1) return { usage: `-${given.join(' and -')} cannot go together` }
  const [letter] = given
  if (letter !== undefined && operands.length > 0) return { usage: `no command may follow -${letter} FILE` }
  const file = words.get(letter ?? '') ?? ''
  if (letter === 's') return { kind: 'operands', words: ['save', 'all', file] }
  if (letter !== undefined) return { kind: letter === 'f' ? 'file' : 'check', file }
  return operands.length > 0 ? { kind: 'operands', words: operands } : { kind: 'interactive' }
}
