/**
 * Plans for kernel policies as text and JSON.
 *
 * @module
 */
import type { Reconciliation } from '../../../agent/reconcile/joint-plan.ts'
import { plainPolicy, policyLine } from '../../../agent/reconcile/plain-policy.ts'
import type { PolicyPlan } from '../../../agent/reconcile/plan.ts'

export { type PlainPolicy, plainPolicy, policyLine } from '../../../agent/reconcile/plain-policy.ts'

/** A plan for people: what comes, changes and goes. */
export function planText({ plan, stateSteps }: Reconciliation): string {
  const lines = [
    ...plan.add.map((policy) => `+ ${policyLine(policy)}`),
    ...plan.update.flatMap(({ from, to }) => [`~ ${policyLine(from)}`, `  => ${policyLine(to)}`]),
    ...plan.remove.map((policy) => `- ${policyLine(policy)}`),
  ]
  const { add, update, remove, unchanged } = plan
  lines.push(
    `${add.length} to add, ${update.length} to change, ${remove.length} to remove, ${unchanged} untouched; ` +
      `${stateSteps.length} changes to SAs.`,
  )
  return `${lines.join('\n')}\n`
}

/** A plan as plain values. */
export function planValue({ plan, stateSteps }: Reconciliation) {
  return {
    add: plan.add.map(plainPolicy),
    update: plan.update.map(({ from, to }) => ({ from: plainPolicy(from), to: plainPolicy(to) })),
    remove: plan.remove.map(plainPolicy),
    unchanged: plan.unchanged,
    associationChanges: stateSteps.length,
  }
}

/** A plan for programs. */
export function planJson(reconciliation: Reconciliation): string {
  return `${JSON.stringify(planValue(reconciliation), undefined, 2)}\n`
}

/** Why ours cannot go where another program's policies stand. */
export function describeConflict(conflicts: PolicyPlan['conflicts']): string {
  const lines = conflicts.slice(0, 10).map(({ foreign }) => `  ${policyLine(foreign)}`)
  const more = conflicts.length > lines.length ? [`  and ${conflicts.length - lines.length} more`] : []
  return [
    'policies of another program have the same selectors, and the kernel keeps only one of each:',
    ...lines,
    ...more,
    'help: remove them, or leave these packets out of the rules.',
  ].join('\n')
}
