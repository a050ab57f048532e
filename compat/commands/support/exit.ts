/**
 * How the Solaris IPsec commands end: exit codes and last words of the exit routine that ipsecconf(8) and
 * ipseckey(8) share.
 *
 * @module
 */
import type { Io } from './io.ts'

export type Outcome =
  | 'ok'
  /** Errors in the input, kernel errors, bad usage. */
  | 'fatal'
  | 'configuration'
  | 'maintenance'
  | 'permission'
  | 'restart'

/** `SMF_EXIT_ERR_FATAL` and `SMF_EXIT_ERR_PERM` of smf_method(7). */
export const SERVICE_FATAL = 95
const SERVICE_PERMISSION = 100

/** Says the last words that belong to an outcome, on standard error, and gives its exit code. */
export function conclude(outcome: Outcome, io: Io): number {
  if (outcome === 'ok') return 0
  if (outcome === 'restart') return 1
  if (!io.service) {
    if (outcome === 'fatal' || outcome === 'configuration') io.stderr.write('Fatal error - exiting.\n')
    return 1
  }
  const { name } = io.service
  const words = {
    fatal: `Service ${name} fatal error.`,
    configuration: `Bad configuration of service ${name}.`,
    maintenance: `Service ${name} needs maintenance.`,
    permission: `Permission error with ${name}.`,
  }
  io.stderr.write(`${words[outcome]}\n`)
  return outcome === 'permission' ? SERVICE_PERMISSION : SERVICE_FATAL
}

/** Ends a command with a message (empty where all was said already) and an exit code. */
export class CommandError extends Error {
  readonly outcome: Outcome

  constructor(message: string, outcome: Outcome = 'fatal') {
    super(message)
    this.name = 'CommandError'
    this.outcome = outcome
  }
}
