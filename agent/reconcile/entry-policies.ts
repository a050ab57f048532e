/**
 * Which kernel policies the entries of the loaded rules have become.
 *
 * @module
 */
import { family as af, dir } from '../../netlink/xfrm/constants.ts'
import { positionOf } from '../translate/priorities.ts'
import type { InstalledPolicy } from './plan.ts'
import { entriesOf, type LoadedRule, type RuleEntry } from './policy-state.ts'

/** An entry of a rule, and the kernel policies that make it so; none: it is not in force. */
export interface EntryPolicies {
  readonly entry: RuleEntry
  readonly policies: InstalledPolicy[]
}

/**
 * Joins rules and policies by position, direction and family. What is passed on counts as inbound; policies outside of
 * the rule bands belong to no entry.
 *
 * @param installed policies of ours
 */
export function policiesOfEntries(
  rules: readonly LoadedRule[],
  installed: readonly InstalledPolicy[],
): EntryPolicies[] {
  const found: EntryPolicies[] = []
  const byPosition = new Map<number, EntryPolicies[]>()
  for (const rule of rules) {
    for (const entry of entriesOf(rule)) {
      const one = { entry, policies: [] }
      found.push(one)
      const others = byPosition.get(entry.position)
      if (others) others.push(one)
      else byPosition.set(entry.position, [one])
    }
  }
  for (const policy of installed) {
    const { priority, dir: direction, sel } = policy.info
    const position = positionOf(priority)
    if (position === undefined) continue
    for (const one of byPosition.get(position) ?? []) {
      if (isAbout(one.entry, direction, sel.family)) one.policies.push(policy)
    }
  }
  return found
}

function isAbout(entry: RuleEntry, direction: number, family: number): boolean {
  return (
    (entry.direction === 'out') === (direction === dir.OUT) &&
    (entry.family === 'inet') === (family === af.INET)
  )
}
