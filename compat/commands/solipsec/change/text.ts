/**
 * A planned change for people: `+` comes, `~` changes, `-` goes. Below, when asked for, the kernel's objects.
 *
 * @module
 */

import type { AlgorithmTable } from '../../../../agent/model/algorithm.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import { counted } from '../../../../agent/model/counted.ts'
import { saKey } from '../../../../agent/reconcile/association-notes.ts'
import type { LoadedRule } from '../../../../agent/reconcile/policy-state.ts'
import { type RuleChange, type RulePlan, ruleLine } from '../../../../agent/reconcile/rule-plan.ts'
import type { TunnelPlan } from '../../../../agent/reconcile/tunnel-plan.ts'
import { connectionLines } from '../../support/connections.ts'
import { policyLines, stateLines } from './kernel-lines.ts'
import type { AssociationOutcome, Counts, Outcome } from './outcome.ts'
import { changeText, tunnelText } from './tunnels.ts'
import { associationLine, ruleText, tunableText } from './words.ts'

/** Everything, ending in the line with the counts. */
export function planText(outcome: Outcome, algorithms: AlgorithmTable, verbose: boolean): string {
  const lines = [
    ...tunnelSection(outcome.tunnels),
    ...ruleSection(outcome, verbose),
    ...associationSection(outcome, algorithms, verbose),
    ...tunableSection(outcome),
    ...connectionSection(outcome),
    ...kernelLine(outcome),
    `Plan: ${countsText(outcome.counts)}.`,
  ]
  return `${lines.join('\n')}\n`
}

/** `3 to add, 1 to change, 2 to remove, 40 untouched`. */
export function countsText({ add, change, remove, untouched }: Counts): string {
  return `${add} to add, ${change} to change, ${remove} to remove, ${untouched} untouched`
}

/** What it takes of the kernel, where that is something. */
export function kernelLine({ reconciliation }: Pick<Outcome, 'reconciliation'>): string[] {
  const { add, update, remove, unchanged } = reconciliation.plan
  const states = reconciliation.steps.filter(({ kind }) => kind === 'message').length
  if (add.length + update.length + remove.length + states === 0) return []
  const counts = { add: add.length, change: update.length, remove: remove.length, untouched: unchanged }
  return [`Kernel policies: ${countsText(counts)}; ${counted(states, 'change')} of SAs.`]
}

function tunnelSection(tunnels: TunnelPlan | undefined): string[] {
  if (!tunnels) return []
  const rows = [
    ...tunnels.add.map((one) => `  + ${tunnelText(one)}`),
    ...tunnels.change.map((one) => `  ~ ${tunnelText(one.to)}  # ${changeText(one)}`),
    ...tunnels.remove.map((one) => `  - ${tunnelText(one)}`),
  ]
  return rows.length === 0 ? [] : ['Tunnels', ...rows, '']
}

function ruleSection(outcome: Outcome, verbose: boolean): string[] {
  const { rules } = outcome
  const kernel = verbose ? policyLines(outcome) : new Map<LoadedRule | undefined, string[]>()
  const below = (loaded: LoadedRule | undefined) => indented(kernel.get(loaded))
  const rows = rules ? ruleRows(rules, below) : []
  const known = new Set(rules ? rulesOf(rules) : [])
  const followers = [...kernel.keys()].filter((loaded) => loaded && !known.has(loaded))
  for (const loaded of followers) {
    if (loaded) rows.push(`    ${ruleText(loaded.rule)}`, ...below(loaded))
  }
  const frame = below(undefined)
  if (frame.length > 0) rows.push('    what holds around all rules', ...frame)
  return rows.length === 0 ? [] : ['Rules', ...rows, '']
}

/** In the order of the rules; what goes comes last. */
function ruleRows(
  { add, change, remove }: RulePlan,
  below: (loaded: LoadedRule) => readonly string[],
): string[] {
  const rows = [
    ...add.map((loaded) => ({
      at: placeOf(loaded),
      lines: [`  + ${ruleText(loaded.rule)}`, ...below(loaded)],
    })),
    ...change.map((one) => ({ at: placeOf(one.to), lines: changeLines(one, below) })),
  ]
  return [
    ...rows.sort((a, b) => a.at - b.at).flatMap(({ lines }) => lines),
    ...remove.flatMap((loaded) => [`  - ${ruleText(loaded.rule)}`, ...below(loaded)]),
  ]
}

function changeLines(
  { from, to, what }: RuleChange,
  below: (loaded: LoadedRule) => readonly string[],
): string[] {
  if (what === 'place') return [`  ~ ${ruleText(to.rule)} (moves)`, ...below(to)]
  return [`  ~ ${ruleLine(from.rule)}`, `    => ${ruleText(to.rule)}`, ...below(to), ...below(from)]
}

function placeOf({ placements: [first] }: LoadedRule): number {
  return first?.position ?? 0
}

function rulesOf({ add, change, remove }: RulePlan): LoadedRule[] {
  return [...add, ...change.flatMap(({ from, to }) => [from, to]), ...remove]
}

function associationSection(
  { associations, reconciliation }: Outcome,
  algorithms: AlgorithmTable,
  verbose: boolean,
): string[] {
  if (!associations) return []
  const kernel = verbose ? stateLines(reconciliation.steps) : new Map<string, string[]>()
  const rows = associationRows(associations, algorithms).flatMap(({ sa, line }) => [
    line,
    ...indented(kernel.get(saKey(sa))),
  ])
  return rows.length === 0 ? [] : ['SAs', ...rows, '']
}

function tunableSection({ tunables, latch }: Outcome): string[] {
  const rows = (tunables?.change ?? []).map((change) => `  ~ ${tunableText(change)}`)
  if (latch) rows.push(`  ~ latch ${latch.from ? 'on => off' : 'off => on'}`)
  return rows.length === 0 ? [] : ['Tunables', ...rows, '']
}

function connectionSection({ connections, after }: Outcome): string[] {
  if (connections.length === 0) return []
  const title = after.latch
    ? 'Connections that keep the policy that they began under'
    : 'Connections that the new rules are about to reach'
  return [title, ...connectionLines(connections), '']
}

interface Row {
  readonly sa: SecurityAssociation
  readonly line: string
}

function associationRows(
  { add, change, move, remove }: AssociationOutcome,
  algorithms: AlgorithmTable,
): Row[] {
  const row = (sign: string, sa: SecurityAssociation, why = ''): Row => ({
    sa,
    line: `  ${sign} ${associationLine(sa, algorithms)}${why}`,
  })
  const manners = { replaced: 'replaced', updated: 'in place' }
  return [
    ...add.map((sa) => row('+', sa)),
    ...change.map(({ to, differences, manner }) =>
      row('~', to, `  # ${differences.join(', ')}; ${manners[manner]}`),
    ),
    ...move.map(({ association, manner }) =>
      row(
        '~',
        association,
        `  # protection class; ${manner === 'replaced' ? 'made anew with its counters' : 'in place'}`,
      ),
    ),
    ...remove.map((sa) => row('-', sa)),
  ]
}

function indented(lines: readonly string[] | undefined): string[] {
  return (lines ?? []).map((line) => `      ${line}`)
}
