/**
 * Decisions by flow, so that policy is looked up once for a connection and not once for a packet. Of two flows that fall
 * into one place the later stays.
 *
 * @module
 */
import { copyFlow, type Flow, hashFlow, newFlow, sameFlow } from './flow.ts'

const PLACES = 4096

interface Entry<Decision> {
  readonly flow: Flow
  generation: number
  decision: Decision
}

export class FlowCache<Decision> {
  readonly #entries: (Entry<Decision> | undefined)[] = new Array(PLACES)

  /** @param generation decisions of another generation do not count any more */
  get(flow: Flow, generation: number): Decision | undefined {
    const entry = this.#entries[hashFlow(flow) % PLACES]
    return entry?.generation === generation && sameFlow(entry.flow, flow) ? entry.decision : undefined
  }

  set(flow: Flow, generation: number, decision: Decision): void {
    const place = hashFlow(flow) % PLACES
    let entry = this.#entries[place]
    if (!entry) {
      entry = { flow: newFlow(), generation, decision }
      this.#entries[place] = entry
    }
    copyFlow(flow, entry.flow)
    entry.generation = generation
    entry.decision = decision
  }
}
