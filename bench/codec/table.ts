/**
 * Results of the codec as a table.
 *
 * @module
 */
import { median } from '../support/compare.ts'
import { layOut } from '../support/table.ts'

/** Nanoseconds for a packet, one number for each round. */
export interface CodecRow {
  readonly what: string
  readonly seal: readonly number[]
  readonly open: readonly number[]
  /** What OpenSSL takes for as many bytes. */
  readonly openssl?: readonly number[]
  /** The most that is wanted, as a multiple of that. */
  readonly target?: number
}

/** Resident memory of a process: after the first million packets, the median, after all of them. */
export interface MemoryRow {
  readonly packets: number
  readonly megabytes: readonly [first: number, middle: number, last: number]
}

export function codecTable(rows: readonly (CodecRow | MemoryRow)[]): string {
  const titles = ['ESP', 'seal', 'open', 'openssl speed', 'seal :', 'open :', '']
  const times = rows.filter((row) => 'seal' in row).map(cellsOf)
  const memories = rows.filter((row) => 'megabytes' in row).map(memoryLine)
  return layOut([titles, ...times], new Set([1, 2, 3, 4, 5])) + memories.join('')
}

function cellsOf({ what, seal, open, openssl, target }: CodecRow): string[] {
  const wanted = target === undefined ? '' : `wanted: ≤ ${target}×`
  return [
    what,
    nanoseconds(seal),
    nanoseconds(open),
    openssl ? nanoseconds(openssl) : '',
    openssl ? ratio(seal, openssl) : '',
    openssl ? ratio(open, openssl) : '',
    openssl ? wanted : '',
  ]
}

function nanoseconds(times: readonly number[]): string {
  return `${median(times).toFixed(0)} ns`
}

/** The median of each round's ratio. */
function ratio(times: readonly number[], others: readonly number[]): string {
  return `${median(times.map((time, round) => time / (others[round] ?? Number.NaN))).toPrecision(2)}×`
}

function memoryLine({ packets, megabytes: [first, middle, last] }: MemoryRow): string {
  const million = (packets / 1e6).toFixed(0)
  return (
    `memory over ${million} million packets: ${first.toFixed(1)} MB after the first million, ` +
    `${middle.toFixed(1)} in the middle, ${last.toFixed(1)} at the end\n`
  )
}
