/**
 * Single changes to the kernel's tables, as messages.
 *
 * @module
 */
import { proto } from '../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { KernelPolicy } from '../translate/kernel-policy.ts'
import { readAddress } from '../translate/selectors.ts'
import { saKey } from './association-notes.ts'
import type { InstalledPolicy } from './plan.ts'

export type Step =
  | { readonly kind: 'add'; readonly policy: KernelPolicy; readonly index: number }
  | { readonly kind: 'update'; readonly from: InstalledPolicy; readonly to: KernelPolicy }
  | { readonly kind: 'remove'; readonly policy: InstalledPolicy }
  /** A change of an SA; `undo` is absent where the kernel hides the keys that it would take. */
  | { readonly kind: 'message'; readonly message: XfrmMessage; readonly undo?: XfrmMessage }

/** What becomes of SAs, by `saKey`. */
export type AssociationChanges = ReadonlyMap<string, 'made' | 'removed'>

/** What steps do to SAs in the end: one that is removed and made again is made. */
export function associationChanges(steps: readonly Step[]): AssociationChanges {
  const changes = new Map<string, 'made' | 'removed'>()
  for (const step of steps) {
    if (step.kind !== 'message') continue
    const { message } = step
    if (message.name === 'NEWSA' || message.name === 'UPDSA') {
      changes.set(stateKey(message.body.id, message.body.family), 'made')
    } else if (message.name === 'DELSA') changes.set(stateKey(message.body, message.body.family), 'removed')
  }
  return changes
}

/** The `saKey` of the SA that a message is about. */
export function stateKey(
  { daddr, spi, proto: number }: XfrmMessage<'NEWSA'>['body']['id'],
  family: number,
): string {
  const protocol = number === proto.AH ? 'ah' : 'esp'
  return saKey({ protocol, spi, destination: readAddress(daddr, family) })
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
