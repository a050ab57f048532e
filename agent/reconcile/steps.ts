/**
 * Single changes to the kernel's tables, as messages.
 *
 * @module
 */
import { defaultPolicy } from '../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { KernelPolicy } from '../translate/kernel-policy.ts'
import { policyIndex } from './ownership.ts'
import type { InstalledPolicy, PolicyPlan } from './plan.ts'

export type Step =
  | { readonly kind: 'add'; readonly policy: KernelPolicy; readonly index: number }
  | { readonly kind: 'update'; readonly from: InstalledPolicy; readonly to: KernelPolicy }
  | { readonly kind: 'remove'; readonly policy: InstalledPolicy }
  /** A change of an SA; `undo` is absent where the kernel hides the keys that it would take. */
  | { readonly kind: 'message'; readonly message: XfrmMessage; readonly undo?: XfrmMessage }

/**
 * A plan's steps, in an order in which no packet that is protected before and after passes in clear in between:
 * first everything that is new or replaced, then what goes. The kernel asks the best-placed of all policies, old
 * and new; no bypass can be among them for a packet that both sets protect, since bypasses rank above all else in
 * either set.
 *
 * @param serials for the index numbers of new policies
 */
export function policySteps(plan: PolicyPlan, serials: Generator<number, never>): Step[] {
  const add = plan.add.map(
    (policy): Step => ({ kind: 'add', policy, index: policyIndex(serials.next().value, policy.dir) }),
  )
  const update = plan.update.map((change): Step => ({ kind: 'update', ...change }))
  const remove = plan.remove.map((policy): Step => ({ kind: 'remove', policy }))
  return [...add, ...update, ...remove]
}

/** The message that carries a step out. */
export function messageOf(step: Step): XfrmMessage {
  switch (step.kind) {
    case 'add':
      return newPolicy('NEWPOLICY', step.policy, step.index)
    case 'update':
      return newPolicy('UPDPOLICY', step.to, step.from.info.index)
    case 'remove':
      return deletePolicy(step.policy)
    case 'message':
      return step.message
  }
}

/** What all policies of ours have in common: no end, no counts. Shared, so that each message is a few words. */
const PLAIN = defaultPolicy()

function newPolicy(name: 'NEWPOLICY' | 'UPDPOLICY', policy: KernelPolicy, index: number): XfrmMessage {
  const { sel, priority, action, dir, tmpl, mark } = policy
  return {
    name,
    body: { ...PLAIN, sel, priority, action, dir, index },
    attributes: { ...(tmpl.length > 0 && { tmpl }), ...(mark && { mark }) },
  }
}

function deletePolicy({ info: { sel, index, dir }, mark }: InstalledPolicy): XfrmMessage {
  return { name: 'DELPOLICY', body: { sel, index, dir }, attributes: mark ? { mark } : {} }
}
