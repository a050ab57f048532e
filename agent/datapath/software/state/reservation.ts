/**
 * Numbers that must never be used twice, not even by a program that was killed and started again: before any of them
 * is used, a mark behind a whole block of them is written down; whoever comes after begins behind the mark.
 *
 * @module
 */

/** Writes the mark down. It must be where the next program finds it when this returns. */
export type WriteMark = (mark: number) => void

/** A counter that goes up by one, with the highest number written down ahead of its use. */
export class ReservedCounter {
  #last: number
  #mark: number
  readonly #limit: number
  readonly #block: number
  readonly #write: WriteMark

  /**
   * @param last the last number that was, or may have been, used
   * @param limit the last number that may be used at all
   * @param block numbers between two writings
   */
  constructor(last: number, limit: number, block: number, write: WriteMark) {
    this.#last = last
    this.#mark = last
    this.#limit = limit
    this.#block = block
    this.#write = write
  }

  /** The last number given out. */
  get last(): number {
    return this.#last
  }

  /** The mark as it was written down: numbers up to it count as used. */
  get mark(): number {
    return this.#mark
  }

  /** The next number; 0 when there is none left. */
  take(): number {
    if (this.#last >= this.#limit) return 0
    const next = this.#last + 1
    if (next > this.#mark) this.#reserve()
    this.#last = next
    return next
  }

  /** Moves on to another number, which may be higher only. */
  skipTo(last: number): void {
    if (last < this.#last) throw new RangeError('numbers that were used once would be used again')
    this.#last = last
    if (last > this.#mark) this.#reserve()
  }

  #reserve(): void {
    const mark = Math.min(this.#last + this.#block, this.#limit)
    this.#write(mark)
    this.#mark = mark
  }
}
