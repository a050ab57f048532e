/**
 * Times at which packets were lost to us: what seems to come from nowhere then may belong to one that was not seen.
 *
 * @module
 */

const MOST = 64

interface Gap {
  readonly from: number
  readonly to: number
}

export class Gaps {
  /** The latest last. */
  readonly #gaps: Gap[] = []

  /** Packets were lost between two times (milliseconds). Later calls are about later times. */
  add(from: number, to: number): void {
    const last = this.#gaps.at(-1)
    if (last && last.to >= from) this.#gaps[this.#gaps.length - 1] = { from: last.from, to }
    else this.#gaps.push({ from, to })
    if (this.#gaps.length > MOST) this.#gaps.shift()
  }

  /** True where some may have been lost between two times. What is forgotten counts as lost throughout. */
  touches(from: number, to: number): boolean {
    const [first] = this.#gaps
    if (this.#gaps.length === MOST && first && from < first.from) return true
    return this.#gaps.some((gap) => gap.from <= to && gap.to >= from)
  }
}
