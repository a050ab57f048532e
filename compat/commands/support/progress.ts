/**
 * A progress bar for work whose end is known in bytes, and for work of which only the beginning is.
 *
 * @module
 */
import type { Output } from './io.ts'

const BAR = 24
const PAUSE_MS = 100
/** Carriage return, and clear to the end of the line. */
const ERASE = '\r\x1b[K'

/**
 * One line: `[=====>      ]  42%  420 MB of 1.0 GB  95 MB/s  6 s left`.
 *
 * @param total bytes; `undefined` where nobody knows
 * @param elapsed milliseconds
 */
export function progressText(done: number, total: number | undefined, elapsed: number): string {
  const rate = elapsed > 0 ? (done * 1000) / elapsed : 0
  const speed = `${sizeText(rate)}/s`
  if (total === undefined) return `${sizeText(done)}  ${speed}`
  const part = total > 0 ? Math.min(1, done / total) : 1
  const filled = Math.round(part * BAR)
  const bar = filled === BAR ? '='.repeat(BAR) : `${'='.repeat(filled)}>`.slice(0, BAR).padEnd(BAR)
  const left = rate > 0 ? Math.ceil(Math.max(0, total - done) / rate) : undefined
  const words = [
    `[${bar}]`,
    `${Math.floor(part * 100)}%`.padStart(4),
    `${sizeText(done)} of ${sizeText(total)}`,
  ]
  return [...words, speed, ...(left === undefined ? [] : [`${durationText(left)} left`])].join('  ')
}

/** `42 B`, `1.5 MB`: three digits at most, in powers of 1000. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000
  return `${value >= 9.95 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

function durationText(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** The line on a terminal, drawn anew at most ten times a second. */
export class ProgressBar {
  readonly #output: Output
  readonly #total: number | undefined
  readonly #clock: () => number
  readonly #begin: number
  #drawn = Number.NEGATIVE_INFINITY
  #isShown = false

  /** @param clock milliseconds */
  constructor(output: Output, total: number | undefined, clock: () => number = () => performance.now()) {
    this.#output = output
    this.#total = total
    this.#clock = clock
    this.#begin = clock()
  }

  show(done: number): void {
    const now = this.#clock()
    if (now - this.#drawn < PAUSE_MS) return
    this.#drawn = now
    this.#isShown = true
    this.#output.write(`${ERASE}${progressText(done, this.#total, now - this.#begin)}`)
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isShown) this.#output.write(ERASE)
    this.#isShown = false
  }
}
