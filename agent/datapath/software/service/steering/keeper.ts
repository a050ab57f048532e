/**
 * Keeps what steers packets as the policies are, and remembers what it has refused.
 *
 * @module
 */
import type { Databases } from '../../databases.ts'
import type { Counter } from '../../state/statistics.ts'
import type { Tunnels } from '../tunnels.ts'
import * as systemNft from './nft.ts'

/** Changes come in swarms; whoever cannot wait asks for the counts, which brings everything up to date. */
const DELAY_MS = 50
/** A swarm that has no end is not waited for longer than that, */
const MOST_DELAY_MS = 1000
/** nor than so many times what it took to make the table, which is made of all policies: else there is time for nothing else. */
const PATIENCE = 4
/** The table's counters are read by a program of their own: not more often than this. */
const REFUSED_FOR_MS = 250
/** Our own changes that may not have been announced yet. Of a large table, announcements come late. */
const MOST_OWN_CHANGES = 1000

/** What is done by nft(8). */
export type Nft = Pick<typeof systemNft, 'applySteering' | 'isSteering' | 'refusedBySteering'>

export class SteeringKeeper {
  readonly #device: string
  readonly #databases: Databases
  readonly #tunnels: Tunnels
  readonly #nft: Nft
  /** What the present table has refused, and until when that is new enough. */
  #refused: ReadonlyMap<Counter, number> = new Map()
  #refusedUntil = 0
  #isStale = true
  /** Who made the last changes for us. */
  readonly #ownChanges: number[] = []
  #timer: NodeJS.Timeout | undefined
  /** Since when changes wait to be brought into force. */
  #waitingSince: number | undefined
  /** Milliseconds that the last table took. */
  #took = 0
  #linksTimer: NodeJS.Timeout | undefined

  /** @param device that packets are steered to */
  constructor(device: string, databases: Databases, tunnels: Tunnels, nft: Nft = systemNft) {
    this.#device = device
    this.#databases = databases
    this.#tunnels = tunnels
    this.#nft = nft
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
    if (!this.#isStale) return
    const now = performance.now()
    this.#waitingSince ??= now
    const latest = this.#waitingSince + Math.max(MOST_DELAY_MS, PATIENCE * this.#took)
    clearTimeout(this.#timer)
    this.#timer =
      now < latest ? setTimeout(() => this.#whenQuiet(), DELAY_MS) : setTimeout(() => this.#later(), 0)
  }

  /** Time may be over since something else took it: what has come meanwhile is looked at first, and waited for again. */
  #whenQuiet(): void {
    this.#timer = undefined
    setImmediate(() => {
      if (this.#timer === undefined) this.#later()
    })
  }

  /** Brings it up to date now. @throws RequestError where nft cannot do it */
  bring(): void {
    if (!this.#isStale) return
    const start = performance.now()
    clearTimeout(this.#timer)
    this.#waitingSince = undefined
    this.#keepRefused()
    const policies = this.#databases.policies.inOrder()
    this.#tunnels.refresh(policies)
    this.#ownChanges.push(
      this.#nft.applySteering({ device: this.#device, policies, tunnels: this.#tunnels.list }),
    )
    if (this.#ownChanges.length > MOST_OWN_CHANGES) this.#ownChanges.shift()
    this.#isStale = false
    this.#took = performance.now() - start
  }

  /**
   * The table has changed: if that was not ourselves, it is made anew, whatever was done to it.
   *
   * @param sender of the announcement; `undefined` where announcements were lost
   */
  restore(sender?: number): void {
    if (sender === undefined ? this.#nft.isSteering() : this.#ownChanges.includes(sender)) return
    this.#isStale = true
    // One change has many announcements.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#later(), 0)
  }

  /** Counters of the databases, with what was refused on the way to them. */
  statistics(): Readonly<Record<string, number>> {
    const now = performance.now()
    if (now >= this.#refusedUntil) {
      this.#refused = this.#nft.refusedBySteering()
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
    try {
      this.bring()
    } catch {
      // What was in force stays in force; whoever asked for the change will be told when it looks.
    }
  }

  /** A new table counts from 0 on. */
  #keepRefused(): void {
    for (const [name, packets] of this.#nft.refusedBySteering()) this.#databases.statistics[name] += packets
    this.#refused = new Map()
    this.#refusedUntil = 0
  }
}
