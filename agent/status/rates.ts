/**
 * What has changed from one report to the next, by second.
 *
 * @module
 */
import { type AssociationReport, associationKey, type StatusReport } from './report.ts'

export interface Rate {
  readonly packetsPerSecond: number
  readonly bitsPerSecond: number
}

export interface Rates {
  /** Seconds between the reports. */
  readonly seconds: number
  readonly in: Rate
  readonly out: Rate
  /** By {@link associationKey}; of an SA that is new there is none. */
  readonly associations: ReadonlyMap<string, Rate>
  /** How much the counters of lost packets have grown; those that have not are left out. */
  readonly losses: ReadonlyMap<string, number>
}

const STILL: Rate = { packetsPerSecond: 0, bitsPerSecond: 0 }

/** @returns `undefined` where no time has passed between the two, or the clock was set back */
export function ratesBetween(before: StatusReport, after: StatusReport): Rates | undefined {
  const seconds = after.time - before.time
  if (!(seconds > 0)) return undefined
  const former = new Map(before.associations.map((sa) => [associationKey(sa), sa]))
  const associations = new Map<string, Rate>()
  const sums = { in: STILL, out: STILL }
  for (const sa of after.associations) {
    const key = associationKey(sa)
    const rate = rateOf(former.get(key), sa, seconds)
    if (!rate) continue
    associations.set(key, rate)
    if (sa.direction) sums[sa.direction] = sum(sums[sa.direction], rate)
  }
  const losses = Object.entries(after.losses ?? {}).map(
    ([name, count]) => [name, count - (before.losses?.[name] ?? 0)] as const,
  )
  return { seconds, ...sums, associations, losses: new Map(losses.filter(([, grown]) => grown > 0)) }
}

/** Counters that have fallen were begun anew. */
function rateOf(
  before: AssociationReport | undefined,
  { bytes, packets }: AssociationReport,
  seconds: number,
): Rate | undefined {
  if (!before || packets < before.packets || bytes < before.bytes) return undefined
  return {
    packetsPerSecond: (packets - before.packets) / seconds,
    bitsPerSecond: ((bytes - before.bytes) * 8) / seconds,
  }
}

function sum(a: Rate, b: Rate): Rate {
  return {
    packetsPerSecond: a.packetsPerSecond + b.packetsPerSecond,
    bitsPerSecond: a.bitsPerSecond + b.bitsPerSecond,
  }
}
