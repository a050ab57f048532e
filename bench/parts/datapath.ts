/**
 * Data paths held against each other: throughput, packet rate and delay of one SA with AES-128-GCM between two hosts.
 * All of them stand ready at the same time, and each figure is measured of one after the other before the next one is.
 *
 * @module
 */
import { type Contender, contenders } from '../datapath/contender.ts'
import { lackingTools } from '../datapath/install.ts'
import { idleRoundTrips } from '../datapath/latency.ts'
import { measurements, type Reading } from '../datapath/measurements.ts'
import { type Service, unwindOnSignals } from '../datapath/processes.ts'
import type { PathRow } from '../datapath/table.ts'
import { startTcpServer } from '../datapath/tcp.ts'
import { countsOf, makeTopology, type Topology } from '../datapath/topology.ts'
import { Workplace } from '../support/host.ts'

/** A contender that stands ready. */
interface Path {
  readonly contender: Contender
  readonly topology: Topology
}

/**
 * @param seconds that each throughput is measured for
 * @throws Error where something fails, or packets took another way than they should
 */
export async function datapath(rounds: number, seconds: number): Promise<PathRow[]> {
  const missing = lackingTools()
  if (missing !== undefined) {
    process.stderr.write(`datapath: skipped: ${missing}\n`)
    return []
  }
  using _ = unwindOnSignals() // the last to go
  using place = new Workplace()
  const started: { stop(): Promise<void> }[] = []
  try {
    const paths: Path[] = []
    for (const contender of contenders(place)) {
      const reason = contender.lacking()
      if (reason === undefined) paths.push(await start(place, contender, started))
      else process.stderr.write(`datapath: ${contender.name} skipped: ${reason}\n`)
    }
    const rows = await measureAll(paths, rounds, seconds)
    for (const path of paths) assertWire(path)
    return rows
  } finally {
    for (const { stop } of started.reverse()) await stop()
  }
}

async function start(
  place: Workplace,
  contender: Contender,
  started: { stop(): Promise<void> }[],
): Promise<Path> {
  const topology = makeTopology(place, contender.name.replaceAll(' ', '-'))
  // Before it is started: a start that fails may leave something behind.
  started.push(contender)
  await contender.start(topology)
  const server: Service = await startTcpServer(topology)
  started.push(server)
  // Addresses are resolved, caches filled.
  await idleRoundTrips(topology)
  return { contender, topology }
}

async function measureAll(paths: readonly Path[], rounds: number, seconds: number): Promise<PathRow[]> {
  /** By the number of the figure, then of the path, then of the round. */
  const readings: Reading[][][] = []
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`datapath: round ${round + 1} of ${rounds} …\n`)
    let figure = 0
    for (const { figures, run } of measurements) {
      for (const [i, { topology }] of paths.entries()) {
        const got = await run(topology, seconds)
        for (const [j, reading] of got.entries()) {
          readings[figure + j] ??= paths.map(() => [])
          readings[figure + j]?.[i]?.push(reading)
        }
      }
      figure += figures.length
    }
  }
  return measurements
    .flatMap(({ figures }) => figures)
    .map((figure, i) => ({
      ...figure,
      results: paths.map(({ contender }, j) => ({ name: contender.name, readings: readings[i]?.[j] ?? [] })),
    }))
}

/** A figure counts only if the packets were protected that should be. */
function assertWire({ contender: { name, protects }, topology: { left, right } }: Path): void {
  for (const host of [left, right]) {
    const counts = countsOf(host)
    const [wanted, unwanted] = protects ? [counts.protected, counts.clear] : [counts.clear, counts.protected]
    if (wanted > 0 && unwanted === 0) continue
    throw new Error(
      `${name}: on the wire to ${host.address} came ${counts.protected} packets protected and ${counts.clear} in clear`,
    )
  }
}
