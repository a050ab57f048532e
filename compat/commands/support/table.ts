/**
 * Tables that fit into the width of a terminal.
 *
 * @module
 */

export interface Column<T> {
  readonly title: string
  readonly text: (row: T) => string
  readonly isNumber?: boolean
  /** Where there is no room for all, those with the largest number go first; without one, a column stays. */
  readonly expendable?: number
  /** May be cut at its end. */
  readonly mayBeCut?: boolean
  /** ANSI codes, such as `1;31`. */
  readonly colour?: (row: T) => string | undefined
}

export interface Layout {
  /** Characters a line; `Infinity` where that does not matter. */
  readonly width: number
  readonly hasColour: boolean
}

const GAP = 2
/** A column that is cut keeps so many characters. */
const LEAST = 8
const ELLIPSIS = '…'
const BOLD = '1'

/** @returns lines without ends: the titles, then one a row; none where there are no rows */
export function tableLines<T>(rows: readonly T[], columns: readonly Column<T>[], layout: Layout): string[] {
  if (rows.length === 0) return []
  const cells = new Map(
    columns.map((column) => [column, rows.map((row) => printable(column.text(row)))] as const),
  )
  const widths = new Map(
    columns.map((column) => [
      column,
      (cells.get(column) ?? []).reduce((most, { length }) => Math.max(most, length), column.title.length),
    ]),
  )
  const shown = fit(columns, widths, layout.width)
  const line = (textOf: (column: Column<T>) => string, coded: (column: Column<T>) => string | undefined) =>
    joined(shown, widths, textOf, coded, layout)
  return [
    line(
      ({ title }) => title,
      () => BOLD,
    ),
    ...rows.map((row, i) =>
      line(
        (column) => cells.get(column)?.[i] ?? '',
        (column) => column.colour?.(row),
      ),
    ),
  ]
}

/** Takes columns away, then cuts, until it fits. Changes widths. */
function fit<T>(
  columns: readonly Column<T>[],
  widths: Map<Column<T>, number>,
  width: number,
): readonly Column<T>[] {
  let shown = columns
  const excess = () => shown.reduce((sum, column) => sum + (widths.get(column) ?? 0) + GAP, -GAP) - width
  const cut = (least: number) => {
    for (const column of shown.filter(({ mayBeCut }) => mayBeCut)) {
      const now = widths.get(column) ?? 0
      widths.set(column, Math.max(Math.min(now, least), now - Math.max(0, excess())))
    }
  }
  while (excess() > 0) {
    const first = shown.reduce<Column<T> | undefined>(
      (worst, one) => ((one.expendable ?? 0) > (worst?.expendable ?? 0) ? one : worst),
      undefined,
    )
    if (!first) break
    shown = shown.filter((column) => column !== first)
  }
  cut(LEAST)
  return shown
}

function joined<T>(
  shown: readonly Column<T>[],
  widths: ReadonlyMap<Column<T>, number>,
  textOf: (column: Column<T>) => string,
  codesOf: (column: Column<T>) => string | undefined,
  { width, hasColour }: Layout,
): string {
  let room = width
  const parts: string[] = []
  shown.forEach((column, i) => {
    const isLast = i === shown.length - 1
    const own = Math.max(0, Math.min(widths.get(column) ?? 0, room))
    const text = clipped(textOf(column), own)
    const padded = column.isNumber ? text.padStart(own) : isLast ? text : text.padEnd(own)
    const codes = hasColour ? codesOf(column) : undefined
    parts.push(codes && padded.trim() !== '' ? `\x1b[${codes}m${padded}\x1b[0m` : padded)
    room -= own
    const gap = isLast ? 0 : Math.min(GAP, room)
    parts.push(' '.repeat(gap))
    room -= gap
  })
  return hasColour ? parts.join('') : parts.join('').trimEnd()
}

/** Cut to a width; what is cut says so. */
export function clipped(text: string, width: number): string {
  if (text.length <= width) return text
  return width === 0 ? '' : `${text.slice(0, width - 1).replace(/[\ud800-\udbff]$/, '')}${ELLIPSIS}`
}

/** Names of files and interfaces are others' to choose: nothing of them is obeyed by a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
