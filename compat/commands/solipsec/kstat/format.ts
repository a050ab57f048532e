/**
 * Statistics as kstat(8) of illumos prints them.
 *
 * @module
 */
import type { Selected } from './selection.ts'

export type Form = 'table' | 'parseable' | 'colons' | 'list' | 'json'

/** Widths of the fields of a table. */
const HEADING_WIDTH = 30
const INSTANCE_WIDTH = 6
/** `KSTAT_TYPE_NAMED`. */
const TYPE_NAMED = 1

export function formatSelected(selected: readonly Selected[], form: Form, snaptime: number): string {
  switch (form) {
    case 'table':
      return selected.map(tableText).join('')
    case 'json':
      return jsonText(selected, snaptime)
    default:
      return selected.map((one) => lines(one, form)).join('')
  }
}

function tableText({ kstat, statistics }: Selected): string {
  const instance = String(kstat.instance).padEnd(INSTANCE_WIDTH)
  const rows = statistics.map(
    ([name, value]) => `\t${name.padEnd(HEADING_WIDTH)}  ${valueText(name, value)}\n`,
  )
  return (
    `module: ${kstat.module.padEnd(HEADING_WIDTH)}  instance: ${instance}\n` +
    `name:   ${kstat.name.padEnd(HEADING_WIDTH)}  class:    ${kstat.class}\n` +
    `${rows.join('')}\n`
  )
}

function lines({ kstat, statistics }: Selected, form: Form): string {
  const separator = form === 'colons' ? ':' : '\t'
  return statistics
    .map(([name, value]) => {
      const path = `${kstat.module}:${kstat.instance}:${kstat.name}:${name}`
      return form === 'list' ? `${path}\n` : `${path}${separator}${valueText(name, value)}\n`
    })
    .join('')
}

function jsonText(selected: readonly Selected[], snaptime: number): string {
  const value = selected.map(({ kstat: { module, instance, name, class: className }, statistics }) => ({
    module,
    instance,
    name,
    class: className,
    type: TYPE_NAMED,
    snaptime,
    data: Object.fromEntries(statistics),
  }))
  return `${JSON.stringify(value, undefined, '\t')}\n`
}

/** Times have nine digits behind the point. */
function valueText(name: string, value: number | string): string {
  return name === 'snaptime' && typeof value === 'number' ? value.toFixed(9) : String(value)
}
