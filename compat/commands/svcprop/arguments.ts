/**
 * The command line of svcprop(1), checked. Pure.
 *
 * @module
 */
import type { ParsedOption } from '../support/getopt.ts'

export const optionTable = { short: 'afqtvcCs:p:', long: {} } as const

export interface Request {
  readonly words: readonly string[]
  /** Properties, `group/name`, or whole groups; none = all. */
  readonly paths: readonly string[]
  readonly snapshot: 'running' | 'editing'
  readonly full: boolean
  readonly types: boolean
  readonly quiet: boolean
}

const PREFIX = /^(svc:\/+.*?)\/:properties\/(.+)$/

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  const given = new Set(options.map(({ name }) => name))
  const snapshots = options.flatMap(({ name, value = '' }) => (name === 's' ? [value] : []))
  const odd = snapshots.find((name) => name !== 'running')
  if (odd !== undefined) return { usage: `there is no snapshot '${odd}'; there is: running` }
  if (snapshots.length > 0 && (given.has('c') || given.has('C')))
    return { usage: '-s does not go with -c and -C' }
  if (given.has('q') && (given.has('t') || given.has('f'))) return { usage: '-q does not go with -f and -t' }
  if (operands.length === 0) return { usage: 'which service?' }
  const wanted = options.flatMap(({ name, value = '' }) => (name === 'p' ? [value] : []))
  const split = operands.map((word) => PREFIX.exec(word))
  return {
    request: {
      // An FMRI may name the property as well.
      words: operands.map((word, index) => split[index]?.[1] ?? word),
      paths: [...wanted, ...split.flatMap((match) => (match?.[2] ? [match[2]] : []))],
      snapshot: given.has('c') || given.has('C') ? 'editing' : 'running',
      full: given.has('f'),
      types: given.has('t'),
      quiet: given.has('q'),
    },
  }
}
