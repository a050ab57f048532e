/**
 * The command line of `solipsec kstat`, which is that of kstat(8) of illumos.
 *
 * @module
 */
import type { ParsedOption } from '../../support/getopt.ts'
import type { Form } from './format.ts'
import {
  PatternError,
  readPattern,
  readSelector,
  type Selection,
  type Selector,
  selectorOf,
} from './selection.ts'

export const optionTable = { short: 'CjlpqT:m:i:n:s:c:', long: { netns: 'value' } } as const

export interface Request {
  readonly selection: Selection
  readonly form: Form
  /** Only the exit code tells whether there is such a statistic. */
  readonly isQuiet: boolean
  /** Before each round: the date, or seconds since 1970. */
  readonly stamp?: 'date' | 'seconds'
  /** Seconds between rounds, and how many there are. */
  readonly interval: number
  readonly count: number
  readonly netns?: string
}

class Misuse extends Error {}

/** Timers of Node take no more than 2^31 milliseconds. */
const MOST_SECONDS = 2_000_000

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  try {
    return { request: requestOf(options, operands) }
  } catch (error) {
    if (error instanceof Misuse || error instanceof PatternError) return { usage: error.message }
    throw error
  }
}

function requestOf(options: readonly ParsedOption[], operands: readonly string[]): Request {
  const has = (wanted: string): boolean => options.some(({ name }) => name === wanted)
  const valueFor = (wanted: string) => options.findLast(({ name }) => name === wanted)?.value
  const isQuiet = has('q')
  if (isQuiet && ['C', 'j', 'l', 'p'].some(has)) throw new Misuse('-q and -Cjlp are mutually exclusive')
  const className = valueFor('c')
  const stamp = stampOf(valueFor('T'))
  const netns = valueFor('netns')
  const selectors = selectorsOf(valueFor, operands)
  return {
    selection: { selectors, ...(className !== undefined && { class: readPattern(className) }) },
    form: has('j') ? 'json' : has('l') ? 'list' : has('C') ? 'colons' : has('p') ? 'parseable' : 'table',
    isQuiet,
    ...(stamp && { stamp }),
    ...rounds(operands.filter(isNumber)),
    ...(netns !== undefined && { netns }),
  }
}

function isNumber(operand: string): boolean {
  return /^\d+$/.test(operand)
}

function selectorsOf(
  valueFor: (option: string) => string | undefined,
  operands: readonly string[],
): readonly Selector[] {
  const named = ['m', 'i', 'n', 's'].map(valueFor)
  const written = operands.filter((operand) => !isNumber(operand))
  if (written.length === 0) {
    const [module, instance, name, statistic] = named.map((text) =>
      text === undefined ? undefined : readPattern(text),
    )
    return [selectorOf(module, instance, name, statistic)]
  }
  if (named.some((text) => text !== undefined)) {
    throw new Misuse('module:instance:name:statistic and -m -i -n -s are mutually exclusive')
  }
  return written.map(readSelector)
}

function stampOf(text: string | undefined): Request['stamp'] {
  if (text === undefined) return undefined
  if (text === 'd') return 'date'
  if (text === 'u') return 'seconds'
  throw new Misuse(`-T: '${text}' is neither d nor u`)
}

function rounds([interval, count, ...more]: readonly string[]): Pick<Request, 'interval' | 'count'> {
  if (more.length > 0) throw new Misuse(`what is '${more[0]}'? There is but interval and count`)
  const read = (text: string, what: string) => {
    const number = Number(text)
    if (!(number >= 1 && number <= MOST_SECONDS))
      throw new Misuse(`${what} must be from 1 to ${MOST_SECONDS}`)
    return number
  }
  if (interval === undefined) return { interval: 0, count: 1 }
  return {
    interval: read(interval, 'the interval'),
    count: count === undefined ? Number.POSITIVE_INFINITY : read(count, 'the count'),
  }
}
