/**
 * The command line of `solipsec doctor`.
 *
 * @module
 */
import type { ParsedOption } from '../../support/getopt.ts'

export const optionTable = { short: 'v', long: { json: 'flag', netns: 'value' } } as const

export interface Request {
  readonly json: boolean
  /** Tell in detail also what is fine. */
  readonly isVerbose: boolean
  readonly netns?: string
}

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  const [operand] = operands
  if (operand !== undefined) return { usage: `what is '${operand}'? There are no operands` }
  const has = (wanted: string): boolean => options.some(({ name }) => name === wanted)
  const netns = options.findLast(({ name }) => name === 'netns')?.value
  return { request: { json: has('json'), isVerbose: has('v'), ...(netns !== undefined && { netns }) } }
}
