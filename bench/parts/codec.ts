/**
 * The codec alone: nanoseconds that one packet takes, for each transform, against what OpenSSL itself takes for as many
 * bytes; and the memory of a process that has seen ten million packets.
 *
 * @module
 */

import { EspLoop } from '../codec/loop.ts'
import { lackingOpenssl, opensslSpeed } from '../codec/openssl-speed.ts'
import type { CodecRow, MemoryRow } from '../codec/table.ts'
import { transforms } from '../codec/transforms.ts'
import { median } from '../support/compare.ts'

/** Payload of a full packet, but for a few headers. */
const SIZE = 1400
/** Milliseconds of one measurement. */
const DURATION = 200
const SOME = 1000
const MILLION = 1_000_000

export function codec(rounds: number): (CodecRow | MemoryRow)[] {
  const missing = lackingOpenssl()
  if (missing !== undefined) process.stderr.write(`codec: without comparison: ${missing}\n`)
  const rows = transforms.map((transform): CodecRow => {
    const { what, attributes, openssl, target } = transform
    const loop = new EspLoop(attributes, SIZE)
    const [seal, both, theirs] = [[], [], []] as number[][] as [number[], number[], number[]]
    loop.sealAndOpen(SOME)
    for (let round = 0; round < rounds; round++) {
      seal.push(nanoseconds((count) => loop.seal(count)))
      both.push(nanoseconds((count) => loop.sealAndOpen(count)))
      if (missing === undefined)
        theirs.push(openssl.reduce((sum, options) => sum + opensslSpeed(SIZE, options), 0))
    }
    loop.close()
    return {
      what: `${what}, ${SIZE} bytes`,
      seal,
      open: both.map((time, round) => time - (seal[round] ?? 0)),
      ...(theirs.length > 0 && { openssl: theirs }),
      ...(target !== undefined && { target }),
    }
  })
  return [...rows, memoryOfManyPackets()]
}

/** Of one packet: the fastest of several stretches, since whatever else runs can only make it slower. */
function nanoseconds(run: (count: number) => void): number {
  let best = Number.POSITIVE_INFINITY
  const end = performance.now() + DURATION
  while (performance.now() < end) {
    const start = performance.now()
    run(SOME)
    best = Math.min(best, ((performance.now() - start) * 1e6) / SOME)
  }
  return best
}

/** Resident memory after each million. */
function memoryOfManyPackets(): MemoryRow {
  const attributes = transforms[0]?.attributes ?? {}
  const loop = new EspLoop(attributes, SIZE)
  const megabytes: number[] = []
  for (let million = 0; million < 10; million++) {
    loop.sealAndOpen(MILLION)
    megabytes.push(process.memoryUsage.rss() / 2 ** 20)
  }
  loop.close()
  return { packets: 10 * MILLION, megabytes: [megabytes[0] ?? 0, median(megabytes), megabytes.at(-1) ?? 0] }
}
