/**
 * `solipsec(8)`: what Solaris has no command of its own for, one subcommand each.
 *
 * @module
 */
import type { Io, Run } from './support/io.ts'
import { start, usageError } from './support/start.ts'

export const optionTable = { short: '', long: {} } as const

/** Loaded when they are asked for. */
const SUBCOMMANDS: Readonly<Record<string, () => Promise<Run>>> = {
  agent: async () => (await import('./solipsec/agent.ts')).run,
  apply: async () => (await import('./solipsec/apply.ts')).run,
  check: async () => (await import('./solipsec/check.ts')).run,
  convert: async () => (await import('./solipsec/convert.ts')).run,
  diff: async () => (await import('./solipsec/diff.ts')).run,
  doctor: async () => (await import('./solipsec/doctor.ts')).run,
  explain: async () => (await import('./solipsec/explain.ts')).run,
  kstat: async () => (await import('./solipsec/kstat.ts')).run,
  listen: async () => (await import('./solipsec/listen.ts')).run,
  monitor: async () => (await import('./solipsec/monitor.ts')).run,
  picture: async () => (await import('./solipsec/picture.ts')).run,
  plan: async () => (await import('./solipsec/plan.ts')).run,
  snoop: async () => (await import('./solipsec/snoop.ts')).run,
  status: async () => (await import('./solipsec/status.ts')).run,
  verify: async () => (await import('./solipsec/verify.ts')).run,
}

/** Their names, for the manual. */
export const subcommandNames: readonly string[] = Object.keys(SUBCOMMANDS)

export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [word = '', ...rest] = argv
  const subcommand = Object.hasOwn(SUBCOMMANDS, word) ? SUBCOMMANDS[word] : undefined
  if (subcommand) return (await subcommand())(rest, io)
  if (word === 'help') return help(rest, io)
  const started = await start('solipsec', optionTable, argv, io)
  if (typeof started === 'number') return started
  const problem = word === '' ? 'a command is missing' : `there is no command '${word}'`
  return usageError('solipsec', `${problem}; there are: ${subcommandNames.join(', ')}, help`, io)
}

/** `solipsec help [COMMAND]` is `solipsec [COMMAND] --help`. */
function help([topic, ...more]: readonly string[], io: Io): Promise<number> {
  if (topic === undefined) return run(['--help'], io)
  if (more.length > 0 || !subcommandNames.includes(topic)) return run([topic], io)
  return run([topic, '--help'], io)
}
