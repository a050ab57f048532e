/**
 * What a program that runs on has to say: an event by name and its facts, at a level, one line each.
 *
 * @module
 * @example
 * const log = createLog({ write: (line) => process.stderr.write(line), format: 'human', now: Date.now })
 * log.warning('drift-mended', { policies: 3, cause: 'ip xfrm policy flush' })
 */
import { formatEntry, type LogFormat } from './format.ts'

/** The levels of syslog(3) that are of use to us, the worst first. */
export const LOG_LEVELS = ['error', 'warning', 'notice', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/**
 * Facts by name. Only plain values: a `Secret`, or an object that may hold one, does not pass the compiler. What is
 * `undefined` is left out. `message` is the event in a sentence.
 */
export type LogFields = Readonly<Record<string, LogValue | undefined>>
export type LogValue = string | number | boolean | readonly string[]

export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly level: LogLevel
  /** A name for programs: lower case, words joined by hyphens. */
  readonly event: string
  readonly fields: LogFields
}

/** One function a level. */
export type Log = Readonly<Record<LogLevel, (event: string, fields?: LogFields) => void>>

export interface LogOptions {
  /** Takes one line with its end of line. */
  readonly write: (line: string) => void
  readonly format: LogFormat
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** What is less bad than this is not written; `info` where absent. */
  readonly level?: LogLevel
}

export function createLog({ write, format, now, level: least = 'info' }: LogOptions): Log {
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(least)) return
      write(`${formatEntry({ time: now(), level, event, fields }, format)}\n`)
    }
  return {
    error: at('error'),
    warning: at('warning'),
    notice: at('notice'),
    info: at('info'),
    debug: at('debug'),
  }
}
