/**
 * Which policies of ours have refused packets lately: those that do nothing but refuse, by the time of their last use.
 * What a policy with templates refused cannot be told from what it let through. Pure.
 *
 * @module
 */
import { action, dir } from '../../netlink/xfrm/constants.ts'
import { formatPrefix } from '../model/address.ts'
import { isOurPolicyIndex } from '../reconcile/ownership.ts'
import type { InstalledPolicy } from '../reconcile/plan.ts'
import type { LoadedRule, PolicyState } from '../reconcile/policy-state.ts'
import { ruleLine } from '../reconcile/rule-plan.ts'
import { positionOf } from '../translate/priorities.ts'
import { readAddress } from '../translate/selectors.ts'
import type { FailureDirection } from './failures.ts'

/** A policy that refused, and the packets that it is about. */
export interface Refuser {
  readonly direction: FailureDirection
  /** Source and destination as prefixes: that of the packet is among them. */
  readonly source: string
  readonly destination: string
  /** Upper-layer protocol, where the policy is about one. */
  readonly protocol?: number
  /** File, line and text of the rule; absent for what holds around all rules. */
  readonly rule?: { readonly file: string; readonly line: number; readonly text: string }
}

/** @param since seconds since 1970; who was used in that second counts */
export function refusersSince(
  policies: readonly InstalledPolicy[],
  { rules }: Pick<PolicyState, 'rules'>,
  since: number,
): Refuser[] {
  const blocking = policies.filter(
    ({ info }) =>
      info.action === action.BLOCK && isOurPolicyIndex(info.index) && Number(info.curlft.use_time) >= since,
  )
  if (blocking.length === 0) return []
  const byPosition = new Map<number, LoadedRule>()
  for (const loaded of rules) for (const { position } of loaded.placements) byPosition.set(position, loaded)
  return blocking.map(({ info: { dir: direction, sel, priority } }): Refuser => {
    const { rule } = byPosition.get(positionOf(priority) ?? -1) ?? {}
    return {
      direction: direction === dir.OUT ? 'out' : 'in',
      source: formatPrefix({ ...readAddress(sel.saddr, sel.family), length: sel.prefixlen_s }),
      destination: formatPrefix({ ...readAddress(sel.daddr, sel.family), length: sel.prefixlen_d }),
      ...(sel.proto !== 0 && { protocol: sel.proto }),
      ...(rule && { rule: { file: rule.file, line: rule.span.line, text: ruleLine(rule) } }),
    }
  })
}
