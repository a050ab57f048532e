/**
 * The command line of `solipsec monitor`.
 *
 * @module
 */
import type { ParsedOption } from '../../support/getopt.ts'

export const optionTable = { short: '', long: { json: 'flag', netns: 'value', passive: 'flag' } } as const

export interface Request {
  readonly json: boolean
  /** Requests for SAs are left out, and so not caused. */
  readonly isPassive: boolean
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
  return { request: { json: has('json'), isPassive: has('passive'), ...(netns !== undefined && { netns }) } }
}
