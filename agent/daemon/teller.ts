/**
 * Tells of what rounds found. Drift that stands from round to round is told once.
 *
 * @module
 */
import { isDrift } from './drift.ts'
import type { Tell } from './events.ts'
import type { RoundReport } from './round.ts'
import { roundEvents } from './words.ts'

export class Teller {
  readonly #tell: Tell
  #drifts = 0
  #standing = ''

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** How often drift was found. */
  get drifts(): number {
    return this.#drifts
  }

  take(report: RoundReport): void {
    const { drift, isApplied } = report
    const events = roundEvents(report)
    const text = isDrift(drift) && !isApplied ? JSON.stringify(events) : ''
    const isKnown = text !== '' && text === this.#standing
    this.#standing = text
    if (isKnown) return
    if (isDrift(drift)) this.#drifts++
    for (const event of events) this.#tell(event)
  }
}
