/**
 * IPv6 (RFC 8200) and its extension headers.
 *
 * @module
 */
import { read16, read32 } from '../../../../agent/packet/octets.ts'
import {
  FRAGMENT_HEADER_LENGTH,
  IPPROTO_DSTOPTS,
  IPPROTO_HOPOPTS,
  IPPROTO_NONE,
  IPPROTO_ROUTING,
  V6_LENGTH,
} from '../../../../agent/packet/protocols.ts'
import { add, addBroken, type Context, lack, type Step } from './layer.ts'
import { protocolName, protocolText } from './protocols.ts'
import { addressAndName, hex, hostText } from './text.ts'

const TITLE = 'IPv6 Header'

export function decodeIp6(context: Context, { at, end, partial }: Step): Step | undefined {
  const { bytes, options } = context
  const wrong = lack(context, at, V6_LENGTH, end)
  if (wrong !== undefined) return addBroken(context, 'IPv6', TITLE, wrong)
  const first = read32(bytes, at)
  const payloadLength = read16(bytes, at + 4)
  const protocol = bytes[at + 6] ?? 0
  const hops = bytes[at + 7] ?? 0
  const source = hostText(bytes, at + 8, 16, options)
  const destination = hostText(bytes, at + 24, 16, options)
  const trafficClass = (first >>> 20) & 0xff
  const flow = first & 0xfffff
  if (!context.quoted) {
    context.source = source
    context.destination = destination
  }
  const upperAt = at + V6_LENGTH
  // A length of 0 is a jumbogram's, or what segmentation offload leaves in captures: the packet ends with the frame.
  const packetEnd = payloadLength === 0 && protocol !== IPPROTO_NONE ? end : upperAt + payloadLength
  const lost = packetEnd > end && !partial && !context.quoted
  let fault = ''
  if (first >>> 28 !== 6) fault = `[malformed: version ${first >>> 28}]`
  else if (lost) fault = `[malformed: payload length ${payloadLength}, ${end - upperAt} bytes there]`
  const head = `IPv6  S=${source} D=${destination} LEN=${payloadLength} HOPS=${hops}`
  const summary = `${head} CLASS=0x${hex(trafficClass)} FLOW=0x${hex(flow)}`
  add(context, 'IPv6', TITLE, fault === '' ? summary : `${summary} ${fault}`, [
    `Version = ${first >>> 28}`,
    `Traffic Class = ${trafficClass}`,
    `Flow label = 0x${hex(flow)}`,
    `Payload length = ${payloadLength}`,
    `Next Header = ${protocolText(protocol)}`,
    `Hop Limit = ${hops}`,
    `Source address = ${addressAndName(bytes, at + 8, 16, options)}`,
    `Destination address = ${addressAndName(bytes, at + 24, 16, options)}`,
    ...(fault === '' ? [] : [fault]),
  ])
  if (first >>> 28 !== 6) return undefined
  return { protocol, at: upperAt, end: Math.min(packetEnd, end), partial: partial || packetEnd > end }
}

const EXTENSIONS: ReadonlyMap<number, { readonly name: string; readonly title: string }> = new Map([
  [IPPROTO_HOPOPTS, { name: 'HOPOPTS', title: 'IPv6 Hop-by-Hop Options Header' }],
  [IPPROTO_ROUTING, { name: 'ROUTING', title: 'IPv6 Routing Header' }],
  [IPPROTO_DSTOPTS, { name: 'DSTOPTS', title: 'IPv6 Destination Options Header' }],
])

/** Hop-by-hop and destination options and routing headers, which share their form. */
export function decodeExtension(context: Context, { protocol, at, end, partial }: Step): Step | undefined {
  const { bytes } = context
  const { name, title } = EXTENSIONS.get(protocol) ?? { name: 'EXT', title: 'IPv6 Extension Header' }
  const prefix = `IPv6-${name}`
  const length = lack(context, at, 8, end) === undefined ? ((bytes[at + 1] ?? 0) + 1) * 8 : 8
  const wrong = lack(context, at, length, end)
  if (wrong !== undefined) return addBroken(context, prefix, title, wrong)
  const next = bytes[at] ?? 0
  const routing = [`Routing type = ${bytes[at + 2]}`, `Segments left = ${bytes[at + 3]}`]
  const details = [
    `Next Header = ${protocolText(next)}`,
    `Header length = ${length} bytes`,
    ...(protocol === IPPROTO_ROUTING ? routing : []),
  ]
  const more = protocol === IPPROTO_ROUTING ? ` Type=${bytes[at + 2]} Left=${bytes[at + 3]}` : ''
  add(context, prefix, title, `${prefix} Next=${next} Len=${length}${more}`, details)
  return { protocol: next, at: at + length, end, partial }
}

/** The fragment header; of later fragments nothing more. */
export function decodeFragment(context: Context, { at, end, partial }: Step): Step | undefined {
  const { bytes } = context
  const wrong = lack(context, at, FRAGMENT_HEADER_LENGTH, end)
  if (wrong !== undefined) return addBroken(context, 'IPv6-FRAG', 'IPv6 Fragment Header', wrong)
  const next = bytes[at] ?? 0
  const field = read16(bytes, at + 2)
  const offset = field & 0xfff8
  const more = field & 1
  const id = read32(bytes, at + 4)
  const summary = `${protocolName(next)} IPv6 fragment ID=${id} Offset=${offset} MF=${more}`
  add(context, 'IPv6-FRAG', 'IPv6 Fragment Header', summary, [
    `Next Header = ${protocolText(next)}`,
    `Fragment Offset = ${offset}`,
    `More Fragments Flag = ${more === 1 ? 'true' : 'false'}`,
    `Identification = ${id}`,
  ])
  if (offset !== 0) return undefined
  return { protocol: next, at: at + FRAGMENT_HEADER_LENGTH, end, partial: partial || more === 1 }
}
