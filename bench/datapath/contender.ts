/**
 * What is measured: a way for packets from one host to the other.
 *
 * @module
 */
import type { Workplace } from '../support/host.ts'
import { libipsec } from './libipsec.ts'
import { solipsec } from './solipsec.ts'
import { CLEAR } from './table.ts'
import type { Topology } from './topology.ts'

/** A way for packets. One object serves one topology. */
export interface Contender {
  /** Title of its column. */
  readonly name: string
  /** Whether everything on the wire must be ESP or AH; else nothing may be. */
  readonly protects: boolean
  /** Why it cannot be measured here, or `undefined` where it can. May install what it needs. */
  lacking(): string | undefined
  /**
   * Sets it up on both hosts: once this is done, packets between their addresses pass. What it starts must go with
   * {@link Contender.stop}, also where the start failed halfway.
   */
  start(topology: Topology): Promise<void>
  stop(): Promise<void>
}

/** The wire as it is: what protection costs is told by the distance from here. */
const clear: Contender = {
  name: CLEAR,
  protects: false,
  lacking: () => undefined,
  start: async () => {},
  stop: async () => {},
}

/**
 * Everyone who takes part, in the order of the columns. **This is the place where another data path is plugged in.**
 */
export function contenders(place: Workplace): readonly Contender[] {
  return [clear, libipsec(place), solipsec(place, false), solipsec(place, true)]
}
