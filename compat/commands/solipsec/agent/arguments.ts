/**
 * The command line of `solipsec agent`.
 *
 * @module
 */
import type { DriftChoice } from '../../../../agent/daemon/drift.ts'
import type { DataPathChoice } from '../../../../agent/datapath/data-path.ts'
import { readMarkMask } from '../../ipsecconf/arguments.ts'
import { DATA_PATH_USAGE, readDataPath } from '../../support/data-path-option.ts'
import type { ParsedOption } from '../../support/getopt.ts'

export const optionTable = {
  short: '',
  long: {
    config: 'value',
    datapath: 'value',
    drift: 'value',
    log: 'value',
    'mark-mask': 'value',
    netns: 'value',
  },
} as const

export interface Request {
  /** Absent: the usual place, where there is a file. */
  readonly config?: string
  readonly dataPath?: DataPathChoice
  /** Goes before what the document says. */
  readonly drift?: DriftChoice
  readonly log: 'text' | 'json'
  readonly markMask?: number
  readonly netns?: string
}

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  if (operands.length > 0) return { usage: `one word too many: ${operands.join(' ')}` }
  const last = (wanted: string) => options.findLast(({ name }) => name === wanted)?.value
  const [config, pathWord, drift, log = 'text', netns] = ['config', 'datapath', 'drift', 'log', 'netns'].map(
    last,
  )
  const dataPath = readDataPath(pathWord)
  if (!dataPath) return { usage: DATA_PATH_USAGE }
  if (drift !== undefined && drift !== 'enforce' && drift !== 'report') {
    return { usage: `--drift is enforce or report, not '${drift}'` }
  }
  if (log !== 'text' && log !== 'json') return { usage: `--log is text or json, not '${log}'` }
  const markMask = readMarkMask(last('mark-mask'))
  if (markMask === null) {
    return { usage: `Invalid mark mask: expected a number such as 0xff000000, or 'none'.` }
  }
  return {
    request: {
      log,
      ...(config !== undefined && { config }),
      ...(pathWord !== undefined && { dataPath }),
      ...(drift !== undefined && { drift }),
      ...(netns !== undefined && { netns }),
      ...(markMask !== undefined && { markMask }),
    },
  }
}
