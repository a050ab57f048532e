/**
 * `ipsecconf(8)`: loads, lists and removes IPsec policy.
 *
 * @module
 */
import { interpret, optionTable, type Request } from './ipsecconf/arguments.ts'
import { CommandError, conclude } from './support/exit.ts'
import type { Io } from './support/io.ts'
import { start, usageError } from './support/start.ts'

const NAME = 'ipsecconf'

/** @returns the exit code, see ipsecconf(8), EXIT STATUS */
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
  const { task, netns } = request
  if (netns !== undefined) {
    const { enterNetns } = await import('../../netlink/libc/netns.ts')
    enterNetns(netns)
  }
  switch (task.kind) {
    case 'check': {
      const { checkFile } = await import('./ipsecconf/check.ts')
      return checkFile(task.file, request, io)
    }
    case 'add':
    case 'replace':
    case 'remove': {
      const { changeByFile } = await import('./ipsecconf/load.ts')
      return changeByFile(task.kind, task.file, task.all, request, io)
    }
    case 'flush':
    case 'delete': {
      const { flushOrDelete } = await import('./ipsecconf/remove.ts')
      return flushOrDelete(task, request, io)
    }
    case 'view':
    case 'list': {
      const { list } = await import('./ipsecconf/listing.ts')
      return list(task, request, io)
    }
  }
}
