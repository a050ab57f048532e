/**
 * The command line of ipsecconf(8), checked: what is asked for, or what is wrong with the question.
 *
 * @module
 */
import type { DataPathChoice } from '../../../agent/datapath/data-path.ts'
import { DATA_PATH_USAGE, readDataPath } from '../support/data-path-option.ts'
import type { ParsedOption } from '../support/getopt.ts'

export const optionTable = {
  short: 'nlfLFa:qd:r:i:c:',
  long: {
    json: 'flag',
    'dry-run': 'flag',
    netns: 'value',
    'mark-mask': 'value',
    datapath: 'value',
    latch: 'value',
  },
} as const

/** What the command is to do. */
export type Task =
  | { readonly kind: 'view' }
  | { readonly kind: 'add' | 'replace' | 'check' | 'remove'; readonly file: string; readonly all: boolean }
  | { readonly kind: 'delete'; readonly index: number; readonly tunnel?: string }
  | { readonly kind: 'flush' | 'list'; readonly all: boolean; readonly tunnel?: string }

export interface Request {
  readonly task: Task
  readonly numeric: boolean
  readonly quiet: boolean
  readonly json: boolean
  readonly dryRun: boolean
  readonly netns?: string
  readonly dataPath: DataPathChoice
  /** Mark bits for protection classes; 0 = none may be used. */
  readonly markMask?: number
  /** Established connections keep their policy; absent: as it was. */
  readonly latch?: boolean
}

export type Interpretation = { readonly request: Request } | { readonly usage: string }

const FILE_COMMANDS = { a: 'add', c: 'check', r: 'remove' } as const

/** Solaris allows a flush together with `-a`: then it is a replacement. */
export function interpret(options: readonly ParsedOption[], operands: readonly string[]): Interpretation {
  if (operands.length > 0) return { usage: 'Bad usage.' }
  const words = new Map<string, string>()
  for (const { name, value = '' } of options) {
    if (name === 'i' && words.has('i')) return { usage: 'Interface name already selected' }
    if (words.has(name) && 'acdr'.includes(name)) return { usage: 'Multiple commands specified' }
    words.set(name, value)
  }
  const markMask = readMarkMask(words.get('mark-mask'))
  if (markMask === null)
    return { usage: `Invalid mark mask: expected a number such as 0xff000000, or 'none'.` }
  const dataPath = readDataPath(words.get('datapath'))
  if (!dataPath) return { usage: DATA_PATH_USAGE }
  const latch = words.get('latch')
  if (latch !== undefined && latch !== 'on' && latch !== 'off')
    return { usage: "Invalid latch: expected 'on' or 'off'." }
  const task = taskOf(words)
  if ('usage' in task) return task
  const netns = words.get('netns')
  return {
    request: {
      task,
      numeric: words.has('n'),
      quiet: words.has('q'),
      json: words.has('json'),
      dryRun: words.has('dry-run'),
      dataPath,
      ...(netns !== undefined && { netns }),
      ...(markMask !== undefined && { markMask }),
      ...(latch !== undefined && { latch: latch === 'on' }),
    },
  }
}

function taskOf(words: ReadonlyMap<string, string>): Task | { usage: string } {
  const commands = [...'acdrflFL'].filter((letter) => words.has(letter))
  const tunnel = words.get('i')
  if (tunnel === '' || (tunnel !== undefined && tunnel.length > 31))
    return { usage: 'Invalid interface name.' }
  const named = tunnel === undefined ? {} : { tunnel }
  const flushing = commands.filter((letter) => letter === 'f' || letter === 'F')
  const others = commands.filter((letter) => letter !== 'f' && letter !== 'F')
  if (
    others.length > 1 ||
    flushing.length > 1 ||
    (flushing.length === 1 && others.some((one) => one !== 'a'))
  ) {
    return { usage: 'Multiple commands specified' }
  }
  const [command = flushing[0]] = others
  const all = words.has('F') || words.has('L')
  switch (command) {
    case undefined:
      return tunnel === undefined ? { kind: 'view' } : { usage: 'Cannot view for one interface only.' }
    case 'd':
      return readIndex(words.get('d') ?? '', tunnel)
    case 'f':
    case 'l':
      return { kind: command === 'f' ? 'flush' : 'list', all: false, ...named }
    case 'F':
    case 'L':
      if (tunnel !== undefined) return { usage: 'interface name not required.' }
      return { kind: command === 'F' ? 'flush' : 'list', all: true }
    default: {
      if (tunnel !== undefined) return { usage: 'interface name not required.' }
      const kind = FILE_COMMANDS[command as keyof typeof FILE_COMMANDS]
      const file = words.get(command) ?? ''
      return { kind: kind === 'add' && flushing.length > 0 ? 'replace' : kind, file, all }
    }
  }
}

/** `INDEX` or `TUNNEL,INDEX`; the number as strtol(3) with base 0 reads it. */
function readIndex(text: string, tunnel: string | undefined): Task | { usage: string } {
  const comma = text.lastIndexOf(',')
  const name = comma < 0 ? tunnel : text.slice(0, comma)
  const index = readNumber(text.slice(comma + 1))
  if (index === undefined || index === 0 || name === '') return { usage: 'Invalid index' }
  if (comma >= 0 && tunnel !== undefined) return { usage: 'Interface name already selected' }
  return { kind: 'delete', index, ...(name !== undefined && { tunnel: name }) }
}

function readNumber(text: string): number | undefined {
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8)
  return /^(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : undefined
}

/** Mark bits as an option gives them. @returns `null` where the text is no mask */
export function readMarkMask(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined
  if (text === 'none') return 0
  const mask = readNumber(text)
  return mask !== undefined && mask > 0 && mask <= 0xffff_ffff ? mask : null
}
