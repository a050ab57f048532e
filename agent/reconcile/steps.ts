/**
 * Single changes to the kernel's tables, as messages.
 *
 * @module
 */
import { defaultPolicy } from '../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { KernelPolicy } from '../translate/kernel-policy.ts'
import type { InstalledPolicy } from './plan.ts'

export type Step =
  | { readonly kind: 'add'; readonly policy: KernelPolicy; readonly index: number }
  | { readonly kind: 'update'; readonly from: InstalledPolicy; readonly to: KernelPolicy }
  | { readonly kind: 'remove'; readonly policy: InstalledPolicy }
  /** A change of an SA; `undo` is absent where the kernel hides the keys that it would take. */
  | { readonly kind: 'message'; readonly message: XfrmMessage; readonly undo?: XfrmMessage }

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
  const { sel, priority, action, dir } = policy
  const { lft, curlft, flags, share } = PLAIN
  return {
    name,
    body: { sel, lft, curlft, priority, index, dir, action, flags, share },
    attributes: attributesOf(policy),
  }
}

function attributesOf({ tmpl, mark }: KernelPolicy): XfrmMessage<'NEWPOLICY'>['attributes'] {
  if (tmpl.length === 0) return mark ? { mark } : {}
  return mark ? { tmpl, mark } : { tmpl }
}

function deletePolicy({ info: { sel, index, dir }, mark }: InstalledPolicy): XfrmMessage {
  return { name: 'DELPOLICY', body: { sel, index, dir }, attributes: mark ? { mark } : {} }
}
