/**
 * Round-trip times, by ping, of a path that has nothing else to do and of one that carries as much TCP as it can.
 *
 * @module
 */
import { outputWithin, wait } from './processes.ts'
import { throughput } from './tcp.ts'
import { on, type Topology } from './topology.ts'

const COUNT = 300
const INTERVAL = 0.01
/** Seconds before and after, in which there must be load already or still. */
const MARGIN = 0.5

/** Of the echo requests that were answered. */
export interface RoundTrips {
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** Round-trip times while nothing else happens. */
export async function idleRoundTrips({ left, right }: Topology): Promise<RoundTrips> {
  const options = ['-n', '-i', String(INTERVAL), '-c', String(COUNT), '-W', '1']
  // All lost is no measurement: ping fails, and so does this.
  const report = await outputWithin(COUNT * INTERVAL + 10, on(left, 'ping', ...options, right.address))
  return roundTrips(report)
}

/** Round-trip times beside one TCP stream in the direction of the requests. */
export async function loadedRoundTrips(topology: Topology): Promise<RoundTrips> {
  const seconds = Math.ceil(COUNT * INTERVAL + 3 * MARGIN)
  const load = throughput(topology, { seconds, streams: 1, reverse: false })
  const measured = wait(1000 * MARGIN).then(() => idleRoundTrips(topology))
  // Both end before anything is said of either.
  const [trips, rate] = await Promise.allSettled([measured, load])
  if (rate.status === 'rejected') throw rate.reason
  if (trips.status === 'rejected') throw trips.reason
  return trips.value
}

/** The median and the 99th percentile (nearest rank) of what ping printed. */
export function roundTrips(report: string): RoundTrips {
  const times = [...report.matchAll(/ time=([\d.]+) ms/g)]
    .map(([, time]) => Number(time))
    .sort((a, b) => a - b)
  const percentile = (part: number) => {
    const time = times[Math.max(0, Math.ceil(part * times.length) - 1)]
    if (time === undefined) throw new Error(`ping: no answer: ${report}`)
    return time
  }
  return { p50: percentile(0.5), p99: percentile(0.99) }
}
