/**
 * Decisions by flow, so that policy is looked up once for a connection and not once for a packet. Of two flows that fall
 * into one place the later stays.
 *
 * @module
 */
import { copyFlow, type Flow, hashFlow, newFlow, sameFlow } from '../../../packet/flow.ts'

const PLACES = 4096

interface Entry<Decision> {
  readonly flow: Flow
  mark: number
  generation: number
  decision: Decision
}

export class FlowCache<Decision> {
  readonly #entries: (Entry<Decision> | undefined)[] = new Array(PLACES)

  /** @param generation decisions of another generation do not count any more */
  get(flow: Flow, mark: number, generation: number): Decision | undefined {
    const entry = this.#entries[hashFlow(flow) % PLACES]
    if (entry?.generation !== generation || entry.mark !== mark || !sameFlow(entry.flow, flow))
      return undefined
    return entry.decision
  }

  set(flow: Flow, mark: number, generation: number, decision: Decision): void {
    const place = hashFlow(flow) % PLACES
    let entry = this.#entries[place]
    if (!entry) {
      entry = { flow: newFlow(), mark, generation, decision }
      this.#entries[place] = entry
    }
    copyFlow(flow, entry.flow)
    entry.mark = mark
    entry.generation = generation
    entry.decision = decision
  }
}
