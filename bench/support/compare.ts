/**
 * Fair comparison of two ways to do one thing on a machine that is never quiet: both run in turns, so that what
 * slows one down slows the other down as well, and the median is what counts.
 *
 * @module
 */
import { type CommandLine, peakMemory, run } from './execute.ts'

/** One side of a comparison. */
export interface Contender {
  readonly command: CommandLine
  /** Runs before each measured run, outside the measured time. */
  readonly prepare?: () => void
}

/** What was measured of one side. */
export interface Measured {
  /** Wall-clock milliseconds. */
  readonly time: number
  /** Peak resident kilobytes of one more run. */
  readonly memory: number | undefined
}

/** The middle one of some values; of an even number, the upper of the two in the middle. */
export function median(values: readonly number[]): number {
  const middle = [...values].sort((a, b) => a - b)[values.length >> 1]
  if (middle === undefined) throw new RangeError('the median of nothing')
  return middle
}

/** Measures two ways in turns. The first run of each warms the caches and does not count. */
export function compare(
  ours: Contender,
  theirs: Contender,
  rounds: number,
): { ours: Measured; theirs: Measured } {
  const times = { ours: [] as number[], theirs: [] as number[] }
  for (let round = -1; round < rounds; round++) {
    const turn = { ours: once(ours), theirs: once(theirs) }
    if (round < 0) continue
    times.ours.push(turn.ours)
    times.theirs.push(turn.theirs)
  }
  return {
    ours: { time: median(times.ours), memory: memoryOf(ours) },
    theirs: { time: median(times.theirs), memory: memoryOf(theirs) },
  }
}

/** Measures one way alone. */
export function measure(contender: Contender, rounds: number): Measured {
  const times = Array.from({ length: rounds }, () => once(contender))
  return { time: median(times), memory: memoryOf(contender) }
}

function once({ command, prepare }: Contender): number {
  prepare?.()
  return run(command)
}

function memoryOf({ command, prepare }: Contender): number | undefined {
  prepare?.()
  return peakMemory(command)
}
