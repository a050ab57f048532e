/**
 * At most one message about refused packets an interval (`ipsec_policy_log_interval`), with the counts of all that were
 * refused since the one before. Pure but for what it remembers.
 *
 * @module
 */
import { addFailures, type PolicyFailure } from './failures.ts'

export class Limiter {
  #waiting: PolicyFailure[] = []
  /** When the last message went out. */
  #last = Number.NEGATIVE_INFINITY

  /**
   * @param now milliseconds, by a clock that only goes forward
   * @param interval milliseconds; 0: nothing is ever told
   * @returns what is to be told now, which then counts as told; empty where nothing is
   */
  take(failures: readonly PolicyFailure[], now: number, interval: number): readonly PolicyFailure[] {
    if (interval === 0) {
      this.#waiting = []
      return []
    }
    this.#waiting = addFailures(this.#waiting, failures)
    if (this.#waiting.length === 0 || now - this.#last < interval) return []
    const told = this.#waiting
    this.#waiting = []
    this.#last = now
    return told
  }
}
