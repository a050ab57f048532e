/**
 * The report for people: what matters first, then rules, SAs and counters as tables. Pure.
 *
 * @module
 */
import { type Rates, ratesBetween } from '../../../../agent/status/rates.ts'
import { type AssociationReport, associationKey, type StatusReport } from '../../../../agent/status/report.ts'
import { clipped, type Layout, printable, tableLines } from '../../support/table.ts'
import { associationColumns, lossColumns, ruleColumns } from './columns.ts'
import { type SummaryLine, summaryLines, type Tone } from './summary.ts'

export interface TextOptions extends Layout {
  /** Rules, and SAs, that are listed at most. */
  readonly most: number
  /** Lines that there is room for; `Infinity`: all. */
  readonly height: number
  /** The report before: what has changed is shown by second, the busiest SAs first. */
  readonly before?: StatusReport
}

/** ANSI: green, yellow, bold red. */
const COLOURS: Readonly<Record<Tone, string>> = { good: '32', warning: '33', bad: '1;31' }
const BOLD = '1'
const NAME_WIDTH = 11

export function statusText(report: StatusReport, options: TextOptions): string {
  const rates = options.before && ratesBetween(options.before, report)
  const top = [
    titleLine(report, options),
    ...summaryLines(report, rates).flatMap((line) => wrapped(line, options)),
  ]
  const losses = section('LOST PACKETS', tableLines(lossRows(report), lossColumns, options), 0, options)
  const room = options.height - top.length - losses.length
  const rules = rulesSection(report, Math.min(options.most, shareFor(report.rules.length, room / 2)), options)
  const most = Math.min(options.most, shareFor(report.associations.length, room - rules.length))
  const associations = associationsSection(report, most, rates, options)
  const lines = [...top, ...rules, ...associations, ...losses]
  return `${lines.slice(0, options.height).join('\n')}\n`
}

/** Rows that fit beside an empty line, a heading, the titles, and a line that says how many do not. */
function shareFor(count: number, room: number): number {
  const rows = Math.floor(room) - 3
  return count <= rows ? count : Math.max(0, rows - 1)
}

function titleLine({ time }: StatusReport, options: TextOptions): string {
  const text = clipped(`solipsec status  ${clock(time)}`, options.width)
  return paint(BOLD, text, options)
}

/** Local time to the second. */
function clock(seconds: number): string {
  const date = new Date(seconds * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  return (
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  )
}

function paint(codes: string | undefined, text: string, { hasColour }: Layout): string {
  return hasColour && codes !== undefined && text !== '' ? `\x1b[${codes}m${text}\x1b[0m` : text
}

/** Name and words, in as many lines as they need. */
function wrapped({ name, text, tone }: SummaryLine, options: TextOptions): string[] {
  const width = Math.max(1, options.width - NAME_WIDTH)
  const lines: string[] = []
  let line = ''
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line += line === '' ? word : ` ${word}`
  }
  lines.push(line)
  const codes = tone && COLOURS[tone]
  return lines.map((one, i) => {
    const head = clipped((i === 0 ? name : '').padEnd(NAME_WIDTH), options.width)
    return `${head}${paint(codes, clipped(one, Math.max(0, options.width - NAME_WIDTH)), options)}`.trimEnd()
  })
}

function lossRows({ losses = {} }: StatusReport): (readonly [string, number])[] {
  return Object.entries(losses).filter(([, count]) => count > 0)
}

function rulesSection(report: StatusReport, most: number, options: TextOptions): string[] {
  const rows = report.rules.slice(0, most)
  const lines = tableLines(rows, ruleColumns(report.time, report.rules), options)
  return section('RULES', lines, report.rules.length - rows.length, options)
}

function associationsSection(
  report: StatusReport,
  most: number,
  rates: Rates | undefined,
  options: TextOptions,
): string[] {
  const rows = (rates ? byRate(report.associations, rates) : report.associations).slice(0, most)
  const lines = tableLines(rows, associationColumns(report.time, rates?.associations), options)
  return section('SECURITY ASSOCIATIONS', lines, report.associations.length - rows.length, options)
}

/** The busiest first; the others as they were. */
function byRate(associations: readonly AssociationReport[], rates: Rates): AssociationReport[] {
  const rated = associations.map((sa) => {
    const { bitsPerSecond = 0, packetsPerSecond = 0 } = rates.associations.get(associationKey(sa)) ?? {}
    return { sa, bitsPerSecond, packetsPerSecond }
  })
  return rated
    .sort((a, b) => b.bitsPerSecond - a.bitsPerSecond || b.packetsPerSecond - a.packetsPerSecond)
    .map(({ sa }) => sa)
}

/** Nothing where there is nothing to tell. */
function section(title: string, lines: readonly string[], more: number, options: TextOptions): string[] {
  if (lines.length === 0 && more === 0) return []
  const heading = paint(BOLD, clipped(title, options.width), options)
  const rest = more > 0 ? [clipped(lines.length > 0 ? `and ${more} more` : `${more}`, options.width)] : []
  return ['', heading, ...lines, ...rest]
}
