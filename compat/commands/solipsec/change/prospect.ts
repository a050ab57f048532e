/**
 * A change as those see it who are going to make it or only show it: the plan, what comes of it, and what will not hold.
 *
 * @module
 */
import type { PlannedChange } from '../../../../agent/reconcile/planner.ts'
import type { Session } from '../../../../agent/reconcile/session.ts'
import { shortagesAfter } from '../../../../agent/supply/after-change.ts'
import type { Io } from '../../support/io.ts'
import type { Request } from './arguments.ts'
import { type LoadableConfiguration, loadConfiguration } from './configuration.ts'
import { idleRemarks, type Outcome, outcomeOf } from './outcome.ts'
import { socketsWarnings } from './services.ts'
import { planConfiguration, withSession } from './session.ts'
import { unmakableRemarks } from './tunnels.ts'

export interface Prospect {
  readonly loaded: LoadableConfiguration
  readonly change: PlannedChange
  readonly outcome: Outcome
  /** As sentences, without a mark. */
  readonly warnings: readonly string[]
}

/**
 * Reads a configuration, and works out what it takes.
 *
 * @param isChange it is going to be carried out: the data path that is needed is started
 * @param use gets it while the session is open
 * @throws CommandError where the file has an error, or the change cannot be made
 */
export async function withProspect(
  request: Request,
  isChange: boolean,
  io: Io,
  use: (prospect: Prospect, session: Session) => void,
): Promise<void> {
  const loaded = await loadConfiguration(request, io)
  const unserved = await socketsWarnings(loaded.configuration.sockets)
  await withSession(loaded, isChange, io, (session) => {
    const change = planConfiguration(session, loaded, request, io)
    const outcome = outcomeOf(session.state, change, loaded.configuration)
    const warnings = [
      ...change.warnings,
      ...idleRemarks(outcome),
      // Whoever makes the change finds that out.
      ...(change.tunnels && !isChange ? unmakableRemarks(change.tunnels) : []),
      ...shortagesAfter(session, change),
      ...unserved,
    ]
    use({ loaded, change, outcome, warnings }, session)
  })
}
