/**
 * SAs that nobody uses any more: the kernel has no limit of idleness, so their packets are counted. Pure but for memory.
 *
 * @module
 */
import type { IdleLifetime, SecurityAssociation } from '../model/association.ts'
import { saKey } from '../reconcile/association-notes.ts'
import type { KernelAssociation } from '../translate/read-association.ts'

interface Use {
  packets: bigint
  /** When they were that many for the first time, in seconds. */
  since: number
}

/** Remembers when each SA with a limit was last seen to be used. */
export class IdleWatch {
  readonly #uses = new Map<string, Use>()

  /**
   * Those that have been idle for too long: since they were added where they never had a packet (`idle_addtime`), since
   * the last packet else (`idle_usetime`).
   *
   * @param now seconds of a clock that only goes forward
   * @param age of an SA in seconds, as the kernel has it
   */
  overdue(
    own: readonly KernelAssociation[],
    limitsOf: (key: string) => IdleLifetime | undefined,
    now: number,
    age: (one: KernelAssociation) => number,
  ): SecurityAssociation[] {
    const seen = new Set<string>()
    const overdue: SecurityAssociation[] = []
    for (const one of own) {
      const key = saKey(one.association)
      const idle = limitsOf(key)
      if (!idle) continue
      seen.add(key)
      const { packets } = one.counters
      const use = this.#use(key, packets, now)
      const limit = Number(packets === 0n ? idle.addTime : idle.useTime)
      const length = packets === 0n ? age(one) : now - use.since
      if (limit > 0 && length >= limit) overdue.push(one.association)
    }
    for (const key of this.#uses.keys()) if (!seen.has(key)) this.#uses.delete(key)
    return overdue
  }

  #use(key: string, packets: bigint, now: number): Use {
    const known = this.#uses.get(key)
    if (known?.packets === packets) return known
    const use = { packets, since: now }
    this.#uses.set(key, use)
    return use
  }
}
