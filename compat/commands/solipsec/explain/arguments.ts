/**
 * The command line of `solipsec explain`.
 *
 * @module
 */
import type { DataPathChoice } from '../../../../agent/datapath/data-path.ts'
import { type FileKind, fileKind } from '../../../configuration/kind.ts'
import { DATA_PATH_USAGE, readDataPath } from '../../support/data-path-option.ts'
import type { ParsedOption } from '../../support/getopt.ts'
import { kindUsage, misplacedOption } from '../check/arguments.ts'

export const optionTable = {
  short: 'v',
  long: {
    in: 'flag',
    out: 'flag',
    forwarded: 'flag',
    interface: 'value',
    file: 'value',
    kind: 'value',
    json: 'flag',
    netns: 'value',
    datapath: 'value',
  },
} as const

export interface Request {
  /** Addresses or names, and what stands behind them: unread. */
  readonly source: string
  readonly destination: string
  readonly upper: readonly string[]
  /** Absent: the addresses tell. */
  readonly way?: 'in' | 'out'
  readonly isForwarded: boolean
  readonly interface?: string
  /** Of a configuration that is not loaded; none: what is loaded is asked. */
  readonly files: readonly string[]
  readonly kind?: FileKind
  readonly json: boolean
  readonly isVerbose: boolean
  readonly netns?: string
  readonly dataPath: DataPathChoice
  /** `dataPath` stood on the command line. */
  readonly hasDataPath: boolean
}

/** Protocol and two ports. */
const MOST_UPPER = 3

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  const usage = misplacedOption(operands.filter((word) => word !== '-'))
  if (usage !== undefined) return { usage }
  const [source, destination, ...upper] = operands
  if (source === undefined || destination === undefined) return { usage: 'two addresses are needed: SRC DST' }
  if (upper.length > MOST_UPPER) return { usage: `too many words: ${upper.slice(MOST_UPPER).join(' ')}` }
  const last = (wanted: string) => options.findLast(({ name }) => name === wanted)?.value
  const has = (wanted: string): boolean => options.some(({ name }) => name === wanted)
  if (has('in') && has('out')) return { usage: 'a packet goes in or out: --in or --out' }
  const [kindWord, pathWord, netns] = [last('kind'), last('datapath'), last('netns')]
  const files = options.flatMap(({ name, value }) => (name === 'file' && value !== undefined ? [value] : []))
  const kind = kindWord === undefined ? undefined : fileKind(kindWord)
  if (kindWord !== undefined && !kind) return { usage: kindUsage('kind') }
  if (kind && files.length === 0) return { usage: '--kind is about a file: --file FILE' }
  const dataPath = readDataPath(pathWord)
  if (!dataPath) return { usage: DATA_PATH_USAGE }
  const device = last('interface')
  return {
    request: {
      source,
      destination,
      upper,
      ...((has('in') || has('out')) && { way: has('in') ? 'in' : 'out' }),
      isForwarded: has('forwarded'),
      ...(device !== undefined && { interface: device }),
      files,
      ...(kind && { kind }),
      json: has('json'),
      isVerbose: has('v'),
      ...(netns !== undefined && { netns }),
      dataPath,
      hasDataPath: pathWord !== undefined,
    },
  }
}
