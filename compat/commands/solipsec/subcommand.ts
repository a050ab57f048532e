/**
 * The frame of the subcommands of `solipsec`: arguments, namespace, and how errors end them. Unlike ipsecconf(8) and
 * ipseckey(8), they have no last words and no exit codes of SMF.
 *
 * @module
 */
import { CommandError } from '../support/exit.ts'
import type { OptionTable, ParsedOption } from '../support/getopt.ts'
import type { Io, Run } from '../support/io.ts'
import { enter } from '../support/run.ts'
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
  /** Does it, in the network namespace that was asked for. */
  carryOut(request: R, io: Io): Promise<void>
}

/** The `run` function of a subcommand. Its exit code is 0, or 1 where something went wrong. */
export function subcommand<R extends { readonly netns?: string }>(command: Subcommand<R>): Run {
  return async (argv, io) => {
    const started = await start(command.name, command.options, argv, io)
    if (typeof started === 'number') return started
    const asked = command.interpret(started.options, started.operands)
    if ('usage' in asked) return usageError(command.name, asked.usage, io)
    try {
      await enter(asked.request.netns)
      await command.carryOut(asked.request, io)
      return 0
    } catch (error) {
      const failure = error instanceof CommandError ? error : await understood(error)
      if (failure.message !== '') io.stderr.write(`${command.name}: ${failure.message}\n`)
      return 1
    }
  }
}

async function understood(error: unknown): Promise<CommandError> {
  const { explain } = await import('../support/explain.ts')
  const failure = explain(error)
  if (!failure) throw error
  return failure
}
