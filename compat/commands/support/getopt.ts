/**
 * POSIX getopt(3) as the Solaris commands use it: options may be clustered (`-nl`), an option-argument may be
 * attached (`-aFILE`) or be the next word whatever that looks like, the first operand or `--` ends the options,
 * and `-` is an operand. On top of it come long options: `--json`, `--netns NAME`, `--netns=NAME`.
 *
 * @module
 */

/** Whether an option takes a value. */
export type OptionKind = 'flag' | 'value'

export interface OptionTable {
  /** As for getopt(3): `a:` takes an argument. */
  readonly short: string
  readonly long: Readonly<Record<string, OptionKind>>
}

/** Long options that every command has. */
export const standardLongOptions = { help: 'flag', version: 'flag' } as const satisfies OptionTable['long']

export interface ParsedOption {
  /** One letter, or the long name without its dashes. */
  readonly name: string
  readonly value?: string
}

export interface ParsedArguments {
  /** In the order of the command line. */
  readonly options: readonly ParsedOption[]
  readonly operands: readonly string[]
  /** The first thing wrong, in getopt's words; what stands after it was not read. */
  readonly error?: string
}

/** Splits a command line into options and operands. Pure; never throws on bad input. */
export function getopt(argv: readonly string[], table: OptionTable): ParsedArguments {
  const options: ParsedOption[] = []
  let index = 0
  const fail = (error: string): ParsedArguments => ({ options, operands: argv.slice(index), error })
  for (; index < argv.length; index++) {
    const word = argv[index] ?? ''
    if (word === '--') return { options, operands: argv.slice(index + 1) }
    if (word === '-' || !word.startsWith('-')) break
    const next = argv[index + 1]
    const result = word.startsWith('--') ? long(word, next, table) : cluster(word, next, table)
    options.push(...result.options)
    if (result.error !== undefined) return fail(result.error)
    if (result.tookNext) index++
  }
  return { options, operands: argv.slice(index) }
}

interface WordResult {
  readonly options: readonly ParsedOption[]
  readonly tookNext?: boolean
  readonly error?: string
}

function cluster(word: string, next: string | undefined, table: OptionTable): WordResult {
  const options: ParsedOption[] = []
  for (let i = 1; i < word.length; i++) {
    const name = word.charAt(i)
    const at = name === ':' ? -1 : table.short.indexOf(name)
    if (at < 0) return { options, error: `illegal option -- ${name}` }
    if (table.short.charAt(at + 1) !== ':') {
      options.push({ name })
      continue
    }
    const attached = word.slice(i + 1)
    if (attached !== '') return { options: [...options, { name, value: attached }] }
    if (next === undefined) return { options, error: `option requires an argument -- ${name}` }
    return { options: [...options, { name, value: next }], tookNext: true }
  }
  return { options }
}

function long(word: string, next: string | undefined, table: OptionTable): WordResult {
  const equals = word.indexOf('=')
  const name = word.slice(2, equals < 0 ? undefined : equals)
  const attached = equals < 0 ? undefined : word.slice(equals + 1)
  const kind = Object.hasOwn(table.long, name) ? table.long[name] : undefined
  if (kind === undefined) return { options: [], error: `unrecognized option '--${name}'` }
  if (kind === 'flag') {
    if (attached !== undefined) return { options: [], error: `option '--${name}' doesn't allow an argument` }
    return { options: [{ name }] }
  }
  if (attached !== undefined) return { options: [{ name, value: attached }] }
  if (next === undefined) return { options: [], error: `option '--${name}' requires an argument` }
  return { options: [{ name, value: next }], tookNext: true }
}
