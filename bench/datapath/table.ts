/**
 * Results of the data paths as a table: a line for each figure, a column for each contender.
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

/** Rows of at least one contender, all of them with the same ones. */
export function pathTable(rows: readonly PathRow[]): string {
  const names = rows[0]?.results.map(({ name }) => name) ?? []
  const ratios = names.slice(1).map((name, i) => `${name} : ${names[i]}`)
  const cells = [['', '', ...names, ...ratios], ...rows.map(cellsOf)]
  const numbers = Array.from({ length: names.length + ratios.length }, (_, i) => 2 + i)
  return layOut(cells, new Set(numbers))
}

function cellsOf({ what, unit, results }: PathRow): string[] {
  const ratios = results.slice(1).map((result, i) => ratio(result, results[i]))
  return [what, unit, ...results.map(amount), ...ratios]
}

/** The median, and between what all readings lie. */
function amount({ readings }: Result): string {
  const values = readings.map(({ value }) => value)
  const atLeast = readings.some(({ isAtLeast }) => isAtLeast) ? '≥ ' : ''
  const range = values.length > 1 ? ` (${number(Math.min(...values))}–${number(Math.max(...values))})` : ''
  return `${atLeast}${number(median(values))}${range}`
}

/** The median of each round's ratio: what slows a round down slows both down. */
function ratio({ readings }: Result, before: Result | undefined): string {
  const ratios = readings.map(({ value }, round) => value / (before?.readings[round]?.value ?? Number.NaN))
  return `${median(ratios).toPrecision(2)}×`
}

/** Three digits at least. */
function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
