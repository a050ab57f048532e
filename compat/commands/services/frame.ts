/**
 * The frame of the commands about services: arguments, exit codes of SMF, and errors in words.
 *
 * @module
 */

import type { OptionTable, ParsedOption } from '../support/getopt.ts'
import type { Io } from '../support/io.ts'
import { start, usageError } from '../support/start.ts'
import { systemText } from '../support/system-text.ts'
import { PropertyFileError } from './store.ts'
import { SystemdError } from './systemd.ts'
import { systemWorld, type World } from './world.ts'

/** Exit codes of svcs(1), svcprop(1), svcadm(8) and svccfg(8). */
export const EXIT = { ok: 0, failure: 1, usage: 2, maintenance: 3, dependencies: 4 } as const

/** Ends a command. */
export class Refusal extends Error {
  readonly code: number

  constructor(message: string, code: number = EXIT.failure) {
    super(message)
    this.code = code
  }
}

/** A command line that makes no sense. */
export class Misuse extends Error {}

export interface ServiceCommand {
  readonly name: string
  readonly options: OptionTable
  /** @returns the exit code. @throws Refusal, Misuse, and errors of the services */
  carryOut(
    options: readonly ParsedOption[],
    operands: readonly string[],
    io: Io,
    world: World,
  ): number | Promise<number>
}

export type ServiceRun = (argv: readonly string[], io: Io, world?: World) => Promise<number>

export function serviceCommand({ name, options: table, carryOut }: ServiceCommand): ServiceRun {
  return async (argv, io, world = systemWorld()) => {
    const started = await start(name, table, argv, io)
    if (typeof started === 'number') return started === 0 ? EXIT.ok : EXIT.usage
    try {
      return await carryOut(started.options, started.operands, io, world)
    } catch (error) {
      if (error instanceof Misuse) {
        await usageError(name, error.message, io)
        return EXIT.usage
      }
      const message = messageOf(error)
      if (message === undefined) throw error
      if (message !== '') io.stderr.write(`${name}: ${message}\n`)
      return error instanceof Refusal ? error.code : EXIT.failure
    }
  }
}

/** Words for an error that a user can do something about; `undefined` for one of ours. */
export function messageOf(error: unknown): string | undefined {
  if (error instanceof Refusal || error instanceof SystemdError || error instanceof PropertyFileError) {
    return error.message
  }
  const { code, syscall } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  if (!(error instanceof Error) || code === undefined || syscall === undefined) return undefined
  return code === 'EACCES' || code === 'EPERM'
    ? `Permission denied. (${systemText(error)})`
    : systemText(error)
}
