/**
 * Properties as ipadm(8) prints them. Pure.
 *
 * @module
 */
import { rangeText, type Tunable, type TunableValues, tunableValue } from '../../../agent/model/tunables.ts'

export const FIELDS = ['PROTO', 'PROPERTY', 'PERM', 'CURRENT', 'PERSISTENT', 'DEFAULT', 'POSSIBLE'] as const
export type Field = (typeof FIELDS)[number]

const WIDTHS: Readonly<Record<Field, number>> = {
  PROTO: 6,
  PROPERTY: 22,
  PERM: 5,
  CURRENT: 13,
  PERSISTENT: 13,
  DEFAULT: 13,
  POSSIBLE: 15,
}

export type Row = Readonly<Record<Field, string>>

/** Nothing outlives the next start of the host by itself, so there is no persistent value. */
export function rowOf(tunable: Tunable, values: TunableValues): Row {
  return {
    PROTO: tunable.module,
    PROPERTY: `_${tunable.name}`,
    PERM: 'rw',
    CURRENT: String(tunableValue(values, tunable.name)),
    PERSISTENT: '--',
    DEFAULT: String(tunable.initial),
    POSSIBLE: rangeText(tunable),
  }
}

/** @param isParsable fields with colons between them, without a heading */
export function tableText(rows: readonly Row[], fields: readonly Field[], isParsable: boolean): string {
  if (isParsable) {
    return rows.map((row) => `${fields.map((field) => escaped(row[field], fields)).join(':')}\n`).join('')
  }
  const heading = Object.fromEntries(FIELDS.map((field) => [field, field])) as Row
  return [heading, ...rows].map((row) => `${line(row, fields)}\n`).join('')
}

function line(row: Row, fields: readonly Field[]): string {
  return fields
    .map((field) => row[field].padEnd(WIDTHS[field] - 1))
    .join(' ')
    .trimEnd()
}

/** One field alone has nothing that could be taken for a colon. */
function escaped(text: string, fields: readonly Field[]): string {
  return fields.length === 1 ? text : text.replace(/[\\:]/g, '\\$&')
}
