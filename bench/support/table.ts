/**
 * Results as a table.
 *
 * @module
 */
import type { Measured } from './compare.ts'

/** One line: what was done, and by whom how fast. */
export interface Row {
  readonly what: string
  readonly ours: Measured
  /** What ours is held against, where there is something. */
  readonly theirs?: { readonly name: string; readonly measured: Measured }
  /** A number to reach, and the one reached. */
  readonly target?: Target
}

export interface Target {
  /** As text, for example `4× as fast`. */
  readonly wanted: string
  readonly reached: string
  readonly met: boolean
}

/** Their time is to be at least `factor` of ours. */
export function timesAsFast(ours: Measured, theirs: Measured, factor: number): Target {
  const ratio = theirs.time / ours.time
  return { wanted: `${factor}× as fast`, reached: `${ratio.toFixed(2)}×`, met: ratio >= factor }
}

/** Our time is to be at most `factor` of theirs. */
export function timesAsLong(ours: Measured, theirs: Measured, factor: number): Target {
  const ratio = ours.time / theirs.time
  return { wanted: `≤ ${factor}× the time`, reached: `${ratio.toFixed(2)}×`, met: ratio <= factor }
}

/** Lays rows out in columns, with a line of titles above. */
export function table(rows: readonly Row[]): string {
  const titles = ['', 'solipsec', 'memory', 'against', '', 'memory', 'reached', 'target', '']
  return layOut([titles, ...rows.map(cellsOf)], new Set([1, 2, 4, 5, 6]))
}

/** Cells of lines in columns as wide as what they hold, `rightAligned` ones flush right. The first line has all of them. */
export function layOut(cells: readonly (readonly string[])[], rightAligned: ReadonlySet<number>): string {
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  )
  const lines = cells.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return rightAligned.has(column) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function cellsOf({ what, ours, theirs, target }: Row): string[] {
  return [
    what,
    milliseconds(ours.time),
    megabytes(ours.memory),
    theirs?.name ?? '',
    theirs ? milliseconds(theirs.measured.time) : '',
    theirs ? megabytes(theirs.measured.memory) : '',
    target?.reached ?? '',
    target?.wanted ?? '',
    target ? (target.met ? 'met' : 'MISSED') : '',
  ]
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`
}

function megabytes(kilobytes: number | undefined): string {
  return kilobytes === undefined ? '–' : `${(kilobytes / 1024).toFixed(0)} MB`
}
