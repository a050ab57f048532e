/**
 * The frame of the commands that change the kernel: arguments, namespace, and how errors end them.
 *
 * @module
 */

import { delegate, type ShowingRun } from './delegate.ts'
import { CommandError, conclude } from './exit.ts'
import { getopt, type OptionTable, type ParsedOption } from './getopt.ts'
import type { Io, Run } from './io.ts'
import { start, usageError } from './start.ts'

/** What sets one command apart from another. */
export interface Command<R extends { readonly netns?: string }> {
  readonly name: string
  readonly options: OptionTable
  /** Pure: what is asked for, or what is wrong with the question. */
  interpret(
    options: readonly ParsedOption[],
    operands: readonly string[],
  ): { readonly request: R } | { readonly usage: string }
  /** Does it, in the network namespace that was asked for. */
  carryOut(request: R, io: Io): Promise<void>
  /** True for what the agent may do for others than root: see `delegate.ts`. */
  shows?(request: R): boolean
}

/** The `run` function of a command. It gives the exit code, as ipsecconf(8) and ipseckey(8) say. */
export function runner<R extends { readonly netns?: string }>(command: Command<R>): ShowingRun {
  const run: Run = async (argv, io) => {
    const started = await start(command.name, command.options, argv, io)
    if (typeof started === 'number') return started
    const asked = command.interpret(started.options, started.operands)
    if ('usage' in asked) return usageError(command.name, asked.usage, io)
    try {
      const code = shows(command, asked.request) ? await delegate(command.name, argv, io) : undefined
      if (code !== undefined) return code
      await enter(asked.request.netns)
      await command.carryOut(asked.request, io)
      return 0
    } catch (error) {
      const failure = error instanceof CommandError ? error : await understood(error)
      if (failure.message !== '') io.stderr.write(`${command.name}: ${failure.message}\n`)
      return conclude(failure.outcome, io)
    }
  }
  return Object.assign(run, { shows: (argv: readonly string[]) => showsBy(command, argv) })
}

/** The agent looks after one namespace, and nobody else's. */
export function shows<R extends { readonly netns?: string }>(
  { shows: asked }: Pick<Command<R>, 'shows'>,
  request: R,
): boolean {
  return request.netns === undefined && asked?.(request) === true
}

/** The same of arguments. */
export function showsBy<R extends { readonly netns?: string }>(
  command: Pick<Command<R>, 'options' | 'interpret' | 'shows'>,
  argv: readonly string[],
): boolean {
  const { options, operands, error } = getopt(argv, command.options)
  if (error !== undefined) return false
  const asked = command.interpret(options, operands)
  return 'request' in asked && shows(command, asked.request)
}

/** Goes into the network namespace that was asked for, if any. */
export async function enter(netns: string | undefined): Promise<void> {
  if (netns === undefined) return
  const { enterNetns } = await import('../../../netlink/libc/netns.ts')
  enterNetns(netns)
}

/** An error of the lower layers in words for the user; what is nobody's fault but ours is thrown on. */
async function understood(error: unknown): Promise<CommandError> {
  const { explain } = await import('./explain.ts')
  const failure = explain(error)
  if (!failure) throw error
  return failure
}
