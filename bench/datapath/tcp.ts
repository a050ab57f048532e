/**
 * TCP throughput, by iperf3.
 *
 * @module
 */
import { outputWithin, type Service, startService, until } from './processes.ts'
import { on, type Topology } from './topology.ts'

/** A run of iperf3. */
export interface TcpRun {
  readonly seconds: number
  readonly streams: number
  /** The right host sends; else the left one does. */
  readonly reverse: boolean
}

/** Starts what answers {@link throughput}, on the right host. */
export async function startTcpServer({ right }: Topology): Promise<Service> {
  const server = startService(on(right, 'iperf3', '--server', '--forceflush'))
  await until('iperf3 listens', 10, () => server.said().includes('listening') || !server.isRunning())
  if (!server.isRunning()) throw new Error(`iperf3: ${server.said()}`)
  return server
}

/** What the receiver got, payload only. @returns Mbit/s, over all streams */
export async function throughput(
  { left, right }: Topology,
  { seconds, streams, reverse }: TcpRun,
): Promise<number> {
  const options = [
    '--time',
    String(seconds),
    '--parallel',
    String(streams),
    ...(reverse ? ['--reverse'] : []),
  ]
  const report = await outputWithin(
    seconds + 20,
    on(left, 'iperf3', '--client', right.address, '--json', '--connect-timeout', '5000', ...options),
  )
  return receivedRate(report)
}

/** The receiver's Mbit/s in a report of `iperf3 --json`. @throws Error where there is none */
export function receivedRate(report: string): number {
  const { end, error } = JSON.parse(report) as {
    end?: { sum_received?: { bits_per_second?: number } }
    error?: string
  }
  const rate = end?.sum_received?.bits_per_second
  if (error !== undefined || rate === undefined) throw new Error(`iperf3: ${error ?? 'no result'}`)
  return rate / 1e6
}
