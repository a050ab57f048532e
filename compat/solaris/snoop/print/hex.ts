/**
 * Packets as hexadecimal digits and ASCII.
 *
 * @module
 */
import type { Frame } from '../../../../agent/capture/frame.ts'
import { ascii, hex } from './text.ts'

const PER_LINE = 16
/** Eight groups of four digits, with a blank before each. */
const WIDTH = 40

/**
 * The captured octets from `offset` on, `length` of them or all: lines of 16, `   0: 4500 0054 …    E..T…`, without
 * newlines. None where the packet is shorter than `offset`.
 */
export function hexLines(frame: Frame, offset = 0, length = Number.POSITIVE_INFINITY): string[] {
  const captured = Math.max(0, Math.min(frame.end, frame.bytes.length))
  const from = Math.max(0, offset)
  const end = Math.min(captured, from + Math.max(0, length))
  const lines: string[] = []
  for (let at = from; at < end; at += PER_LINE) {
    const stop = Math.min(end, at + PER_LINE)
    let digits = ''
    for (let i = at; i < stop; i++) digits += ((i - at) % 2 === 0 ? ' ' : '') + hex(frame.bytes[i] ?? 0, 2)
    lines.push(`${String(at).padStart(12)}:${digits.padEnd(WIDTH)}    ${ascii(frame.bytes, at, stop)}`)
  }
  return lines
}
