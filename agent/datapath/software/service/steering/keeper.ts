/**
 * Keeps what steers packets as the policies are, and remembers what it has refused.
 *
 * @module
 */
import type { Databases } from '../../databases.ts'
import type { Counter } from '../../state/statistics.ts'
import type { Tunnels } from '../tunnels.ts'
import { applySteering, isSteering, refusedBySteering } from './nft.ts'

/** Changes come in swarms; whoever cannot wait asks for the counts, which brings everything up to date. */
const DELAY_MS = 50
/** The table's counters are read by a program of their own: not more often than this. */
const REFUSED_FOR_MS = 250
/** Our own changes that may not have been announced yet. */
const MOST_OWN_CHANGES = 16

export class SteeringKeeper {
  readonly #device: string
  readonly #databases: Databases
  readonly #tunnels: Tunnels
  /** What the present table has refused, and until when that is new enough. */
  #refused: ReadonlyMap<Counter, number> = new Map()
  #refusedUntil = 0
  #isStale = true
  /** Who made the last changes for us. */
  readonly #ownChanges: number[] = []
  #timer: NodeJS.Timeout | undefined
  #linksTimer: NodeJS.Timeout | undefined

  /** @param device that packets are steered to */
  constructor(device: string, databases: Databases, tunnels: Tunnels) {
    this.#device = device
    this.#databases = databases
    this.#tunnels = tunnels
  }

  /** Policies have changed: {@link soon} or {@link bring}. */
  policiesChanged(): void {
    this.#isStale = true
  }

  /** An interface that policies are bound to may be another now, or be there again. */
  linksChanged(): void {
    this.#linksTimer ??= setTimeout(() => {
      this.#linksTimer = undefined
      this.#followLinks()
    }, DELAY_MS)
  }

  #followLinks(): void {
    try {
      if (!this.#tunnels.refresh(this.#databases.policies.inOrder())) return
      this.#isStale = true
      this.bring()
    } catch {
      // As it is, a tunnel's packets are refused; the next change tries again.
    }
  }

  /** Brings it up to date, but not before a swarm of changes is over. */
  soon(): void {
    if (this.#isStale) this.#timer ??= setTimeout(() => this.#later(), DELAY_MS)
  }

  /** Brings it up to date now. @throws RequestError where nft cannot do it */
  bring(): void {
    if (!this.#isStale) return
    this.#keepRefused()
    const policies = this.#databases.policies.inOrder()
    this.#tunnels.refresh(policies)
    this.#ownChanges.push(applySteering({ device: this.#device, policies, tunnels: this.#tunnels.list }))
    if (this.#ownChanges.length > MOST_OWN_CHANGES) this.#ownChanges.shift()
    this.#isStale = false
  }

  /**
   * The table has changed: if that was not ourselves, it is made anew, whatever was done to it.
   *
   * @param sender of the announcement; `undefined` where announcements were lost
   */
  restore(sender?: number): void {
    if (sender === undefined ? isSteering() : this.#ownChanges.includes(sender)) return
    this.#isStale = true
    // One change has many announcements.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#later(), 0)
  }

  /** Counters of the databases, with what was refused on the way to them. */
  statistics(): Readonly<Record<string, number>> {
    const now = performance.now()
    if (now >= this.#refusedUntil) {
      this.#refused = refusedBySteering()
      this.#refusedUntil = now + REFUSED_FOR_MS
    }
    const statistics = { ...this.#databases.statistics }
    for (const [name, packets] of this.#refused) statistics[name] += packets
    return statistics
  }

  /** Leaves everything as it is. */
  close(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#linksTimer)
  }

  #later(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      this.bring()
    } catch {
      // What was in force stays in force; whoever asked for the change will be told when it looks.
    }
  }

  /** A new table counts from 0 on. */
  #keepRefused(): void {
    for (const [name, packets] of refusedBySteering()) this.#databases.statistics[name] += packets
    this.#refused = new Map()
    this.#refusedUntil = 0
  }
}
