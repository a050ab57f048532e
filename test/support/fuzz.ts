/**
 * How often a property is tried: as often as the test says, and `SOLIPSEC_FUZZ=N` times as often where that is set.
 *
 * @module
 */

const effort = Math.max(1, Number(process.env.SOLIPSEC_FUZZ) || 1)

const SEED = 20_261_121

/** Parameters of a property of `runs` runs: the same ones each time, or `SOLIPSEC_FUZZ` times as many random ones. */
export function times(runs: number): { numRuns: number; seed?: number } {
  return { numRuns: runs * effort, ...(effort === 1 && { seed: SEED }) }
}
