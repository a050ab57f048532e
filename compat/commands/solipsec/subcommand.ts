/**
 * The frame of the subcommands of `solipsec`: arguments, namespace, and how errors end them. Unlike ipsecconf(8) and
 * ipseckey(8), they have no last words and no exit codes of SMF.
 *
 * @module
 */
import { delegate, type ShowingRun } from '../support/delegate.ts'
import { CommandError } from '../support/exit.ts'
import type { OptionTable, ParsedOption } from '../support/getopt.ts'
import type { Io, Run } from '../support/io.ts'
import { enter, shows, showsBy } from '../support/run.ts'
import { start, usageError } from '../support/start.ts'

export interface Subcommand<R extends { readonly netns?: string }> {
  /** `solipsec snoop`. Its manual page has a hyphen in place of the blank. */
  readonly name: string
  readonly options: OptionTable
  /** Pure: what is asked for, or what is wrong with the question. */
  interpret(
    options: readonly ParsedOption[],
    operands: readonly string[],
  ): { readonly request: R } | { readonly usage: string }
  /** Does it, in the network namespace that was asked for. @returns the exit code where it is not 0 */
  carryOut(request: R, io: Io): Promise<void> | Promise<number>
  /** Exit code where something went wrong; 1 where absent. */
  readonly failure?: number
  /** True for what the agent may do for others than root: see `delegate.ts`. */
  shows?(request: R): boolean
}

/** The `run` function of a subcommand, which gives its exit code. */
export function subcommand<R extends { readonly netns?: string }>(command: Subcommand<R>): ShowingRun {
  const run: Run = async (argv, io) => {
    const started = await start(command.name, command.options, argv, io)
    if (typeof started === 'number') return started === 0 ? 0 : (command.failure ?? started)
    const asked = command.interpret(started.options, started.operands)
    const failed = command.failure ?? 1
    if ('usage' in asked) return usageError(command.name, asked.usage, io).then(() => failed)
    try {
      const code = shows(command, asked.request) ? await delegate(command.name, argv, io) : undefined
      if (code !== undefined) return code
      await enter(asked.request.netns)
      return (await command.carryOut(asked.request, io)) ?? 0
    } catch (error) {
      const failure = error instanceof CommandError ? error : await understood(error)
      if (failure.message !== '') io.stderr.write(`${command.name}: ${failure.message}\n`)
      return failed
    }
  }
  return Object.assign(run, { shows: (argv: readonly string[]) => showsBy(command, argv) })
}

async function understood(error: unknown): Promise<CommandError> {
  const { explain } = await import('../support/explain.ts')
  const failure = explain(error)
  if (!failure) throw error
  return failure
}
