/**
 * What the agent shows to those who may ask it but are not root: the output of commands that only show something.
 *
 * @module
 */
import { ControlError, code } from '../../../../agent/daemon/control/protocol.ts'
import type { ShowingRun, Shown } from '../../support/delegate.ts'
import type { Run } from '../../support/io.ts'
import { memoryIo } from '../../support/memory-io.ts'

/** Loaded when they are asked for. */
const COMMANDS: Readonly<Record<string, () => Promise<Run | ShowingRun>>> = {
  ipsecconf: async () => (await import('../../ipsecconf.ts')).run,
  ipseckey: async () => (await import('../../ipseckey.ts')).run,
  'solipsec kstat': async () => (await import('../kstat.ts')).run,
  'solipsec status': async () => (await import('../status.ts')).run,
}

/** @throws ControlError where it is no command that may be run so */
export async function show({ command, argv }: Readonly<Record<string, unknown>>): Promise<Shown> {
  if (typeof command !== 'string' || !isWords(argv)) {
    throw new ControlError(code.INVALID_PARAMS, 'params are command, a text, and argv, a list of texts')
  }
  const load = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined
  const run = await load?.()
  if (!run || !('shows' in run) || !run.shows(argv)) {
    throw new ControlError(code.NOT_ALLOWED, 'only root may do this')
  }
  const io = memoryIo()
  const exit = await run(argv, io)
  return { code: exit, out: io.out(), err: io.err() }
}

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string')
}
