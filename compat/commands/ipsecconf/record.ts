/**
 * The record of loaded rules, and what can be done without it.
 *
 * @module
 */
import type { Session } from '../../../agent/reconcile/session.ts'
import { CommandError } from '../support/exit.ts'

/**
 * Refuses to go on where the kernel has policies of ours but the record of their rules is lost: an edit of the
 * rules would take away the protection of all those that are not known.
 *
 * @throws CommandError
 */
export function requireRecord(session: Session): void {
  if (!session.isUnrecorded) return
  throw new CommandError(
    'the kernel has policies of solipsec, but the record of the rules that they were made from is lost.\n' +
      'help: load the whole policy anew with -Fa FILE, or remove all of it with -F',
  )
}
