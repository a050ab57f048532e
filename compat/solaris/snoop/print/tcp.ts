/**
 * TCP (RFC 9293).
 *
 * @module
 */
import { read16, read32 } from '../../../../agent/packet/octets.ts'
import { TCP_HEADER_LENGTH } from '../../../../agent/packet/protocols.ts'
import { decodeApplication } from './application.ts'
import { add, addBroken, type Context, lack, type Step } from './layer.ts'
import { portName } from './protocols.ts'
import { bit, hex, safe } from './text.ts'

const TITLE = 'TCP Header'
const BITS = '      '

const FIN = 0x01
const SYN = 0x02
const RST = 0x04
const PUSH = 0x08
const ACK = 0x10
const URG = 0x20
const ECE = 0x40
const CWR = 0x80

export function decodeTcp(context: Context, { at, end, partial }: Step): undefined {
  const { bytes } = context
  const wrong = lack(context, at, TCP_HEADER_LENGTH, end)
  if (wrong !== undefined) return decodePorts(context, 'TCP', TITLE, at, end, wrong)
  const source = read16(bytes, at)
  const destination = read16(bytes, at + 2)
  const headerLength = ((bytes[at + 12] ?? 0) >>> 4) * 4
  const flags = bytes[at + 13] ?? 0
  const short = headerLength < TCP_HEADER_LENGTH ? `[malformed: data offset ${headerLength}]` : undefined
  const cut = short ?? lack(context, at, headerLength, end)
  const dataAt = at + headerLength
  const length = Math.max(0, end - dataAt)
  const options = cut === undefined ? optionTexts(context, at + TCP_HEADER_LENGTH, dataAt) : []
  const words = [`TCP D=${destination} S=${source}`, ...flagWords(flags)]
  if ((flags & ACK) !== 0) words.push(`Ack=${read32(bytes, at + 8)}`)
  if ((flags & URG) !== 0) words.push(`Urg=${read16(bytes, at + 18)}`)
  words.push(`Seq=${read32(bytes, at + 4)}`, `Len=${length}`, `Win=${read16(bytes, at + 14)}`)
  if (options.length > 0) words.push(`Options=<${options.join(',')}>`)
  if (cut !== undefined) words.push(cut)
  const details = detailLines(context, at, headerLength, options)
  add(context, 'TCP', TITLE, words.join(' '), cut === undefined ? details : [...details, cut])
  if (cut === undefined && !context.quoted) {
    decodeApplication(context, { transport: 'tcp', source, destination, at: dataAt, end, partial })
  }
  return undefined
}

/** Ports are worth showing where the rest of a transport header is missing. */
export function decodePorts(
  context: Context,
  name: string,
  title: string,
  at: number,
  end: number,
  wrong: string,
): undefined {
  if (lack(context, at, 4, end) !== undefined) return addBroken(context, name, title, wrong)
  const source = read16(context.bytes, at)
  const destination = read16(context.bytes, at + 2)
  add(context, name, title, `${name} D=${destination} S=${source} ${wrong}`, [
    `Source port = ${source}`,
    `Destination port = ${destination}`,
    wrong,
  ])
  return undefined
}

/** `Source port = 23 (TELNET)`. */
export function portLine(
  context: Context,
  side: 'Source' | 'Destination',
  port: number,
  transport: 'tcp' | 'udp',
) {
  const name = portName(port, transport, context.options)
  return `${side} port = ${port}${name === undefined || name === '' ? '' : ` (${safe(name).toUpperCase()})`}`
}

function flagWords(flags: number): string[] {
  const words: string[] = []
  if ((flags & FIN) !== 0) words.push('Fin')
  if ((flags & SYN) !== 0) words.push('Syn')
  if ((flags & RST) !== 0) words.push('Rst')
  if ((flags & PUSH) !== 0) words.push('Push')
  if ((flags & ECE) !== 0) words.push('ECE')
  if ((flags & CWR) !== 0) words.push('CWR')
  return words
}

function detailLines(
  context: Context,
  at: number,
  headerLength: number,
  options: readonly string[],
): string[] {
  const { bytes } = context
  const flags = bytes[at + 13] ?? 0
  const flag = (position: number, yes: string, no: string): string =>
    `${BITS}${bit(flags, position)} = ${((flags >>> position) & 1) === 1 ? yes : no}`
  return [
    portLine(context, 'Source', read16(bytes, at), 'tcp'),
    portLine(context, 'Destination', read16(bytes, at + 2), 'tcp'),
    `Sequence number = ${read32(bytes, at + 4)}`,
    `Acknowledgement number = ${read32(bytes, at + 8)}`,
    `Data offset = ${headerLength} bytes`,
    `Flags = 0x${hex(flags, 2)}`,
    flag(7, 'ECN congestion window reduced', 'No ECN congestion window reduced'),
    flag(6, 'ECN echo', 'No ECN echo'),
    flag(5, 'Urgent pointer', 'No urgent pointer'),
    flag(4, 'Acknowledgement', 'No acknowledgement'),
    flag(3, 'Push', 'No push'),
    flag(2, 'Reset', 'No reset'),
    flag(1, 'Syn', 'No Syn'),
    flag(0, 'Fin', 'No Fin'),
    `Window = ${read16(bytes, at + 14)}`,
    `Checksum = 0x${hex(read16(bytes, at + 16), 4)}`,
    `Urgent pointer = ${read16(bytes, at + 18)}`,
    options.length === 0 ? 'No options' : `Options: (${headerLength - TCP_HEADER_LENGTH} bytes)`,
    ...options.map((option) => `  - ${option}`),
  ]
}

/** Options as words, up to the end of their list. */
function optionTexts({ bytes }: Context, from: number, end: number): string[] {
  const texts: string[] = []
  let at = from
  while (at < end && bytes[at] !== 0) {
    const kind = bytes[at] ?? 0
    if (kind === 1) {
      texts.push('nop')
      at++
      continue
    }
    const length = at + 1 < end ? (bytes[at + 1] ?? 0) : 0
    if (length < 2 || at + length > end) {
      texts.push('[malformed]')
      break
    }
    texts.push(optionText(bytes, at, kind, length))
    at += length
  }
  return texts
}

function optionText(bytes: Uint8Array, at: number, kind: number, length: number): string {
  if (kind === 2 && length === 4) return `mss ${read16(bytes, at + 2)}`
  if (kind === 3 && length === 3) return `wscale ${bytes[at + 2]}`
  if (kind === 4 && length === 2) return 'sackOK'
  if (kind === 8 && length === 10) return `tstamp ${read32(bytes, at + 2)} ${read32(bytes, at + 6)}`
  if (kind === 5 && (length - 2) % 8 === 0) {
    let text = 'sack'
    for (let i = at + 2; i < at + length; i += 8) text += ` ${read32(bytes, i)}-${read32(bytes, i + 4)}`
    return text
  }
  return `option ${kind}`
}
