/**
 * The changes that faults are put into, and the way to where each of them begins.
 *
 * @module
 */
import type { FaultWorld, Target } from './world.ts'

export const NOTHING: Target = { rules: 0, sas: 0 }
export const FIRST: Target = { rules: 1, sas: 1 }
/** Every kind of change. */
export const CHANGES: readonly (readonly [name: string, from: Target, to: Target])[] = [
  ['a load', NOTHING, FIRST],
  ['a replace of all', FIRST, { rules: 2, sas: 2 }],
  ['a replace of policy', FIRST, { rules: 2, sas: 1 }],
  ['a replace of SAs', FIRST, { rules: 1, sas: 2 }],
  ['a replace of SAs without policy', { rules: 0, sas: 1 }, { rules: 0, sas: 2 }],
  ['a flush of policy', FIRST, { rules: 0, sas: 1 }],
  ['a flush of SAs', FIRST, { rules: 1, sas: 0 }],
  ['a flush of all', FIRST, NOTHING],
]

/** Where a host is, and how it gets elsewhere without any fault. */
export class Walk {
  readonly #world: FaultWorld
  /** What the host is at. */
  present: Target = NOTHING

  constructor(world: FaultWorld) {
    this.#world = world
  }

  goTo(target: Target): void {
    const { rules, sas } = this.present
    if (rules === target.rules && sas === target.sas) return
    this.#world.change(this.present, target)
    this.present = target
  }
}
