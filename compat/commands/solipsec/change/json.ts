/**
 * A planned change for programs: `schemas/solipsec-plan.schema.json`.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../../agent/model/algorithm.ts'
import type { RulePlan } from '../../../../agent/reconcile/rule-plan.ts'
import type { CheckedConfiguration } from '../../../configuration/index.ts'
import { planValue } from '../../support/policy-text.ts'
import type { AssociationOutcome, Outcome, TunableOutcome } from './outcome.ts'
import { tunnelsJson } from './tunnels.ts'
import { associationJson, connectionJson, latchJson, ruleJson, tunableJson } from './words.ts'

type Json = Readonly<Record<string, unknown>>

/** @param isApplied the change has been made */
export function planJson(
  file: string,
  outcome: Outcome,
  { algorithms, sockets }: Pick<CheckedConfiguration, 'algorithms' | 'sockets'>,
  { warnings, isApplied }: { readonly warnings: readonly string[]; readonly isApplied: boolean },
): string {
  const { counts, rules, associations, tunables, tunnels, latch, connections, reconciliation } = outcome
  const { associationChanges: _, ...policies } = planValue(reconciliation)
  const value = {
    file,
    applied: isApplied,
    counts,
    ...(rules && { rules: rulesJson(rules) }),
    ...(associations && { associations: associationsJson(associations, algorithms) }),
    ...(tunables && { tunables: tunablesJson(tunables) }),
    ...(tunnels && { tunnels: tunnelsJson(tunnels) }),
    ...(latch && { latch: latchJson(latch) }),
    ...(sockets && { sockets: sockets.map(({ service }) => service) }),
    connections: connections.map((one) => connectionJson(one, outcome.after.latch)),
    kernel: {
      policies,
      associationChanges: reconciliation.steps.filter(({ kind }) => kind === 'message').length,
    },
    warnings,
  }
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** Rules that come, change and go. */
export function rulesJson({ add, change, remove, untouched }: RulePlan): Json {
  return {
    add: add.map(({ rule }) => ruleJson(rule)),
    change: change.map(({ from, to, what }) => ({ what, from: ruleJson(from.rule), to: ruleJson(to.rule) })),
    remove: remove.map(({ rule }) => ruleJson(rule)),
    untouched,
  }
}

/** Tunables that change. */
export function tunablesJson({ change, untouched }: TunableOutcome): Json {
  return { change: change.map(tunableJson), untouched }
}

/** SAs that come, change and go. */
export function associationsJson(
  { add, change, move, remove, untouched }: AssociationOutcome,
  algorithms: AlgorithmTable,
): Json {
  const json = (sa: Parameters<typeof associationJson>[0]) => associationJson(sa, algorithms)
  return {
    add: add.map(json),
    change: [
      ...change.map(({ to, differences, manner }) => ({ ...json(to), differences, manner })),
      ...move.map(({ association, manner }) => ({
        ...json(association),
        differences: ['class'],
        manner,
      })),
    ],
    remove: remove.map(json),
    ...(untouched !== undefined && { untouched }),
  }
}
