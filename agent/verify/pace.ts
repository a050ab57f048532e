/**
 * Keeps a program to a share of one processor: it is told when to rest.
 *
 * @module
 */

/** Milliseconds: what may be used in so long may be used at once. */
const WINDOW = 100

export class Pace {
  readonly #share: number
  readonly #used: () => number
  readonly #clock: () => number
  #lastUsed: number
  #lastTime: number
  /** Milliseconds of processor time; less than nothing where too much was used. */
  #left: number

  /**
   * @param percent of one processor
   * @param used processor time of this program so far, milliseconds
   * @param clock milliseconds
   */
  constructor(percent: number, used: () => number, clock: () => number = () => performance.now()) {
    this.#share = percent / 100
    this.#used = used
    this.#clock = clock
    this.#lastUsed = used()
    this.#lastTime = clock()
    this.#left = this.#share * WINDOW
  }

  /** @returns milliseconds for which nothing is to be done; 0 where it may go on */
  rest(): number {
    const [used, time] = [this.#used(), this.#clock()]
    const gained = (time - this.#lastTime) * this.#share - (used - this.#lastUsed)
    this.#left = Math.min(this.#share * WINDOW, this.#left + gained)
    this.#lastUsed = used
    this.#lastTime = time
    if (this.#left > 0) return 0
    // Until the budget of a whole window is there again: few long rests cost less than many short ones.
    return Math.ceil(WINDOW - this.#left / this.#share)
  }
}

/** Processor time of this process, in user and kernel; milliseconds. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
