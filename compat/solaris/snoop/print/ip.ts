/**
 * IPv4 (RFC 791).
 *
 * @module
 */
import { read16 } from '../../../../agent/packet/octets.ts'
import { DF, MF, OFFSET, V4_LENGTH } from '../../../../agent/packet/protocols.ts'
import { add, addBroken, type Context, lack, type Step } from './layer.ts'
import { protocolName, protocolText } from './protocols.ts'
import { addressAndName, bit, hex, hostText } from './text.ts'

const TITLE = 'IP Header'
const BITS = '      '

/** Decodes the header, and of later fragments nothing more. */
export function decodeIp(context: Context, { at, end, partial }: Step): Step | undefined {
  const { bytes, options } = context
  const wrong = lack(context, at, V4_LENGTH, end)
  if (wrong !== undefined) return addBroken(context, 'IP', TITLE, wrong)
  const headerLength = ((bytes[at] ?? 0) & 0x0f) * 4
  const totalLength = read16(bytes, at + 2)
  const protocol = bytes[at + 9] ?? 0
  const fragment = read16(bytes, at + 6)
  const source = hostText(bytes, at + 12, 4, options)
  const destination = destinationText(context, at + 16)
  const tos = bytes[at + 1] ?? 0
  const id = read16(bytes, at + 4)
  const ttl = bytes[at + 8] ?? 0
  if (!context.quoted) {
    context.source = source
    context.destination = destination
  }
  let fault = ''
  if ((bytes[at] ?? 0) >>> 4 !== 4) fault = ` [malformed: version ${(bytes[at] ?? 0) >>> 4}]`
  else if (headerLength < V4_LENGTH) fault = ` [malformed: header length ${headerLength}]`
  else if (totalLength < headerLength && totalLength !== 0)
    fault = ` [malformed: total length ${totalLength}]`
  const summary = `IP  D=${destination} S=${source} LEN=${totalLength}, ID=${id}, TOS=0x${hex(tos)}, TTL=${ttl}`
  const cut = fault === '' ? lack(context, at, headerLength, end) : undefined
  // A length of 0 is what segmentation offload leaves in captures: the packet ends with the frame.
  const packetEnd = totalLength === 0 ? end : at + totalLength
  const lost = packetEnd > end && !partial && !context.quoted
  const beyond = lost ? ` [malformed: total length ${totalLength}, ${end - at} bytes there]` : ''
  const wrongs = fault + (cut === undefined ? beyond : ` ${cut}`)
  const details = detailLines(context, at, headerLength)
  add(context, 'IP', TITLE, summary + wrongs, [...details, ...(wrongs ? [wrongs.trim()] : [])])
  if (fault !== '' || cut !== undefined) return undefined
  const rest = { protocol, at: at + headerLength, end: Math.min(packetEnd, end) }
  if ((fragment & (MF | OFFSET)) === 0) return { ...rest, partial: partial || packetEnd > end }
  const offset = (fragment & OFFSET) * 8
  const more = (fragment & MF) !== 0 ? 1 : 0
  const text = `IP fragment ID=${id} Offset=${offset} MF=${more} TOS=0x${hex(tos)} TTL=${ttl}`
  // The verbose form has all of it among the header's own lines.
  add(context, 'IP', 'IP Fragment', `${protocolName(protocol)} ${text}`, [])
  return offset === 0 ? { ...rest, partial: true } : undefined
}

function destinationText(context: Context, at: number): string {
  const { bytes, options } = context
  const everyone = read16(bytes, at) === 0xffff && read16(bytes, at + 2) === 0xffff
  return everyone ? 'BROADCAST' : hostText(bytes, at, 4, options)
}

function detailLines(context: Context, at: number, headerLength: number): string[] {
  const { bytes, options } = context
  const tos = bytes[at + 1] ?? 0
  const fragment = read16(bytes, at + 6)
  const flags = fragment >>> 8
  return [
    `Version = ${(bytes[at] ?? 0) >>> 4}`,
    `Header length = ${headerLength} bytes`,
    `Type of service = 0x${hex(tos, 2)}`,
    `${BITS}xxx. .... = ${tos >>> 5} (precedence)`,
    `${BITS}${bit(tos, 4)} = ${(tos & 0x10) !== 0 ? 'low' : 'normal'} delay`,
    `${BITS}${bit(tos, 3)} = ${(tos & 0x08) !== 0 ? 'high' : 'normal'} throughput`,
    `${BITS}${bit(tos, 2)} = ${(tos & 0x04) !== 0 ? 'high' : 'normal'} reliability`,
    `${BITS}${bit(tos, 1)} = ${(tos & 0x02) !== 0 ? '' : 'not '}ECN capable transport`,
    `${BITS}${bit(tos, 0)} = ${(tos & 0x01) !== 0 ? '' : 'no '}ECN congestion experienced`,
    `Total length = ${read16(bytes, at + 2)} bytes`,
    `Identification = ${read16(bytes, at + 4)}`,
    `Flags = 0x${hex(fragment >>> 12)}`,
    `${BITS}${bit(flags, 6)} = ${(fragment & DF) !== 0 ? 'do not' : 'may'} fragment`,
    `${BITS}${bit(flags, 5)} = ${(fragment & MF) !== 0 ? 'more fragments' : 'last fragment'}`,
    `Fragment offset = ${(fragment & OFFSET) * 8} bytes`,
    `Time to live = ${bytes[at + 8]} seconds/hops`,
    `Protocol = ${protocolText(bytes[at + 9] ?? 0)}`,
    `Header checksum = ${hex(read16(bytes, at + 10), 4)}`,
    `Source address = ${addressAndName(bytes, at + 12, 4, options)}`,
    `Destination address = ${addressAndName(bytes, at + 16, 4, options)}`,
    headerLength > V4_LENGTH ? `Options: (${headerLength - V4_LENGTH} bytes)` : 'No options',
  ]
}
