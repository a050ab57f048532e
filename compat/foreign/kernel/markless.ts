/**
 * What becomes of rules where no mark tells the SAs of a packet apart.
 *
 * @module
 */
import type { Rule } from '../../../agent/model/policy.ts'
import { canBeOptional } from '../../../agent/translate/choice.ts'
import type { ClassTable } from '../../../agent/translate/classes.ts'
import { acceptanceOf } from '../../../agent/translate/combinations.ts'
import { tunnelOf } from '../../../agent/translate/tunnels.ts'
import type { ForeignHost } from '../input.ts'

/**
 * True where a rule accepts several kinds of SAs, and its inbound policy, or that of some peer, can only name one.
 * What accepts one kind or clear text has a policy without a template inbound, and an optional one outbound.
 */
export function isNarrowed(rule: Rule, classes: ClassTable, tunnels: ForeignHost['tunnels']): boolean {
  if (rule.direction === 'out') return false
  const tunnel = rule.tunnel?.mode === 'tunnel' ? tunnelOf(rule, tunnels) : undefined
  const { combinations, clear } = acceptanceOf(rule.actions, classes, tunnel?.endpoints)
  return combinations.length > 1 || (clear && !combinations.every(canBeOptional))
}

/** Linux lets packets in that have more protection than a policy names, where a mark does not tell. */
export function remarkOnMore({ esp, ah }: ClassTable): string[] {
  if (esp.length + ah.length === 0) return []
  return ['without marks, packets with more protection than a rule asks for are let in, not refused.']
}
