/**
 * `ndd(8)`: shows and sets the tunables of IPsec as Solaris's ndd does. It knows no others.
 *
 * @module
 */
import {
  isPossible,
  rangeText,
  TUNABLE_MODULES,
  type Tunable,
  type TunableModule,
  tunableOf,
  tunablesOf,
  tunableValue,
} from '../../agent/model/tunables.ts'
import { subcommand } from './solipsec/subcommand.ts'
import { CommandError } from './support/exit.ts'
import type { ParsedOption } from './support/getopt.ts'
import type { Io } from './support/io.ts'
import { changeTunables, readTunables } from './support/tunables.ts'

/** Beside `-get` and `-set`, which are words of more than one letter. */
export const optionTable = { short: '', long: { netns: 'value' } } as const

interface Request {
  readonly device: string
  readonly names: readonly string[]
  /** Present: the one name is set to it. */
  readonly value?: string
  readonly netns?: string
}

const inner = subcommand<Request>({
  name: 'ndd',
  options: { short: '', long: { ...optionTable.long, get: 'flag', set: 'flag' } },
  interpret,
  carryOut,
})

export async function run(argv: readonly string[], io: Io): Promise<number> {
  const operand = argv.findIndex((word, i) => !word.startsWith('-') && argv[i - 1] !== '--netns')
  const end = operand < 0 ? argv.length : operand
  const words = argv.map((word, i) => (i < end && (word === '-get' || word === '-set') ? `-${word}` : word))
  return inner(words, io)
}

/** Pure. */
function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  const isSet = options.some(({ name }) => name === 'set')
  if (isSet && options.some(({ name }) => name === 'get'))
    return { usage: '-get and -set exclude each other' }
  const netns = options.findLast(({ name }) => name === 'netns')?.value
  const [device, ...words] = operands
  const where = netns === undefined ? {} : { netns }
  if (device === undefined) return { usage: 'a device is missing' }
  if (!isSet)
    return words.length === 0
      ? { usage: 'a name is missing' }
      : { request: { device, names: words, ...where } }
  const [name, value, ...more] = words
  if (name === undefined || value === undefined) return { usage: '-set needs a name and a value' }
  if (more.length > 0) return { usage: 'one name and one value are enough' }
  return { request: { device, names: [name], value, ...where } }
}

async function carryOut({ device, names, value }: Request, io: Io): Promise<void> {
  const module = moduleOf(device)
  if (value !== undefined) {
    const [name = ''] = names
    changeTunables([[name, numberFor(required(module, name), value)]], io)
    return
  }
  const known = names.map((name) => (name === '?' ? undefined : required(module, name)))
  const values = readTunables()
  const texts = known.map((tunable) =>
    tunable ? `${tunableValue(values, tunable.name)}\n` : listText(module),
  )
  io.stdout.write(texts.join('\n'))
}

function moduleOf(device: string): TunableModule {
  const module = TUNABLE_MODULES.find((name) => device === `/dev/${name}`)
  if (module) return module
  throw new CommandError(
    `open of ${device} failed: No such file or directory\n` +
      `help: this ndd knows what belongs to IPsec, ${TUNABLE_MODULES.map((name) => `/dev/${name}`).join(', ')}; ` +
      'Linux has sysctl(8) for the rest',
  )
}

function required(module: TunableModule, name: string): Tunable {
  const tunable = tunableOf(name)
  if (tunable?.module === module) return tunable
  const help = tunable
    ? `it is one of /dev/${tunable.module}`
    : `ndd /dev/${module} \\? lists those that there are`
  throw new CommandError(`operation failed: Invalid argument\nhelp: /dev/${module} has no ${name}: ${help}`)
}

function numberFor(tunable: Tunable, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (isPossible(tunable, value)) return value
  throw new CommandError(
    `operation failed: Invalid argument\nhelp: ${tunable.name} takes ${rangeText(tunable)}, not ${text}`,
  )
}

const NAME_WIDTH = 30

function listText(module: TunableModule): string {
  const line = (name: string, rights: string) => `${name.padEnd(NAME_WIDTH - 1)} (${rights})\n`
  return [line('?', 'read only'), ...tunablesOf(module).map(({ name }) => line(name, 'read and write'))].join(
    '',
  )
}
