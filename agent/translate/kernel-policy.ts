/**
 * A policy as the kernel stores it, without what the kernel adds (index, counters).
 *
 * @module
 */
import { action, type dir } from '../../netlink/xfrm/constants.ts'
import type { Mark, Selector, UserTmpl } from '../../netlink/xfrm/structs.ts'
import { PolicyMap } from './policy-map.ts'

export type PolicyDirection = typeof dir.IN | typeof dir.OUT | typeof dir.FWD
export type PolicyAction = typeof action.ALLOW | typeof action.BLOCK

export interface KernelPolicy {
  readonly dir: PolicyDirection
  readonly sel: Selector
  readonly priority: number
  readonly action: PolicyAction
  /** Innermost first. Lists are shared between policies: treat them as immutable. */
  readonly tmpl: readonly UserTmpl[]
  /** Absent = the mark is not looked at. */
  readonly mark?: Mark
}

/** Lets matching packets through, or asks them to be protected as `tmpl` says. */
export function allow(
  direction: PolicyDirection,
  sel: Selector,
  priority: number,
  tmpl: readonly UserTmpl[] = NO_TEMPLATES,
  mark?: Mark,
): KernelPolicy {
  return policy(direction, sel, priority, action.ALLOW, tmpl, mark)
}

/** Drops matching packets. */
export function block(
  direction: PolicyDirection,
  sel: Selector,
  priority: number,
  mark?: Mark,
): KernelPolicy {
  return policy(direction, sel, priority, action.BLOCK, NO_TEMPLATES, mark)
}

const NO_TEMPLATES: readonly UserTmpl[] = []

function policy(
  direction: PolicyDirection,
  sel: Selector,
  priority: number,
  what: PolicyAction,
  tmpl: readonly UserTmpl[],
  mark: Mark | undefined,
): KernelPolicy {
  return mark
    ? { dir: direction, sel, priority, action: what, tmpl, mark }
    : { dir: direction, sel, priority, action: what, tmpl }
}

/**
 * Leaves out policies that can never be consulted because a better-placed one has the same identity (a rule for
 * `lport 80` and a later one for `ulp tcp lport 80` meet in TCP).
 */
export function withoutShadowed(policies: readonly KernelPolicy[]): readonly KernelPolicy[] {
  const best = new PolicyMap<KernelPolicy>(policies.length)
  for (const policy of policies) {
    const rival = best.getOrSet(policy, policy)
    if (policy.priority < rival.priority) best.set(policy, policy)
  }
  return best.size === policies.length ? policies : policies.filter((policy) => best.get(policy) === policy)
}
