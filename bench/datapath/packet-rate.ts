/**
 * How many UDP packets a second a path carries without loss.
 *
 * The sender is ours, not iperf3: that one sends one packet a call, and its receiver loses packets to a small socket
 * buffer long before a path does. Here the kernel of the receiving host counts what arrives and throws it away, so
 * that only the path is measured.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { outputWithin, wait } from './processes.ts'
import { type Attempt, type HighestRate, highestRate } from './search.ts'
import { countsOf, type Host, on, PROBE_PORT, type Topology } from './topology.ts'

/** Seconds of one attempt. */
const SECONDS = 1
/** Milliseconds without an arrival after which nothing is on its way any more, and how often that is waited for. */
const SILENCE = 100
const PATIENCE = 20

const SENDER = fileURLToPath(new URL('sender.js', import.meta.url))

/** The highest rate of UDP packets of `size` bytes of payload, from left to right. */
export function packetRate(topology: Topology, size: number): Promise<HighestRate> {
  return highestRate((rate) => attempt(topology, size, rate))
}

/** Sends `rate` packets a second and counts what arrives. */
export async function attempt({ left, right }: Topology, size: number, rate: number): Promise<Attempt> {
  const before = countsOf(right).payload
  const numbers = [PROBE_PORT, size, rate, SECONDS].map(String)
  const report = await outputWithin(
    SECONDS + 10,
    on(left, process.execPath, SENDER, right.address, ...numbers),
  )
  const { sent, seconds } = JSON.parse(report) as Omit<Attempt, 'arrived'>
  return { sent, seconds, arrived: ((await settledPayload(right)) - before) / size }
}

/** The bytes of payload once there come no more of them. */
async function settledPayload(host: Host): Promise<number> {
  let last = -1
  for (let i = 0; i < PATIENCE; i++) {
    const { payload } = countsOf(host)
    if (payload === last) break
    last = payload
    await wait(SILENCE)
  }
  return last
}
