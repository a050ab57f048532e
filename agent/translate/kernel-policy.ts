/**
 * A policy as the kernel stores it, without what the kernel adds (index, counters).
 *
 * @module
 */
import { action, type dir } from '../../netlink/xfrm/constants.ts'
import type { Mark, Selector, UserTmpl } from '../../netlink/xfrm/structs.ts'

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
  const plain = { dir: direction, sel, priority, action: what, tmpl }
  return mark ? { ...plain, mark } : plain
}

/**
 * What the kernel knows a policy by: direction, selector and mark. Two policies with equal keys cannot both be
 * installed, whatever their priorities.
 */
export function identityOf({
  dir: direction,
  sel,
  mark,
}: Pick<KernelPolicy, 'dir' | 'sel' | 'mark'>): string {
  const numbers =
    `${direction} ${sel.prefixlen_s} ${sel.prefixlen_d} ${sel.proto} ${sel.sport}/${sel.sport_mask} ` +
    `${sel.dport}/${sel.dport_mask} ${sel.ifindex} ${sel.user} ${sel.family}`
  const marked = mark && mark.m !== 0 ? ` ${(mark.v & mark.m) >>> 0}/${mark.m}` : ''
  return `${numbers}${marked} ${bytesKey(sel.saddr)}${bytesKey(sel.daddr)}`
}

function bytesKey(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[])
}

/**
 * Leaves out policies that can never be consulted because a better-placed one has the same identity (a rule for
 * `lport 80` and a later one for `ulp tcp lport 80` meet in TCP).
 */
export function withoutShadowed(policies: readonly KernelPolicy[]): KernelPolicy[] {
  const best = new Map<string, KernelPolicy>()
  for (const policy of policies) {
    const key = identityOf(policy)
    const rival = best.get(key)
    if (!rival || policy.priority < rival.priority) best.set(key, policy)
  }
  return best.size === policies.length ? [...policies] : [...best.values()]
}
