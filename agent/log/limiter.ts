/**
 * Says something at most once an interval, and then how often it would have been said in between.
 *
 * @module
 * @example
 * const limiter = new Limiter({ interval: 1000, now: Date.now })
 * const more = limiter.admit('policy-failure 10.0.0.2')
 * if (more !== undefined) log.warning('policy-failure', { source: '10.0.0.2', more })
 */

export interface LimiterOptions {
  /** Milliseconds between two of the same; 0 = no limit. */
  readonly interval: number
  /** Milliseconds; only differences count. */
  readonly now: () => number
  /** How many different things are remembered: what comes from the network may be many. */
  readonly most?: number
}

/** What was held back of one thing. */
export interface HeldBack {
  readonly key: string
  readonly count: number
}

const MOST_KEYS = 1000

interface Said {
  /** When it was let through. */
  at: number
  /** How often it was not since then. */
  held: number
}

export class Limiter {
  readonly #options: LimiterOptions
  /** In the order in which they were let through. */
  readonly #said = new Map<string, Said>()
  /** Held back of things that there was no room for. */
  #unknown = 0

  constructor(options: LimiterOptions) {
    this.#options = options
  }

  /**
   * @param key what makes two of them the same
   * @returns how often it was held back since it was said last, where it may be said now; else `undefined`
   */
  admit(key: string): number | undefined {
    const { interval, now, most = MOST_KEYS } = this.#options
    const time = now()
    const said = this.#said.get(key)
    if (said && isWithin(said, time, interval)) {
      said.held++
      return undefined
    }
    if (!said && this.#said.size >= most && !this.#makeRoom(time)) {
      this.#unknown++
      return undefined
    }
    this.#said.delete(key)
    this.#said.set(key, { at: time, held: 0 })
    return said?.held ?? 0
  }

  /**
   * What was held back and did not come again within its interval, so that nobody told of it. To be asked for now and
   * then; it is told once. Things that there was no room for have the empty key.
   */
  overdue(): HeldBack[] {
    const { interval, now } = this.#options
    const time = now()
    const found: HeldBack[] = []
    for (const [key, said] of this.#said) {
      if (isWithin(said, time, interval)) continue
      this.#said.delete(key)
      if (said.held > 0) found.push({ key, count: said.held })
    }
    if (this.#unknown > 0) found.push({ key: '', count: this.#unknown })
    this.#unknown = 0
    return found
  }

  /** Forgets one whose time is over and of which nothing was held back. */
  #makeRoom(time: number): boolean {
    for (const [key, said] of this.#said) {
      if (isWithin(said, time, this.#options.interval)) return false
      if (said.held > 0) continue
      this.#said.delete(key)
      return true
    }
    return false
  }
}

/** A clock that was set back ends the interval: better said twice than never. */
function isWithin({ at }: Said, time: number, interval: number): boolean {
  return time >= at && time - at < interval
}
