/**
 * When the agent does what: one thing after the other, rounds soon after something has woken it, and never so often that
 * nobody else has a turn.
 *
 * @module
 */

/** No more than this share of the time is spent in rounds. */
const SHARE = 0.5

export class Turns {
  readonly #round: () => Promise<unknown>
  #queue: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  /** When the next round comes, by `performance.now()`. */
  #dueAt = Number.POSITIVE_INFINITY
  #isOpen = true

  /** @param round what is done when somebody has called {@link wake} */
  constructor(round: () => Promise<unknown>) {
    this.#round = round
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Does it when all is done that was asked for before. */
  take<T>(what: () => Promise<T> | T): Promise<T> {
    const done = this.#queue.then(what)
    this.#queue = done.catch(() => undefined)
    return done
  }

  /** Lets a round come after so many milliseconds; sooner where one is due sooner. */
  wake(delay: number): void {
    const at = performance.now() + delay
    if (!this.#isOpen || at >= this.#dueAt) return
    this.#plan(at, delay)
  }

  /** Where events never end, commands and others have to have their turn, too. @param took milliseconds of the last round */
  rest(took: number): void {
    const pause = (took * (1 - SHARE)) / SHARE
    const at = performance.now() + pause
    if (!this.#isOpen || this.#dueAt >= at) return
    this.#plan(at, pause)
  }

  /** Lets no round come any more. Resolves when all is done that was asked for. */
  async end(): Promise<void> {
    this.#isOpen = false
    clearTimeout(this.#timer)
    await this.#queue
  }

  #plan(at: number, delay: number): void {
    clearTimeout(this.#timer)
    this.#dueAt = at
    this.#timer = setTimeout(() => {
      this.#dueAt = Number.POSITIVE_INFINITY
      void this.take(this.#round)
    }, delay)
  }
}
