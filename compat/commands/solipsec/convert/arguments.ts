/**
 * The command line of `solipsec convert`.
 *
 * @module
 */
import { type FileKind, fileKind } from '../../../configuration/kind.ts'
import type { ParsedOption } from '../../support/getopt.ts'
import { kindUsage, misplacedOption } from '../check/arguments.ts'

export const optionTable = {
  short: 'o:',
  long: { to: 'value', kind: 'value', partial: 'flag' },
} as const

export interface Request {
  readonly files: readonly string[]
  /** Absent: JSON from files of Solaris. */
  readonly to?: FileKind
  readonly kind?: FileKind
  /** Absent: standard output. */
  readonly output?: string
  readonly isPartial: boolean
  readonly netns?: string
}

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  const usage = misplacedOption(operands) ?? (operands.length === 0 ? 'a file is missing' : undefined)
  if (usage !== undefined) return { usage }
  const last = (wanted: string): string | undefined => options.findLast(({ name }) => name === wanted)?.value
  const [to, kind] = [kindFrom(last('to')), kindFrom(last('kind'))]
  if (to === 'unknown') return { usage: kindUsage('to') }
  if (kind === 'unknown') return { usage: kindUsage('kind') }
  const output = last('o')
  const isPartial = options.some(({ name }) => name === 'partial')
  const given = { ...(to && { to }), ...(kind && { kind }), ...(output !== undefined && { output }) }
  return { request: { files: operands, isPartial, ...given } }
}

function kindFrom(word: string | undefined): FileKind | 'unknown' | undefined {
  return word === undefined ? undefined : (fileKind(word) ?? 'unknown')
}
