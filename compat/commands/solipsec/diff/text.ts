/**
 * Differences between a configuration and what is loaded, for people and for programs.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../../agent/model/algorithm.ts'
import { append } from '../../../../agent/model/lists.ts'
import type { Reconciliation } from '../../../../agent/reconcile/joint-plan.ts'
import { type RulePlan, ruleLine } from '../../../../agent/reconcile/rule-plan.ts'
import type { TunnelPlan } from '../../../../agent/reconcile/tunnel-plan.ts'
import { associationsJson, rulesJson, tunablesJson } from '../change/json.ts'
import type { AssociationOutcome, TunableOutcome } from '../change/outcome.ts'
import { kernelLine } from '../change/text.ts'
import { tunnelsJson, tunnelText } from '../change/tunnels.ts'
import { associationLine, latchJson, ruleText, tunableText } from '../change/words.ts'

export interface Differences {
  /** Absent where the configuration has no rules. */
  readonly rules?: RulePlan
  /** Absent where the configuration has no SAs. */
  readonly associations?: AssociationOutcome
  /** Absent where the configuration has no tunables. */
  readonly tunables?: TunableOutcome
  /** Absent where the configuration has no tunnels. */
  readonly tunnels?: TunnelPlan
  /** Absent where it is the same. */
  readonly latch?: { readonly from: boolean; readonly to: boolean }
  /** What the kernel has is not what the loaded rules ask for: somebody else changed policies of ours. */
  readonly drift?: Reconciliation
}

export function isSame({ rules, associations, tunables, tunnels, latch, drift }: Differences): boolean {
  const isEmpty = (plan: RulePlan | AssociationOutcome | TunnelPlan | undefined) =>
    !plan || plan.add.length + plan.change.length + plan.remove.length === 0
  if (drift || latch || (tunables?.change ?? []).length > 0) return false
  return isEmpty(rules) && isEmpty(associations) && isEmpty(tunnels)
}

/** As a unified diff(1): `-` is loaded only, `+` stands in the file only, `~` is an SA that differs. */
export function diffText(file: string, found: Differences, algorithms: AlgorithmTable): string {
  if (isSame(found)) return ''
  const lines = ['--- loaded', `+++ ${file}`]
  if (found.tunnels) append(lines, tunnelLines(found.tunnels))
  if (found.rules) append(lines, ruleLines(found.rules))
  if (found.associations) append(lines, associationLines(found.associations, algorithms))
  for (const change of found.tunables?.change ?? []) lines.push(`~ ${tunableText(change)}`)
  if (found.latch) lines.push(`~ latch ${found.latch.from ? 'on => off' : 'off => on'}`)
  if (found.drift) {
    lines.push('! policies of the kernel are not what the loaded rules ask for; to mend that:')
    lines.push(...kernelLine({ reconciliation: found.drift }).map((line) => `! ${line}`))
  }
  return `${lines.join('\n')}\n`
}

function tunnelLines({ add, change, remove }: TunnelPlan): string[] {
  return [
    ...remove.map((one) => `- ${tunnelText(one)}`),
    ...change.map(({ to, differences }) => `~ ${tunnelText(to)}  # ${differences.join(', ')}`),
    ...add.map((one) => `+ ${tunnelText(one)}`),
  ]
}

function ruleLines({ add, change, remove }: RulePlan): string[] {
  return [
    ...remove.map(({ rule }) => `- ${ruleLine(rule)}`),
    ...change.flatMap(({ from, to, what }) =>
      what === 'place'
        ? [`~ ${ruleText(to.rule)} (stands elsewhere)`]
        : [`- ${ruleLine(from.rule)}`, `+ ${ruleText(to.rule)}`],
    ),
    ...add.map(({ rule }) => `+ ${ruleText(rule)}`),
  ]
}

function associationLines({ add, change, remove }: AssociationOutcome, algorithms: AlgorithmTable): string[] {
  return [
    ...remove.map((sa) => `- ${associationLine(sa, algorithms)}`),
    ...change.map(
      ({ to, differences }) => `~ ${associationLine(to, algorithms)}  # ${differences.join(', ')}`,
    ),
    ...add.map((sa) => `+ ${associationLine(sa, algorithms)}`),
  ]
}

/** `schemas/solipsec-diff.schema.json`. */
export function diffJson(file: string, found: Differences, algorithms: AlgorithmTable): string {
  const { rules, associations, tunables, tunnels, latch, drift } = found
  const value = {
    file,
    same: isSame(found),
    ...(rules && { rules: rulesJson(rules) }),
    ...(associations && { associations: associationsJson(associations, algorithms) }),
    ...(tunables && { tunables: tunablesJson(tunables) }),
    ...(tunnels && { tunnels: tunnelsJson(tunnels) }),
    ...(latch && { latch: latchJson(latch) }),
    kernelDiffers: drift !== undefined,
  }
  return `${JSON.stringify(value, undefined, 2)}\n`
}
