/**
 * The kernel's policy table in memory: what NEWPOLICY, UPDPOLICY and DELPOLICY do to it.
 *
 * @module
 */
import type { InstalledPolicy } from '../../../agent/reconcile/plan.ts'
import { identityOf, type KernelPolicy } from '../../../agent/translate/kernel-policy.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'

export type Refusal = 'EEXIST' | 'ENOENT' | 'EINVAL'

export class PolicyTable {
  /** The oldest first. */
  policies: InstalledPolicy[] = []
  #nextIndex = 8

  /** @returns the errno that the kernel would answer with */
  apply(message: XfrmMessage): Refusal | undefined {
    switch (message.name) {
      case 'NEWPOLICY':
      case 'UPDPOLICY':
        return this.#insert(message as XfrmMessage<'NEWPOLICY'>)
      case 'DELPOLICY':
        return this.#remove(message as XfrmMessage<'DELPOLICY'>)
      default:
        throw new TypeError(`${message.name} is not about policies`)
    }
  }

  #insert({ name, body, attributes }: XfrmMessage<'NEWPOLICY'>): Refusal | undefined {
    const { tmpl = [], mark } = attributes
    if (body.index !== 0 && (body.index & 7) !== body.dir) return 'EINVAL'
    const policy: InstalledPolicy = { info: body, tmpl, ifId: 0, ...(mark && { mark }) }
    const old = this.policies.find((one) => keyOf(one) === keyOf(policy))
    if (old && name === 'NEWPOLICY') return 'EEXIST'
    const index = old ? old.info.index : this.#indexFor(body)
    this.policies = this.policies.filter((one) => one !== old)
    this.policies.push({ ...policy, info: { ...body, index } })
    return undefined
  }

  /** The wanted number, or one of the kernel's own where it is taken. */
  #indexFor({ index, dir }: { index: number; dir: number }): number {
    if (index !== 0 && !this.policies.some(({ info }) => info.index === index)) return index
    this.#nextIndex += 8
    return this.#nextIndex | dir
  }

  #remove({ body, attributes: { mark } }: XfrmMessage<'DELPOLICY'>): Refusal | undefined {
    const named = keyOf({ info: body, ...(mark && { mark }) })
    const found = this.policies.find((one) =>
      body.index === 0 ? keyOf(one) === named : one.info.index === body.index,
    )
    if (!found) return 'ENOENT'
    this.policies = this.policies.filter((one) => one !== found)
    return undefined
  }

  /** As the translation makes policies, for look-ups. */
  asKernelPolicies(): KernelPolicy[] {
    return this.policies.map(({ info, tmpl, mark }) => {
      const { dir, sel, priority, action } = info
      return { dir, sel, priority, action, tmpl, ...(mark && { mark }) } as KernelPolicy
    })
  }
}

/** What the kernel knows a policy by. */
export function keyOf(policy: {
  readonly info: Pick<InstalledPolicy['info'], 'dir' | 'sel'>
  readonly mark?: InstalledPolicy['mark'] | undefined
}): string {
  const { dir, sel } = policy.info
  return identityOf({ dir: dir as KernelPolicy['dir'], sel, ...(policy.mark && { mark: policy.mark }) })
}
