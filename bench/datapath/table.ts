/**
 * Results of the data paths as a table: a line for each figure, a column for each contender, and one for how each does
 * against the peer.
 *
 * @module
 */
import { median } from '../support/compare.ts'
import { layOut } from '../support/table.ts'
import type { Figure, Reading } from './measurements.ts'

/** What one contender reached. */
export interface Result {
  readonly name: string
  /** One for each round. */
  readonly readings: readonly Reading[]
}

/** A figure of all contenders, in their order. */
export interface PathRow extends Figure {
  readonly results: readonly Result[]
}

/** The contender that others are held against. */
export const PEER = 'libipsec'
/** The contender without protection, which is not held against anybody. */
export const CLEAR = 'no IPsec'

/** Rows of at least one contender, all of them with the same ones. */
export function pathTable(rows: readonly PathRow[]): string {
  const names = rows[0]?.results.map(({ name }) => name) ?? []
  const ratios = names.includes(PEER) ? names.filter(isHeldAgainst).map((name) => `${name} : ${PEER}`) : []
  const cells = [['', '', ...names, ...ratios, ''], ...rows.map((row) => cellsOf(row, ratios.length > 0))]
  const numbers = Array.from({ length: names.length + ratios.length }, (_, i) => 2 + i)
  return layOut(cells, new Set(numbers))
}

function isHeldAgainst(name: string): boolean {
  return name !== PEER && name !== CLEAR
}

function cellsOf({ what, unit, results, target }: PathRow, hasPeer: boolean): string[] {
  const amounts = results.map(amount)
  if (!hasPeer) return [what, unit, ...amounts, '']
  const peer = results.find(({ name }) => name === PEER)
  const ratios = results.filter(({ name }) => isHeldAgainst(name)).map((result) => ratio(result, peer))
  const wanted =
    target === undefined ? '' : `wanted: ${target.bound === 'least' ? '≥' : '≤'} ${target.ratio}×`
  return [what, unit, ...amounts, ...ratios.map((value) => `${value.toPrecision(2)}×`), wanted]
}

/** The median, and between what all readings lie. */
function amount({ readings }: Result): string {
  const values = readings.map(({ value }) => value)
  const atLeast = readings.some(({ isAtLeast }) => isAtLeast) ? '≥ ' : ''
  const range = values.length > 1 ? ` (${number(Math.min(...values))}–${number(Math.max(...values))})` : ''
  return `${atLeast}${number(median(values))}${range}`
}

/** The median of each round's ratio: what slows a round down slows both down. */
function ratio({ readings }: Result, peer: Result | undefined): number {
  return median(readings.map(({ value }, round) => value / (peer?.readings[round]?.value ?? Number.NaN)))
}

/** Three digits at least. */
function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
