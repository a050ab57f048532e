/**
 * The kernel's policy table in memory: what NEWPOLICY, UPDPOLICY and DELPOLICY do to it.
 *
 * @module
 */
import type { InstalledPolicy } from '../../../agent/reconcile/plan.ts'
import type { KernelPolicy } from '../../../agent/translate/kernel-policy.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import { identityOf } from './identity.ts'

export type Refusal = 'EEXIST' | 'ENOENT' | 'EINVAL'

export class PolicyTable {
  /** By identity; the oldest first. */
  readonly #byKey = new Map<string, InstalledPolicy>()
  readonly #byIndex = new Map<number, string>()
  #nextIndex = 8

  constructor(policies: readonly InstalledPolicy[] = []) {
    for (const policy of policies) this.#put(policy)
  }

  get policies(): InstalledPolicy[] {
    return [...this.#byKey.values()]
  }

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
    const old = this.#byKey.get(keyOf(policy))
    if (old && name === 'NEWPOLICY') return 'EEXIST'
    const index = old ? old.info.index : this.#indexFor(body)
    this.#byKey.delete(keyOf(policy))
    this.#put({ ...policy, info: { ...body, index } })
    return undefined
  }

  #put(policy: InstalledPolicy): void {
    this.#byKey.set(keyOf(policy), policy)
    this.#byIndex.set(policy.info.index, keyOf(policy))
  }

  /** The wanted number, or one of the kernel's own where it is taken. */
  #indexFor({ index, dir }: { index: number; dir: number }): number {
    if (index !== 0 && !this.#byIndex.has(index)) return index
    this.#nextIndex += 8
    return this.#nextIndex | dir
  }

  #remove({ body, attributes: { mark } }: XfrmMessage<'DELPOLICY'>): Refusal | undefined {
    const named = keyOf({ info: body, ...(mark && { mark }) })
    const key = body.index === 0 ? named : (this.#byIndex.get(body.index) ?? '')
    const found = this.#byKey.get(key)
    if (!found) return 'ENOENT'
    this.#byKey.delete(key)
    this.#byIndex.delete(found.info.index)
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
