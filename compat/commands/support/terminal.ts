/**
 * What the terminal is like that a command writes to.
 *
 * @module
 */
import type { WriteStream } from 'node:tty'
import type { Io } from './io.ts'

export interface Terminal {
  /** Characters and lines; `Infinity` where standard output is no terminal. */
  readonly columns: number
  readonly rows: number
  /** Colours are wanted: it is one, and `NO_COLOR` (https://no-color.org) is not set. */
  readonly hasColour: boolean
}

/** Those that a terminal has which does not tell. */
const USUAL = { columns: 80, rows: 24 }

export function terminalOf({ stdout, env }: Pick<Io, 'stdout' | 'env'>): Terminal {
  const asked = { columns: positive(env.COLUMNS), rows: positive(env.LINES) }
  if (!stdout.isTTY) {
    const { columns = Number.POSITIVE_INFINITY, rows = Number.POSITIVE_INFINITY } = asked
    return { columns, rows, hasColour: false }
  }
  const { columns, rows } = stdout.stream() as Partial<WriteStream>
  return {
    columns: asked.columns ?? positive(columns) ?? USUAL.columns,
    rows: asked.rows ?? positive(rows) ?? USUAL.rows,
    hasColour: !env.NO_COLOR,
  }
}

function positive(value: string | number | undefined): number | undefined {
  const number = Number(value)
  return Number.isInteger(number) && number > 0 ? number : undefined
}
