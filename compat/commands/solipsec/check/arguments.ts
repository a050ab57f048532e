/**
 * The command line of `solipsec check`.
 *
 * @module
 */
import { FILE_KINDS, type FileKind, fileKind } from '../../../configuration/kind.ts'
import type { ParsedOption } from '../../support/getopt.ts'

export const optionTable = { short: 'q', long: { kind: 'value', json: 'flag' } } as const

export interface Request {
  readonly files: readonly string[]
  /** Absent: told from the contents. */
  readonly kind?: FileKind
  readonly json: boolean
  readonly quiet: boolean
  readonly netns?: string
}

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  const usage = misplacedOption(operands) ?? (operands.length === 0 ? 'a file is missing' : undefined)
  if (usage !== undefined) return { usage }
  const word = options.findLast(({ name }) => name === 'kind')?.value
  const kind = word === undefined ? undefined : fileKind(word)
  if (word !== undefined && !kind) return { usage: kindUsage('kind') }
  const has = (wanted: string): boolean => options.some(({ name }) => name === wanted)
  return { request: { files: operands, json: has('json'), quiet: has('q'), ...(kind && { kind }) } }
}

/** `--kind wants json, ipsecinit.conf, …`. */
export function kindUsage(option: string): string {
  return `--${option} wants one of ${FILE_KINDS.join(', ')}`
}

/** Options behind the first file are taken for files. */
export function misplacedOption(operands: readonly string[]): string | undefined {
  const option = operands.find((word) => word.startsWith('-') && word !== '-')
  return option === undefined ? undefined : `options stand before the files: ${option}`
}
