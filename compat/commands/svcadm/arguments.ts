/**
 * The command line of svcadm(8), checked. Pure.
 *
 * @module
 */
import { getopt, type OptionTable, type ParsedOption, standardLongOptions } from '../support/getopt.ts'

export const optionTable = { short: 'v', long: {} } as const

export const VERBS = ['enable', 'disable', 'refresh', 'restart', 'clear', 'mark'] as const
export type Verb = (typeof VERBS)[number]

/** Options after the verb. */
export const VERB_OPTIONS: Readonly<Record<Verb, OptionTable>> = {
  enable: { short: 'rstc:', long: {} },
  disable: { short: 'stc:', long: {} },
  refresh: { short: 's', long: {} },
  restart: { short: 's', long: {} },
  clear: { short: 's', long: {} },
  mark: { short: 'Its', long: {} },
}

export interface Request {
  readonly verb: Verb
  readonly verbose: boolean
  readonly recursive: boolean
  readonly temporary: boolean
  readonly state?: 'maintenance' | 'degraded'
  readonly words: readonly string[]
}

const REFUSED: Readonly<Record<string, string>> = {
  milestone: "milestones are systemd's: use systemctl isolate",
  delegate: 'services of solipsec have no other restarter than systemd',
}

export type Interpretation =
  | { readonly request: Request }
  | { readonly usage: string }
  | { readonly help: true }

export function interpret(options: readonly ParsedOption[], operands: readonly string[]): Interpretation {
  const [verb, ...rest] = operands
  if (verb === undefined) return { usage: `a subcommand is missing; there are: ${VERBS.join(', ')}` }
  if (!isVerb(verb)) {
    const why = Object.hasOwn(REFUSED, verb) ? REFUSED[verb] : `there are: ${VERBS.join(', ')}`
    return { usage: `Unknown or refused subcommand '${verb}': ${why}` }
  }
  const table = VERB_OPTIONS[verb]
  const parsed = getopt(rest, { short: table.short, long: standardLongOptions })
  if (parsed.error !== undefined) return { usage: `${verb}: ${parsed.error}` }
  const given = new Set(parsed.options.map(({ name }) => name))
  if (given.has('help')) return { help: true }
  const [state, ...words] = verb === 'mark' ? parsed.operands : [undefined, ...parsed.operands]
  if (verb === 'mark' && state !== 'maintenance' && state !== 'degraded') {
    return { usage: "mark takes 'maintenance' or 'degraded', and then a service" }
  }
  if (words.length === 0) return { usage: `${verb}: which service?` }
  return {
    request: {
      verb,
      verbose: options.some(({ name }) => name === 'v'),
      recursive: given.has('r'),
      temporary: given.has('t'),
      ...((state === 'maintenance' || state === 'degraded') && { state }),
      words: words.filter((word): word is string => word !== undefined),
    },
  }
}

function isVerb(word: string): word is Verb {
  return VERBS.some((verb) => verb === word)
}
