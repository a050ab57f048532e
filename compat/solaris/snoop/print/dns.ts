/**
 * The header and the first question of a DNS message (RFC 1035 section 4.1).
 *
 * @module
 */
import { read16 } from '../../../../agent/packet/octets.ts'
import { ascii } from './text.ts'

const HEADER_LENGTH = 12
/** RFC 1035 section 2.3.4; it also bounds the walk. */
const LONGEST_NAME = 255

const TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'Addr'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [12, 'PTR'],
  [15, 'MX'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [255, '*'],
])

const ERRORS = ['No error', 'Format error', 'Server failure', 'Name error', 'Not implemented', 'Refused']

/** Reads a message in `[at, end)`. */
export function dnsText(bytes: Uint8Array, at: number, end: number): { summary: string; details: string[] } {
  if (at + HEADER_LENGTH > end) return { summary: '[truncated]', details: ['[truncated]'] }
  const flags = read16(bytes, at + 2)
  const code = flags & 0x0f
  const answers = read16(bytes, at + 6)
  const response = flags >>> 15 === 1
  const question = read16(bytes, at + 4) > 0 ? readQuestion(bytes, at + HEADER_LENGTH, end) : ''
  const error = ERRORS[code] ?? `Error ${code}`
  const outcome = code !== 0 ? ` Error: ${code}(${error})` : ` ${answers} answer${answers === 1 ? '' : 's'}`
  return {
    summary: `${question}${response ? outcome : ' ?'}`.trim(),
    details: [
      `ID = ${read16(bytes, at)}`,
      `${response ? 'Response' : 'Query'}, opcode ${(flags >>> 11) & 0x0f}`,
      ...(response ? [`Response Code: ${code} (${error})`] : []),
      `${read16(bytes, at + 4)} question(s), ${answers} answer(s)`,
      ...(question === '' ? [] : [`Question: ${question}`]),
    ],
  }
}

/** `example.com. Internet Addr`. Names in questions are not compressed. */
function readQuestion(bytes: Uint8Array, from: number, end: number): string {
  let name = ''
  let at = from
  for (;;) {
    const length = at < end ? (bytes[at] ?? 0) : -1
    if (length < 0 || at + 1 + length > end) return `${name}[truncated]`
    if (length > 63 || at - from > LONGEST_NAME) return `${name}[malformed name]`
    at++
    if (length === 0) break
    name += `${ascii(bytes, at, at + length)}.`
    at += length
  }
  if (at + 4 > end) return `${name || '.'} [truncated]`
  const type = read16(bytes, at)
  const kind = read16(bytes, at + 2)
  return `${name || '.'} ${kind === 1 ? 'Internet' : `Class ${kind}`} ${TYPES.get(type) ?? `Type ${type}`}`
}
