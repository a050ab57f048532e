/**
 * The command line of `solipsec verify`, checked.
 *
 * @module
 */
import type { DataPathChoice } from '../../../../agent/datapath/data-path.ts'
import { DATA_PATH_USAGE, readDataPath } from '../../support/data-path-option.ts'
import type { ParsedOption } from '../../support/getopt.ts'

export const optionTable = {
  short: 't:i:',
  long: { continuous: 'flag', cpu: 'value', json: 'flag', netns: 'value', datapath: 'value' },
} as const

export interface Request {
  /** How long; `Infinity`: until interrupted. */
  readonly seconds: number
  /** Names of interfaces; none: all that lead to the wire. */
  readonly devices: readonly string[]
  readonly isContinuous: boolean
  /** Share of one processor; `undefined`: as much as it takes. */
  readonly percent?: number
  readonly json: boolean
  readonly dataPath: DataPathChoice
  readonly netns?: string
}

export type Interpretation = { readonly request: Request } | { readonly usage: string }

const SECONDS = 5
const PERCENT = 5
/** Timers of Node take no more than 2^31 milliseconds. */
const MOST_SECONDS = 2_000_000

class Misuse extends Error {}

export function interpret(options: readonly ParsedOption[], operands: readonly string[]): Interpretation {
  const words = new Map<string, string>()
  const devices: string[] = []
  for (const { name, value = '' } of options) {
    if (name === 'i') devices.push(value)
    else if (words.has(name)) {
      return { usage: `${name.length === 1 ? '-' : '--'}${name} given twice` }
    } else words.set(name, value)
  }
  const [operand] = operands
  if (operand !== undefined) return { usage: `what is '${operand}'? There are no operands` }
  try {
    return { request: requestOf(words, devices) }
  } catch (error) {
    if (error instanceof Misuse) return { usage: error.message }
    throw error
  }
}

function requestOf(words: ReadonlyMap<string, string>, devices: readonly string[]): Request {
  const isContinuous = words.has('continuous')
  if (words.has('cpu') && !isContinuous) throw new Misuse('--cpu needs --continuous')
  const dataPath = readDataPath(words.get('datapath'))
  if (!dataPath) throw new Misuse(DATA_PATH_USAGE)
  const time = words.get('t')
  const netns = words.get('netns')
  const otherwise = isContinuous ? Number.POSITIVE_INFINITY : SECONDS
  return {
    seconds: time === undefined ? otherwise : numberOf(time, '-t', 'seconds', MOST_SECONDS),
    devices: [...new Set(devices)],
    isContinuous,
    ...(isContinuous && { percent: numberOf(words.get('cpu') ?? String(PERCENT), '--cpu', 'percent', 100) }),
    json: words.has('json'),
    dataPath,
    ...(netns !== undefined && { netns }),
  }
}

/** Fractions are welcome: half a percent, a second and a half. */
function numberOf(text: string, option: string, unit: string, most: number): number {
  const value = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN
  if (!(value > 0 && value <= most)) {
    throw new Misuse(`${option} wants a number of ${unit} up to ${most}, not '${text}'`)
  }
  return value
}
