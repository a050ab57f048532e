/**
 * A planned change in the terms of the configuration. Pure.
 *
 * @module
 */

import type { ConcernedConnection } from '../../../../agent/latch/pins.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import { idleRemark, type TunableChange, tunableChanges } from '../../../../agent/model/tunables.ts'
import { saKey } from '../../../../agent/reconcile/association-notes.ts'
import type { AssociationChange } from '../../../../agent/reconcile/association-plan.ts'
import type { Reconciliation } from '../../../../agent/reconcile/joint-plan.ts'
import type { PlannedChange } from '../../../../agent/reconcile/planner.ts'
import type { PolicyState } from '../../../../agent/reconcile/policy-state.ts'
import { planRules, type RulePlan } from '../../../../agent/reconcile/rule-plan.ts'
import type { TunnelPlan } from '../../../../agent/reconcile/tunnel-plan.ts'
import { readState } from '../../../../agent/translate/read-association.ts'
import type { CheckedConfiguration } from '../../../configuration/index.ts'
import { tunableEntries } from '../../../configuration/tunable-values.ts'

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

export interface TunableOutcome {
  readonly change: readonly TunableChange[]
  /** Those that the configuration names and that are as it says. */
  readonly untouched: number
}

export interface Outcome {
  /** Absent where the configuration has no rules. */
  readonly rules?: RulePlan
  /** Absent where the configuration has no SAs, and none has to move. */
  readonly associations?: AssociationOutcome
  /** Absent where the configuration has no tunables. */
  readonly tunables?: TunableOutcome
  /** Absent where the configuration has no tunnels. */
  readonly tunnels?: TunnelPlan
  /** Absent where it stays as it is. */
  readonly latch?: { readonly from: boolean; readonly to: boolean }
  /** Connections for which the new rules decide otherwise. */
  readonly connections: readonly ConcernedConnection[]
  readonly counts: Counts
  readonly before: PolicyState
  readonly after: PolicyState
  readonly reconciliation: Reconciliation
}

/** @param configuration what was asked for: what it has no section for is not told of */
export function outcomeOf(
  before: PolicyState,
  change: PlannedChange,
  configuration: Pick<CheckedConfiguration, 'rules' | 'tunables'>,
): Outcome {
  const { next, reconciliation, tunnels, connections = [] } = change
  const latch = before.latch === next.latch ? undefined : { from: before.latch, to: next.latch }
  const rules = configuration.rules ? planRules(before, next) : undefined
  const associations = associationsOf(change)
  const tunables = configuration.tunables && tunablesOutcome(before, next, configuration.tunables)
  const count = (kind: 'add' | 'change' | 'remove'): number =>
    (rules?.[kind].length ?? 0) + (associations?.[kind].length ?? 0) + (tunnels?.[kind].length ?? 0)
  return {
    ...(rules && { rules }),
    ...(associations && { associations }),
    ...(tunables && { tunables }),
    ...(tunnels && { tunnels }),
    ...(latch && { latch }),
    connections,
    counts: {
      add: count('add'),
      change:
        count('change') + (associations?.move.length ?? 0) + (tunables?.change.length ?? 0) + (latch ? 1 : 0),
      remove: count('remove'),
      untouched:
        (rules?.untouched ?? 0) +
        (associations?.untouched ?? 0) +
        (tunables?.untouched ?? 0) +
        (tunnels?.untouched ?? 0),
    },
    before,
    after: next,
    reconciliation,
  }
}

/** @param asked the section of the document */
export function tunablesOutcome(
  before: PolicyState,
  after: PolicyState,
  asked: NonNullable<CheckedConfiguration['tunables']>,
): TunableOutcome {
  const change = tunableChanges(before.tunables, after.tunables)
  const changing = new Set(change.map(({ tunable }) => tunable.name))
  return { change, untouched: tunableEntries(asked).filter(([name]) => !changing.has(name)).length }
}

/** What is asked for and does nothing here, as sentences. */
export function idleRemarks({ tunables }: Outcome): string[] {
  return (tunables?.change ?? []).flatMap((change) => idleRemark(change) ?? [])
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
