/**
 * The command lines of `solipsec plan`, `solipsec apply` and `solipsec diff`.
 *
 * @module
 */
import { fileKind } from '../../../configuration/kind.ts'
import { readMarkMask } from '../../ipsecconf/arguments.ts'
import { DATA_PATH_USAGE, readDataPath } from '../../support/data-path-option.ts'
import type { ParsedOption } from '../../support/getopt.ts'
import { kindUsage, misplacedOption } from '../check/arguments.ts'
import type { ConfigurationRequest } from './configuration.ts'

const LONG = { json: 'flag', kind: 'value', netns: 'value', datapath: 'value' } as const

export const planOptions = { short: 'v', long: { ...LONG, 'mark-mask': 'value' } } as const
export const applyOptions = {
  short: 'qv',
  long: { ...LONG, 'mark-mask': 'value', 'dry-run': 'flag' },
} as const
export const diffOptions = { short: 'q', long: LONG } as const

export interface Request extends ConfigurationRequest {
  readonly json: boolean
  readonly verbose: boolean
  readonly quiet: boolean
  readonly dryRun: boolean
  readonly netns?: string
  /** Mark bits for protection classes; 0 = none may be used. */
  readonly markMask?: number
}

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  const usage = misplacedOption(operands)
  if (usage !== undefined) return { usage }
  const [file, ...more] = operands
  if (file === undefined) return { usage: 'a file is missing' }
  if (more.length > 0) return { usage: `one file is enough: ${more.join(' ')}` }
  const last = (wanted: string) => options.findLast(({ name }) => name === wanted)?.value
  const has = (wanted: string): boolean => options.some(({ name }) => name === wanted)
  const [kindWord, pathWord, netns] = [last('kind'), last('datapath'), last('netns')]
  const kind = kindWord === undefined ? undefined : fileKind(kindWord)
  if (kindWord !== undefined && !kind) return { usage: kindUsage('kind') }
  const dataPath = readDataPath(pathWord)
  if (!dataPath) return { usage: DATA_PATH_USAGE }
  const markMask = readMarkMask(last('mark-mask'))
  if (markMask === null) {
    return { usage: `Invalid mark mask: expected a number such as 0xff000000, or 'none'.` }
  }
  return {
    request: {
      file,
      json: has('json'),
      verbose: has('v'),
      quiet: has('q'),
      dryRun: has('dry-run'),
      ...(kind && { kind }),
      ...(pathWord !== undefined && { dataPath }),
      ...(netns !== undefined && { netns }),
      ...(markMask !== undefined && { markMask }),
    },
  }
}
