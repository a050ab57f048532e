/**
 * Everything that is measured of a path.
 *
 * @module
 */
import { idleRoundTrips, loadedRoundTrips, type RoundTrips } from './latency.ts'
import { packetRate } from './packet-rate.ts'
import { throughput } from './tcp.ts'
import type { Topology } from './topology.ts'

export type Unit = 'Mbit/s' | 'packets/s' | 'ms'

/** What a number says. */
export interface Figure {
  readonly what: string
  readonly unit: Unit
  /** What is wanted of it, as a part of what the peer reaches. */
  readonly target?: { readonly bound: 'least' | 'most'; readonly ratio: number }
}

/** A number that was measured. */
export interface Reading {
  readonly value: number
  /** The path may do better: what measures it could not. */
  readonly isAtLeast?: boolean
}

/** One measurement: a reading for each of its figures, in their order. */
export interface Measurement {
  readonly figures: readonly Figure[]
  /** @param seconds that a throughput is measured for */
  run(topology: Topology, seconds: number): Promise<readonly Reading[]>
}

function tcp(streams: number, reverse: boolean): Measurement {
  const what = `TCP, ${streams} stream${streams > 1 ? 's' : ''} ${reverse ? '←' : '→'}`
  return {
    figures: [{ what, unit: 'Mbit/s', target: { bound: 'least', ratio: 3 } }],
    run: async (topology, seconds) => [{ value: await throughput(topology, { seconds, streams, reverse }) }],
  }
}

function udp(size: number): Measurement {
  return {
    figures: [
      { what: `UDP, ${size} bytes, loss < 0.1 %`, unit: 'packets/s', target: { bound: 'least', ratio: 2 } },
    ],
    run: async (topology) => {
      const { rate, isSendersLimit } = await packetRate(topology, size)
      return [{ value: rate, isAtLeast: isSendersLimit }]
    },
  }
}

function ping(when: string, measure: (topology: Topology) => Promise<RoundTrips>): Measurement {
  return {
    figures: [
      { what: `ping, ${when}, p50`, unit: 'ms' },
      { what: `ping, ${when}, p99`, unit: 'ms', target: { bound: 'most', ratio: 1 } },
    ],
    run: async (topology) => {
      const { p50, p99 } = await measure(topology)
      return [{ value: p50 }, { value: p99 }]
    },
  }
}

export const measurements: readonly Measurement[] = [
  tcp(1, false),
  tcp(1, true),
  tcp(4, false),
  tcp(4, true),
  udp(1300),
  udp(64),
  ping('idle', idleRoundTrips),
  ping('beside TCP', loadedRoundTrips),
]
