/**
 * A planned change in the terms of the configuration. Pure.
 *
 * @module
 */
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import { saKey } from '../../../../agent/reconcile/association-notes.ts'
import type { AssociationChange } from '../../../../agent/reconcile/association-plan.ts'
import type { Reconciliation } from '../../../../agent/reconcile/joint-plan.ts'
import type { PolicyState } from '../../../../agent/reconcile/policy-state.ts'
import { planRules, type RulePlan } from '../../../../agent/reconcile/rule-plan.ts'
import type { PlannedChange } from '../../../../agent/reconcile/session.ts'
import { readState } from '../../../../agent/translate/read-association.ts'

export interface Counts {
  readonly add: number
  readonly change: number
  readonly remove: number
  readonly untouched: number
}

/** An SA that is what it is to be, but has to move with the rules. */
export interface AssociationMove {
  readonly association: SecurityAssociation
  /** `replaced`: made anew with its counters, beyond its sequence numbers. `updated`: marks packets otherwise. */
  readonly manner: 'replaced' | 'updated'
}

export interface AssociationOutcome {
  readonly add: readonly SecurityAssociation[]
  readonly change: readonly AssociationChange[]
  readonly move: readonly AssociationMove[]
  readonly remove: readonly SecurityAssociation[]
  /** Absent where the configuration has no SAs: then nobody counted them. */
  readonly untouched?: number
}

export interface Outcome {
  /** Absent where the configuration has no rules. */
  readonly rules?: RulePlan
  /** Absent where the configuration has no SAs, and none has to move. */
  readonly associations?: AssociationOutcome
  readonly counts: Counts
  readonly before: PolicyState
  readonly after: PolicyState
  readonly reconciliation: Reconciliation
}

/** @param hasRules the configuration has rules */
export function outcomeOf(before: PolicyState, change: PlannedChange, hasRules: boolean): Outcome {
  const { next, reconciliation } = change
  const rules = hasRules ? planRules(before, next) : undefined
  const associations = associationsOf(change)
  const count = (kind: 'add' | 'change' | 'remove'): number =>
    (rules?.[kind].length ?? 0) + (associations?.[kind].length ?? 0)
  return {
    ...(rules && { rules }),
    ...(associations && { associations }),
    counts: {
      add: count('add'),
      change: count('change') + (associations?.move.length ?? 0),
      remove: count('remove'),
      untouched: (rules?.untouched ?? 0) + (associations?.untouched ?? 0),
    },
    before,
    after: next,
    reconciliation,
  }
}

function associationsOf({ associations, reconciliation }: PlannedChange): AssociationOutcome | undefined {
  const plan = associations?.plan
  const moves = new Map(movesOf(reconciliation).map((one) => [saKey(one.association), one]))
  const changes = (plan?.change ?? []).map((one): AssociationChange => {
    const also = moves.get(saKey(one.to))
    moves.delete(saKey(one.to))
    return also?.manner === 'replaced' ? { ...one, manner: 'replaced' } : one
  })
  const move = [...moves.values()]
  if (!plan) return move.length === 0 ? undefined : { add: [], change: [], move, remove: [] }
  const { add, remove, untouched } = plan
  return { add, change: changes, move, remove, untouched: untouched - move.length }
}

function movesOf({ stateSteps }: Reconciliation): AssociationMove[] {
  return stateSteps.flatMap((step): AssociationMove[] => {
    if (step.kind !== 'message') return []
    const { message } = step
    if (message.name !== 'NEWSA' && message.name !== 'UPDSA') return []
    const association = readState(message)?.association
    return association ? [{ association, manner: message.name === 'NEWSA' ? 'replaced' : 'updated' }] : []
  })
}
