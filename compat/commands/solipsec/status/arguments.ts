/**
 * The command line of `solipsec status`, checked.
 *
 * @module
 */
import { DEFAULT_SERIES_LIMIT } from '../../../../agent/status/metrics.ts'
import type { ParsedOption } from '../../support/getopt.ts'
import { type PictureOutput, pictureOutputs } from '../picture/arguments.ts'

export const optionTable = {
  short: 'an:',
  long: {
    html: 'value',
    json: 'flag',
    metrics: 'flag',
    netns: 'value',
    series: 'value',
    svg: 'value',
    watch: 'flag',
  },
} as const

export interface Request {
  readonly form: 'text' | 'json' | 'metrics'
  /** SAs of other programs as well. */
  readonly withForeign: boolean
  /** Rules, and SAs, that are listed at most. */
  readonly most: number
  readonly seriesLimit: number
  /** Seconds between reports; once where absent. */
  readonly watch?: number
  readonly netns?: string
  /** Pictures in place of a report. */
  readonly pictures: readonly PictureOutput[]
}

const SECONDS = 2
const LEAST_SECONDS = 0.1
/** Timers of Node take no more than 2^31 milliseconds. */
const MOST_SECONDS = 2_000_000

class Misuse extends Error {}

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  try {
    return { request: requestOf(options, operands) }
  } catch (error) {
    if (error instanceof Misuse) return { usage: error.message }
    throw error
  }
}

function requestOf(options: readonly ParsedOption[], operands: readonly string[]): Request {
  const has = (wanted: string): boolean => options.some(({ name }) => name === wanted)
  const valueFor = (wanted: string) => options.findLast(({ name }) => name === wanted)?.value
  if (has('json') && has('metrics')) throw new Misuse('--json and --metrics cannot both be')
  if (has('metrics') && has('watch'))
    throw new Misuse('--metrics is one report: whoever collects it asks again')
  if (valueFor('series') !== undefined && !has('metrics')) throw new Misuse('--series needs --metrics')
  const pictures = pictureOutputs(options)
  if (pictures.length > 0 && (has('json') || has('metrics') || has('watch') || operands.length > 0)) {
    throw new Misuse('--svg and --html draw a picture, and that is all')
  }
  const netns = valueFor('netns')
  const watch = watchOf(has('watch'), operands)
  return {
    form: has('json') ? 'json' : has('metrics') ? 'metrics' : 'text',
    withForeign: has('a'),
    most: countOf('-n', valueFor('n'), Number.POSITIVE_INFINITY),
    seriesLimit: countOf('--series', valueFor('series'), DEFAULT_SERIES_LIMIT),
    pictures,
    ...(watch !== undefined && { watch }),
    ...(netns !== undefined && { netns }),
  }
}

function countOf(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (!/^\d{1,9}$/.test(text)) throw new Misuse(`${option}: '${text}' is not a number of lines or series`)
  return Number(text)
}

function watchOf(isWatching: boolean, [operand, ...more]: readonly string[]): number | undefined {
  if (!isWatching) {
    if (operand !== undefined) throw new Misuse(`what is '${operand}'? A number of seconds goes with --watch`)
    return undefined
  }
  if (more.length > 0) throw new Misuse(`what is '${more[0]}'? Options come before the number of seconds`)
  if (operand === undefined) return SECONDS
  const seconds = /^\d{1,7}(\.\d{1,3})?$/.test(operand) ? Number(operand) : Number.NaN
  if (!(seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS)) {
    throw new Misuse(`'${operand}' is not a number of seconds from ${LEAST_SECONDS} to ${MOST_SECONDS}`)
  }
  return seconds
}
