/**
 * The difference between the policies that should be and those that are, as steps for the kernel. Pure.
 *
 * @module
 */
import type { Mark, UserpolicyInfo, UserTmpl } from '../../netlink/xfrm/structs.ts'
import { sameBytes } from '../model/bytes.ts'
import type { KernelPolicy } from '../translate/kernel-policy.ts'
import { type PolicyIdentity, PolicyMap } from '../translate/policy-map.ts'
import { isOurPolicyIndex } from './ownership.ts'

/** A policy that the kernel has. */
export interface InstalledPolicy {
  readonly info: UserpolicyInfo
  readonly tmpl: readonly UserTmpl[]
  readonly mark?: Mark
  readonly ifId: number
}

export interface PolicyPlan {
  readonly add: readonly KernelPolicy[]
  /** Same identity, other content: replaced in one step by the kernel. */
  readonly update: readonly { readonly from: InstalledPolicy; readonly to: KernelPolicy }[]
  readonly remove: readonly InstalledPolicy[]
  readonly unchanged: number
  /** Policies of other programs that stand where ours would have to go. */
  readonly conflicts: readonly { readonly foreign: InstalledPolicy; readonly wanted: KernelPolicy }[]
}

/**
 * Steps from `installed` to `desired`. Foreign policies are looked at only to find conflicts; they are never part
 * of a step.
 *
 * @param installed a dump of the main policy table, policies of single sockets left out
 */
export function planPolicies(
  desired: readonly KernelPolicy[],
  installed: readonly InstalledPolicy[],
): PolicyPlan {
  if (installed.length === 0) return { add: desired, update: [], remove: [], unchanged: 0, conflicts: [] }
  const candidates: Candidate[] = []
  const present = new PolicyMap<Candidate>(installed.length)
  for (const policy of installed) {
    if (policy.ifId !== 0) continue
    const candidate = { policy, kept: false }
    candidates.push(candidate)
    present.set(identityOf(policy), candidate)
  }
  const add: KernelPolicy[] = []
  const update: { from: InstalledPolicy; to: KernelPolicy }[] = []
  const conflicts: { foreign: InstalledPolicy; wanted: KernelPolicy }[] = []
  let unchanged = 0
  for (const wanted of desired) {
    const rival = present.get(wanted)
    if (!rival) add.push(wanted)
    else if (!isOurPolicyIndex(rival.policy.info.index)) conflicts.push({ foreign: rival.policy, wanted })
    else {
      rival.kept = true
      if (isSame(rival.policy, wanted)) unchanged++
      else update.push({ from: rival.policy, to: wanted })
    }
  }
  const remove: InstalledPolicy[] = []
  for (const { policy, kept } of candidates) {
    if (!kept && isOurPolicyIndex(policy.info.index)) remove.push(policy)
  }
  return { add, update, remove, unchanged, conflicts }
}

/** An installed policy, and whether it has a place in the new set. A mark is cheaper than a set of objects. */
interface Candidate {
  readonly policy: InstalledPolicy
  kept: boolean
}

function identityOf({ info: { dir, sel }, mark }: InstalledPolicy): PolicyIdentity {
  return { dir, sel, mark }
}

/** True where a plan has nothing to do. */
export function isEmptyPlan({ add, update, remove }: PolicyPlan): boolean {
  return add.length === 0 && update.length === 0 && remove.length === 0
}

function isSame({ info, tmpl }: InstalledPolicy, wanted: KernelPolicy): boolean {
  return (
    info.priority === wanted.priority &&
    info.action === wanted.action &&
    info.flags === 0 &&
    tmpl.length === wanted.tmpl.length &&
    tmpl.every((one, i) => sameTemplate(one, wanted.tmpl[i]))
  )
}

function sameTemplate(a: UserTmpl, b: UserTmpl | undefined): boolean {
  return (
    b !== undefined &&
    a.reqid === b.reqid &&
    a.id.proto === b.id.proto &&
    a.mode === b.mode &&
    a.optional === b.optional &&
    a.id.spi === b.id.spi &&
    a.family === b.family &&
    a.aalgos === b.aalgos &&
    a.ealgos === b.ealgos &&
    a.calgos === b.calgos &&
    sameBytes(a.id.daddr, b.id.daddr) &&
    sameBytes(a.saddr, b.saddr)
  )
}
