/**
 * Marks of services in maintenance: what systemd has no state for. A unit whose reload failed is as active as before, and
 * nobody but us knows why a method failed.
 *
 * @module
 */
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { replaceFile } from '../support/atomic-file.ts'
import type { Service } from './catalogue.ts'
import { markFile, type Places } from './places.ts'

export type MethodName = 'start' | 'stop' | 'refresh'

export interface Mark {
  readonly state: 'maintenance' | 'degraded'
  /** A method that failed, an administrator by `svcadm mark`, or the service itself, which goes on. */
  readonly cause: MethodName | 'administrator' | 'service'
  /** Exit code of the method. */
  readonly status: number
  /** Milliseconds since 1970. */
  readonly at: number
  /** What the method said: file, line and reason. */
  readonly lines: readonly string[]
}

/** For everyone to read: neither keys nor policy are in it. */
const MODE = 0o644
const MAX_LINES = 20
const MAX_CHARACTERS = 500

export function writeMark(places: Places, service: Service, mark: Mark): void {
  const lines = mark.lines.slice(0, MAX_LINES).map((line) => line.slice(0, MAX_CHARACTERS))
  // A unit's umask would keep the folder for root alone.
  mkdirSync(places.run, { recursive: true })
  chmodSync(places.run, 0o755)
  replaceFile(markFile(places, service), `${JSON.stringify({ ...mark, lines })}\n`, MODE)
}

export function removeMark(places: Places, service: Service): void {
  rmSync(markFile(places, service), { force: true })
}

/** A file that cannot be understood still says that something is wrong. */
export function readMark(places: Places, service: Service): Mark | undefined {
  let text: string
  try {
    text = readFileSync(markFile(places, service), 'utf8')
  } catch {
    return undefined
  }
  return decode(text) ?? { state: 'maintenance', cause: 'administrator', status: 0, at: 0, lines: [] }
}

const CAUSES: readonly unknown[] = ['start', 'stop', 'refresh', 'administrator']

function decode(text: string): Mark | undefined {
  let value: Partial<Record<keyof Mark, unknown>>
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { state, cause, status, at, lines } = value
  if ((state !== 'maintenance' && state !== 'degraded') || !CAUSES.includes(cause)) return undefined
  if (typeof status !== 'number' || typeof at !== 'number' || !Array.isArray(lines)) return undefined
  if (!lines.every((line): line is string => typeof line === 'string')) return undefined
  return { state, cause: cause as Mark['cause'], status, at, lines }
}
