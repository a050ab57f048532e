/**
 * What the test runner tells people.
 *
 * @module
 */
import { inspect, styleText } from 'node:util'
import type { Failure, Summary } from './tap-summary.ts'

/** The result of one test file; `seconds` is the time its process took. */
export interface FileResult extends Summary {
  /** Path below `test/`, with its tier folder. */
  readonly file: string
  readonly seconds: number
  /** Everything the file wrote to standard error. */
  readonly stderr: string
}

/** Files that take longer than this are named, so that nobody wonders where the minutes went. */
const slowSeconds = 10

const colour = (format: Parameters<typeof styleText>[0], text: string): string =>
  process.stdout.isTTY && !process.env.NO_COLOR ? styleText(format, text) : text

const indent = (text: string): string => text.replace(/^/gm, '    ')

/** Parts of tap's diagnostics that help a reader, in the order of reading. */
function explain(diag: unknown): string[] {
  if (typeof diag !== 'object' || diag === null) return []
  const { at, diff, found, wanted, stack, message, ...rest } = diag as Record<string, unknown>
  const lines: string[] = []
  if (typeof message === 'string') lines.push(message)
  if (typeof diff === 'string') lines.push(diff.trimEnd())
  else if ('found' in diag || 'wanted' in diag)
    lines.push(`found:  ${inspect(found)}`, `wanted: ${inspect(wanted)}`)
  const place = at as { fileName?: string; lineNumber?: number } | undefined
  if (place?.fileName) lines.push(`at ${place.fileName}:${place.lineNumber}`)
  if (typeof stack === 'string') lines.push(stack.trimEnd())
  if (lines.length === 0) lines.push(inspect(rest, { depth: 4 }))
  return lines
}

const printFailure = ({ name, diag }: Failure): void => {
  console.log(`  ${colour('red', '✗')} ${name}`)
  for (const line of explain(diag)) console.log(indent(line))
}

/** Shows which files run now, on a terminal only; the line is wiped by whatever is printed next. */
export function progress(done: number, all: number, running: readonly string[]): void {
  if (process.stdout.isTTY)
    process.stdout.write(`\x1b[2K[${done}/${all}] ${running.join('  ')}`.slice(0, 100).concat('\r'))
}

/** Prints one file: a line if all is well, else each failure and what the file said on standard error. */
export function printFile(result: FileResult): void {
  const { file, passed, failed, skipped, seconds, failures, stderr } = result
  if (process.stdout.isTTY) process.stdout.write('\x1b[2K')
  const mark = failed ? colour('red', 'FAIL') : skipped ? colour('yellow', 'skip') : colour('green', 'ok  ')
  const counts = [`${passed} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`].filter(
    Boolean,
  )
  const time = seconds > slowSeconds ? colour('yellow', ` slow: ${seconds.toFixed(0)} s`) : ''
  console.log(`${mark} test/${file}  ${counts.join(', ')}${time}`)
  if (failed === 0) return
  failures.forEach(printFailure)
  if (stderr.trim()) console.log(indent(colour('dim', stderr.trimEnd().slice(-20_000))))
}

/** Prints why a whole tier is left out. */
export function printSkippedTier(tier: string, files: number, reason: string): void {
  console.log(colour('yellow', `SKIPPED: the ${tier} tier (${files} files) cannot run here: ${reason}`))
}

/** The last line of every run. */
export function printTotal(results: readonly Pick<Summary, 'passed' | 'failed' | 'skipped'>[]): void {
  const sum = (key: 'passed' | 'failed' | 'skipped') =>
    results.reduce((total, result) => total + result[key], 0)
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
}
