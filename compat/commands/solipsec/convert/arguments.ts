/**
 * The command line of `solipsec convert`.
 *
 * @module
 */
import { FILE_KINDS, type FileKind, fileKind } from '../../../configuration/kind.ts'
import { FOREIGN_KINDS, type ForeignKind, foreignKind } from '../../../foreign/kinds.ts'
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
  /** Instead of `to`: the language of another tool. */
  readonly foreign?: ForeignKind
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
  const [toWord, kindWord] = [last('to'), last('kind')]
  const to = toWord === undefined ? undefined : fileKind(toWord)
  const foreign = toWord === undefined ? undefined : foreignKind(toWord)
  const kind = kindWord === undefined ? undefined : fileKind(kindWord)
  if (toWord !== undefined && !to && !foreign) {
    return { usage: `--to wants one of ${[...FILE_KINDS, ...FOREIGN_KINDS].join(', ')}` }
  }
  if (kindWord !== undefined && !kind) return { usage: kindUsage('kind') }
  const output = last('o')
  const isPartial = options.some(({ name }) => name === 'partial')
  const given = {
    ...(to && { to }),
    ...(foreign && { foreign }),
    ...(kind && { kind }),
    ...(output !== undefined && { output }),
  }
  return { request: { files: operands, isPartial, ...given } }
}
