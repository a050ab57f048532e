/**
 * Tunables of the network namespace that the calling thread is in, read and set by commands.
 *
 * @module
 */
import { remarkOn, type TunableValues, tunableChanges } from '../../../agent/model/tunables.ts'
import { setTunables } from '../../../agent/reconcile/policy-edit.ts'
import { Session } from '../../../agent/reconcile/session.ts'
import { requireRecord } from '../ipsecconf/record.ts'
import { displayTable } from './algorithms.ts'
import type { Io } from './io.ts'

/** The values that are not the initial ones. */
export function readTunables(): TunableValues {
  const session = Session.open(displayTable())
  try {
    requireRecord(session)
    return session.state.tunables
  } finally {
    session.close()
  }
}

/**
 * Sets some, with all that follows from them, and says what there is to know of their effect.
 *
 * @throws as `Session.apply`; CommandError where the record of the loaded rules is lost
 */
export function changeTunables(changes: Iterable<readonly [name: string, value: number]>, io: Io): void {
  const session = Session.open(displayTable())
  try {
    requireRecord(session)
    const next = setTunables(session.state, changes)
    const differences = tunableChanges(session.state.tunables, next.tunables)
    if (differences.length === 0) return
    const change = session.plan(next)
    for (const warning of change.warnings) io.stderr.write(`WARNING: ${warning}\n`)
    session.apply(change)
    for (const one of differences) {
      const remark = remarkOn(one)
      if (remark !== undefined) io.stderr.write(`NOTE: ${remark}\n`)
    }
  } finally {
    session.close()
  }
}
