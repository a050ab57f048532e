/**
 * The command line of `solipsec snoop`, checked.
 *
 * @module
 */
import type { DataPathChoice } from '../../../../agent/datapath/data-path.ts'
import { DATA_PATH_USAGE, readDataPath } from '../../support/data-path-option.ts'
import type { ParsedOption } from '../../support/getopt.ts'

export const optionTable = {
  short: 'r:i:VvSDPnqk:w:c:t:x:p:s:',
  long: { 'no-keys': 'flag', wireshark: 'value', netns: 'value', datapath: 'value' },
} as const

/** Where packets come from. */
export type Input =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'live'; readonly device?: string }
  /** None: only the table for Wireshark is to be written. */
  | { readonly kind: 'none' }

export type Style = 'summary' | 'layers' | 'verbose'
export type TimeColumn = 'relative' | 'absolute' | 'delta'

/** Where keys come from. */
export type KeyChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'running'; readonly dataPath: DataPathChoice }

export interface Request {
  readonly input: Input
  /** Words of the filter; none: everything. */
  readonly expression: string
  readonly style: Style
  /** Whether packets are printed. */
  readonly isTextWanted: boolean
  readonly time?: TimeColumn
  readonly hexadecimal?: { readonly offset: number; readonly length?: number }
  readonly sizes: boolean
  readonly drops: boolean
  readonly numeric: boolean
  readonly isPromiscuous: boolean
  readonly keys: KeyChoice
  readonly output?: string
  readonly wireshark?: string
  /** Ends after so many packets that were shown or written. */
  readonly count: number
  /** Numbers of the packets that are looked at. */
  readonly first: number
  readonly last: number
  readonly snapLength: number
  readonly netns?: string
}

export type Interpretation = { readonly request: Request } | { readonly usage: string }

const TIMES: Readonly<Record<string, TimeColumn>> = { r: 'relative', a: 'absolute', d: 'delta' }
/** As long as any packet. */
const WHOLE = 262_144
const ONCE = ['r', 'i', 'k', 'w', 'c', 't', 'x', 'p', 's', 'wireshark']

class Misuse extends Error {}

export function interpret(options: readonly ParsedOption[], operands: readonly string[]): Interpretation {
  const words = new Map<string, string>()
  for (const { name, value = '' } of options) {
    if (words.has(name) && ONCE.includes(name)) return { usage: `${dashed(name)} given twice` }
    words.set(name, value)
  }
  try {
    return { request: requestOf(words, operands) }
  } catch (error) {
    if (error instanceof Misuse) return { usage: error.message }
    throw error
  }
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`
}

function requestOf(words: ReadonlyMap<string, string>, operands: readonly string[]): Request {
  const exclude = (...names: string[]) => {
    const given = names.filter((name) => words.has(name))
    if (given.length > 1) throw new Misuse(`${given.map(dashed).join(' and ')} cannot go together`)
  }
  exclude('r', 'i')
  exclude('V', 'v')
  exclude('q', 'v')
  exclude('q', 'V')
  exclude('q', 'x')
  exclude('k', 'no-keys')
  exclude('wireshark', 'no-keys')
  if (words.get('w') === '-')
    throw new Misuse('-w wants a file, not standard output; ./- is a file of that name')
  for (const name of ['P', 's', 'D']) exclude('r', name)
  const input = inputOf(words, operands)
  if (words.has('p') && input.kind !== 'file') throw new Misuse('-p needs -r FILE')
  const [first, last] = rangeOf(words.get('p'))
  const time = timeOf(words.get('t'), input)
  const hexadecimal = hexadecimalOf(words.get('x'))
  const isDetailed = ['V', 'v', 'x'].some((name) => words.has(name))
  const [output, wireshark, netns] = ['w', 'wireshark', 'netns'].map((name) => words.get(name))
  return {
    input,
    expression: operands.join(' '),
    style: words.has('v') ? 'verbose' : words.has('V') ? 'layers' : 'summary',
    isTextWanted: !words.has('q') && (output === undefined || isDetailed),
    ...(time && { time }),
    ...(hexadecimal && { hexadecimal }),
    sizes: words.has('S'),
    drops: words.has('D'),
    numeric: words.has('n'),
    isPromiscuous: !words.has('P'),
    keys: keysOf(words),
    ...(output !== undefined && { output }),
    ...(wireshark !== undefined && { wireshark }),
    count: words.has('c') ? numberOf(words.get('c') ?? '', '-c', 1) : Number.POSITIVE_INFINITY,
    first,
    last,
    snapLength: words.has('s') ? numberOf(words.get('s') ?? '', '-s', 1) : WHOLE,
    ...(netns !== undefined && { netns }),
  }
}

function inputOf(words: ReadonlyMap<string, string>, operands: readonly string[]): Input {
  const file = words.get('r')
  if (file !== undefined) return { kind: 'file', file }
  const device = words.get('i')
  if (device !== undefined) return { kind: 'live', device }
  if (words.has('wireshark') && !words.has('w') && operands.length === 0) return { kind: 'none' }
  return { kind: 'live' }
}

/** As on Solaris: a listing of a file has the time since the packet before, a live one has none. */
function timeOf(letter: string | undefined, { kind }: Input): TimeColumn | undefined {
  if (letter === undefined) return kind === 'file' ? 'delta' : undefined
  const time = TIMES[letter]
  if (!time) throw new Misuse(`-t wants r (relative), a (absolute) or d (delta), not '${letter}'`)
  return time
}

function hexadecimalOf(text: string | undefined): Request['hexadecimal'] {
  if (text === undefined) return undefined
  const [offset = '', length, ...more] = text.split(',')
  if (more.length > 0) throw new Misuse('-x wants OFFSET or OFFSET,LENGTH')
  return {
    offset: numberOf(offset, '-x', 0),
    ...(length !== undefined && { length: numberOf(length, '-x', 1) }),
  }
}

/** `-p FIRST[,LAST]`: of one number, that packet alone. */
function rangeOf(text: string | undefined): [first: number, last: number] {
  if (text === undefined) return [1, Number.POSITIVE_INFINITY]
  const [from = '', to = from, ...more] = text.split(',')
  if (more.length > 0) throw new Misuse('-p wants FIRST or FIRST,LAST')
  const [first, last] = [numberOf(from, '-p', 1), numberOf(to, '-p', 1)]
  if (last < first) throw new Misuse(`-p: ${first} comes after ${last}`)
  return [first, last]
}

function numberOf(text: string, option: string, least: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least)) throw new Misuse(`${option} wants a whole number from ${least} on, not '${text}'`)
  return value
}

function keysOf(words: ReadonlyMap<string, string>): KeyChoice {
  const dataPath = readDataPath(words.get('datapath'))
  if (!dataPath) throw new Misuse(DATA_PATH_USAGE)
  const file = words.get('k')
  if (file !== undefined) return { kind: 'file', file }
  return words.has('no-keys') ? { kind: 'none' } : { kind: 'running', dataPath }
}
