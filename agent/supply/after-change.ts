/**
 * The SAs that there will be for the rules that there will be, once a planned change is made.
 *
 * @module
 */
import { isOurState } from '../reconcile/ownership.ts'
import type { PlannedChange } from '../reconcile/planner.ts'
import { tunnelsFor } from '../reconcile/policy-state.ts'
import type { Session } from '../reconcile/session.ts'
import { supplyOf } from './rule-supply.ts'
import { shortageSentences } from './words.ts'

/** What will not get through for want of SAs, as sentences. Nothing where there are too many rules and SAs to say. */
export function shortagesAfter(session: Session, change: PlannedChange): string[] {
  const { next, associations: changed } = change
  const { localAddresses, tunnels } = session.networkAfter(change)
  const all = changed?.transaction.after ?? session.tables().associations
  const supply = supplyOf({
    rules: next.rules,
    tunnels: tunnelsFor(next, tunnels),
    localAddresses,
    associations: all.filter(({ reqid }) => isOurState(reqid)),
  })
  return shortageSentences(supply?.shortages ?? [])
}
