/**
 * `ipseckey(8)`: adds, shows and removes security associations by hand.
 *
 * @module
 */
import { interpret, optionTable, type Request } from './ipseckey/arguments.ts'
import { CommandError, conclude } from './support/exit.ts'
import type { Io } from './support/io.ts'
import { start, usageError } from './support/start.ts'

const NAME = 'ipseckey'

/** @returns the exit code, see ipseckey(8), EXIT STATUS */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const started = await start(NAME, optionTable, argv, io)
  if (typeof started === 'number') return started
  const asked = interpret(started.options, started.operands)
  if ('usage' in asked) return usageError(NAME, asked.usage, io)
  try {
    await carryOut(asked.request, io)
    return 0
  } catch (error) {
    const failure = error instanceof CommandError ? error : await understood(error)
    if (failure.message !== '') io.stderr.write(`${NAME}: ${failure.message}\n`)
    return conclude(failure.outcome, io)
  }
}

/** An error of the lower layers in words for the user; what is nobody's fault but ours is thrown on. */
async function understood(error: unknown): Promise<CommandError> {
  const { explain } = await import('./support/explain.ts')
  const failure = explain(error)
  if (!failure) throw error
  return failure
}

async function carryOut(request: Request, io: Io): Promise<void> {
  const { source, netns } = request
  if (source.kind !== 'check' && process.geteuid?.() !== 0) {
    throw new CommandError('Insufficient privileges to run ipseckey.', 'permission')
  }
  if (netns !== undefined) {
    const { enterNetns } = await import('../../netlink/libc/netns.ts')
    enterNetns(netns)
  }
  switch (source.kind) {
    case 'check': {
      const { checkKeyFile } = await import('./ipseckey/load.ts')
      return checkKeyFile(source.file, request, io)
    }
    case 'file': {
      const { loadKeyFile } = await import('./ipseckey/load.ts')
      return loadKeyFile(source.file, request, io)
    }
    case 'operands': {
      const { runOperands } = await import('./ipseckey/load.ts')
      return runOperands(source.words, request, io)
    }
    case 'interactive': {
      const { interact } = await import('./ipseckey/interactive.ts')
      return interact(request, io)
    }
  }
}
