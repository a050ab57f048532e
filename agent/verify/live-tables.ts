/**
 * Policies and SAs as they change. A packet is held against what was in force when it passed, and nobody knows exactly
 * when a change took effect for it: so what fails must fail under all that may have been in force then.
 *
 * @module
 */
import { NetlinkError } from '../../netlink/socket/error.ts'
import type { XfrmTables } from '../../netlink/xfrm/connection.ts'
import { wipeKeys } from '../../netlink/xfrm/keys.ts'
import { KeyRing } from '../capture/key-ring.ts'
import { type SaMessage, saFromDump } from '../capture/viewed-sa.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import { type HostFacts, sameFacts } from './host-facts.ts'
import { Snapshot } from './snapshot.ts'

/** Milliseconds for which a packet may be under way between policy and wire: a queue, a neighbour's address. */
const UNDER_WAY = 1000
const MOST_SNAPSHOTS = 32
/** Reading large tables must not take all the time: a tenth of it, and what was saved up, in milliseconds. */
const SHARE = 0.1
const MOST_SAVED = 500

/** Where they come from. */
export interface TableSource {
  /** @throws NetlinkError */
  tables(): XfrmTables
  /** True where `tables` may have changed since the last call. @throws NetlinkError */
  changed(): boolean
  facts(): HostFacts
}

interface Past {
  readonly snapshot: Snapshot
  /** When the next one was there. */
  readonly replaced: number
}

export class LiveTables {
  readonly ring: KeyRing
  readonly #source: TableSource
  readonly #clock: () => number
  #current: Snapshot
  /** The latest first. */
  readonly #past: Past[] = []
  /** SAs of the last reading. */
  #states: readonly SaMessage[] = []
  /** Those of them whose keys the ring has now. */
  readonly #adopted = new WeakSet<SaMessage>()
  /** All changes up to then are known. */
  #settled: number
  #hasChanged = false
  /** Milliseconds that reading may take; tables are read for as long as there are any. And as of when. */
  #saved = MOST_SAVED
  #savedAt: number

  /**
   * @param clock milliseconds since 1970
   * @throws NetlinkError
   */
  constructor(source: TableSource, algorithms: AlgorithmTable, clock: () => number = Date.now) {
    this.#source = source
    this.#clock = clock
    const make = (message: SaMessage) => {
      const sa = saFromDump(message, algorithms)
      if (sa) this.#adopted.add(message)
      return sa
    }
    // It never asks by itself: who finds an SA missing settles, and then looks again.
    this.ring = new KeyRing({ dump: () => this.#states, make }, Number.POSITIVE_INFINITY)
    this.#settled = clock()
    this.#savedAt = this.#settled
    this.#current = this.#read()
  }

  get current(): Snapshot {
    return this.#current
  }

  /** Those that may have been in force for a packet of this time, the latest first. */
  *at(time: number): Generator<Snapshot, void> {
    let { current: snapshot } = this
    for (const past of this.#past) {
      if (time >= past.snapshot.moment.begun) yield snapshot
      if (time > past.replaced + UNDER_WAY) return
      snapshot = past.snapshot
    }
    yield snapshot
  }

  /**
   * Makes sure that all changes up to a time are known.
   *
   * @param time that of a packet; milliseconds since 1970
   * @returns false where that is not possible just now
   * @throws NetlinkError
   */
  settle(time: number): boolean {
    if (time < this.#settled && !this.#hasChanged) return true
    const now = this.#clock()
    this.#hasChanged = this.#source.changed() || this.#hasChanged
    const hasMoved = !sameFacts(this.#current.facts, this.#source.facts())
    if (!this.#hasChanged && !hasMoved) {
      this.#settled = now
      return true
    }
    if (!this.#mayRead(now)) return false
    try {
      this.#replace(this.#read(this.#current))
    } catch (error) {
      if (error instanceof NetlinkError && error.code === 'ERR_NETLINK_INCONSISTENT_DUMP') return false
      throw error
    }
    this.#settled = now
    return true
  }

  #mayRead(now: number): boolean {
    this.#saved = Math.min(MOST_SAVED, this.#saved + SHARE * Math.max(0, now - this.#savedAt))
    this.#savedAt = now
    return this.#saved > 0
  }

  #replace(snapshot: Snapshot): void {
    this.#past.unshift({ snapshot: this.#current, replaced: snapshot.moment.taken })
    const isKept = ({ replaced }: Past) => replaced + 10 * UNDER_WAY > snapshot.moment.taken
    while (this.#past.length > MOST_SNAPSHOTS || (this.#past.length > 1 && !this.#past.every(isKept)))
      this.#past.pop()
    this.#current = snapshot
  }

  #read(former?: Snapshot): Snapshot {
    const begun = this.#clock()
    // What changes from here on is seen as a change of what is read now.
    this.#source.changed()
    const tables = this.#source.tables()
    const facts = this.#source.facts()
    const taken = this.#clock()
    this.#hasChanged = false
    this.#saved -= taken - begun
    this.#states = tables.states
    const snapshot = new Snapshot(tables, facts, { begun, taken }, former)
    this.ring.load()
    for (const state of tables.states) if (!this.#adopted.has(state)) wipeKeys(state)
    this.#states = []
    return snapshot
  }

  /** Forgets all keys. */
  destroy(): void {
    this.ring.destroy()
  }
}
