/**
 * A log entry as one line: for people, for the journal of systemd, for programs.
 *
 * @module
 */
import type { LogEntry, LogFields, LogLevel, LogValue } from './log.ts'

/**
 * - `human`: local time, level, event, facts.
 * - `journal`: the level as sd-daemon(3) wants it; the journal knows the time.
 * - `json`: one document a line (`schemas/solipsec-log.schema.json`).
 */
export type LogFormat = 'human' | 'journal' | 'json'

/** Numbers of syslog(3), as sd-daemon(3) takes them at the beginning of a line. */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 }

/** Members of a document that no fact may take the place of. */
const OWN_MEMBERS = new Set(['time', 'level', 'event'])

/** @returns the line without its end */
export function formatEntry(entry: LogEntry, format: LogFormat): string {
  const { time, level, event, fields } = entry
  switch (format) {
    case 'json':
      return jsonLine(entry)
    case 'journal':
      return `<${PRIORITIES[level]}>${event}${factWords(fields)}`
    case 'human':
      return `${clock(time)} ${level.padEnd(7)} ${event}${factWords(fields)}`
  }
}

/**
 * What a program writes where it was not told: for the journal where systemd reads its standard error, as people
 * like it on a terminal and elsewhere.
 */
export function defaultFormat({ isJournal }: { readonly isJournal: boolean }): LogFormat {
  return isJournal ? 'journal' : 'human'
}

function jsonLine({ time, level, event, fields }: LogEntry): string {
  const facts = Object.entries(fields).map(([name, value]) => [
    OWN_MEMBERS.has(name) ? `${name}_` : name,
    value,
  ])
  return JSON.stringify({ time: new Date(time).toISOString(), level, event, ...Object.fromEntries(facts) })
}

/** `: SENTENCE name=value`, as many tools read it (logfmt): a value with anything but plain characters stands in quotes. */
function factWords({ message, ...fields }: LogFields): string {
  const sentence = message === undefined ? '' : `: ${harmless(textOf(message))}`
  const words = Object.entries(fields).map(([name, value]) =>
    value === undefined ? '' : ` ${plainName(name)}=${word(textOf(value))}`,
  )
  return sentence + words.join('')
}

function textOf(value: LogValue): string {
  return typeof value === 'object' && 'join' in value ? value.join(',') : String(value)
}

function plainName(name: string): string {
  return name.replace(/[^\w.-]/g, '_')
}

function word(text: string): string {
  return /^[\w.:/@%+,~-]+$/.test(text) ? text : quoted(text)
}

/** As JSON quotes, and harmless. */
export function quoted(text: string): string {
  return harmless(JSON.stringify(text))
}

/**
 * Everything is escaped that a terminal might obey or take for an end of line: a name of a peer's choosing can neither
 * forge a line nor colour one.
 */
function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped)
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
    .join('')
}

/** `2026-11-21 09:05:07.042`, local time. */
function clock(time: number): string {
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const rest = String(date.getMilliseconds()).padStart(3, '0')
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${rest}`
}
