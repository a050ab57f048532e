/**
 * The lists of svcs(1). Pure, but for what is asked of processes.
 *
 * @module
 */

import { shortTime } from '../services/time.ts'
import type { ProcessEntry } from '../services/world.ts'
import type { Request, SortKey } from './arguments.ts'
import { COLUMNS, type Row } from './columns.ts'

/** Rows under their headings, the last column as wide as it needs to be. */
export function listing(
  rows: readonly Row[],
  request: Pick<Request, 'columns' | 'header' | 'sort' | 'processes'>,
  now: number,
  processes: (row: Row) => readonly ProcessEntry[],
): string {
  const lines = request.header ? [line(request.columns, (name) => name.toUpperCase())] : []
  for (const row of sorted(rows, request.sort, now)) {
    lines.push(line(request.columns, (name) => COLUMNS[name]?.text(row, now) ?? ''))
    if (request.processes) lines.push(...processes(row).map((one) => processLine(one, now)))
  }
  return lines.map((text) => `${text}\n`).join('')
}

function line(columns: readonly string[], text: (name: string) => string): string {
  return columns
    .map((name) => text(name).padEnd(COLUMNS[name]?.width ?? 0))
    .join(' ')
    .trimEnd()
}

function processLine({ pid, name, since }: ProcessEntry, now: number): string {
  return `               ${shortTime(since, now).padEnd(8)} ${String(pid).padStart(8)} ${name}`
}

const DEFAULT_SORT = ['state', 'stime', 'fmri'].map((column) => ({ column, isDescending: false }))

function sorted(rows: readonly Row[], keys: readonly SortKey[], now: number): Row[] {
  return [...rows].sort((a, b) => {
    for (const { column, isDescending } of [...keys, ...DEFAULT_SORT]) {
      const order = compare(column, a, b, now)
      if (order !== 0) return isDescending ? -order : order
    }
    return 0
  })
}

function compare(name: string, a: Row, b: Row, now: number): number {
  const column = COLUMNS[name]
  if (!column) return 0
  if (column.order) return column.order(a) - column.order(b)
  const [left, right] = [column.text(a, now), column.text(b, now)]
  return left < right ? -1 : left > right ? 1 : 0
}
