/**
 * SAs that nobody uses any more: the kernel has no limit of idleness, so their packets are counted. Pure but for memory.
 *
 * @module
 */
import type { IdleLifetime, SecurityAssociation } from '../model/association.ts'
import { saKey } from '../reconcile/association-notes.ts'
import type { KernelAssociation } from '../translate/read-association.ts'

interface Use {
  readonly packets: bigint
  /** Tells an SA from one that came in its place: the kernel's time of day when it was added. */
  readonly added: bigint
  /** When they were that many for the first time, in seconds. */
  readonly since: number
}

/** Remembers when each SA with a limit was last seen to be used. */
export class IdleWatch {
  readonly #uses = new Map<string, Use>()

  /**
   * Those that have been idle for too long: since they were added where they never had a packet (`idle_addtime`), since
   * the last packet else (`idle_usetime`).
   *
   * @param now seconds of a clock that only goes forward
   * @param age of an SA in seconds, as the kernel has it: by the time of day, so it is only asked for when an SA is seen
   *   first, and clocks that are set later do not count
   */
  overdue(
    own: readonly KernelAssociation[],
    limitsOf: (key: string) => IdleLifetime | undefined,
    now: number,
    age: (one: KernelAssociation) => number,
  ): SecurityAssociation[] {
    const overdue: SecurityAssociation[] = []
    for (const one of own) {
      const key = saKey(one.association)
      const idle = limitsOf(key)
      if (!idle) continue
      const use = this.#use(key, one, now, age)
      const limit = Number(use.packets === 0n ? idle.addTime : idle.useTime)
      if (limit > 0 && now - use.since >= limit) overdue.push(one.association)
    }
    // One that is away for a moment comes again; what has no limit any more does not.
    for (const key of this.#uses.keys()) if (!limitsOf(key)) this.#uses.delete(key)
    return overdue
  }

  #use(key: string, one: KernelAssociation, now: number, age: (one: KernelAssociation) => number): Use {
    const { packets, add_time: added } = one.counters
    const known = this.#uses.get(key)
    if (known?.packets === packets && known.added === added) return known
    const use = { packets, added, since: packets === 0n ? now - Math.max(0, age(one)) : now }
    this.#uses.set(key, use)
    return use
  }
}
