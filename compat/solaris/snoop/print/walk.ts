/**
 * Down the layers of a packet, once: the list of layers that all styles of output are made of.
 *
 * @module
 */
import { ETHERTYPE_ARP, ETHERTYPE_RARP } from '../../../../agent/capture/ethertypes.ts'
import type { Frame } from '../../../../agent/capture/frame.ts'
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_ESP,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IPIP,
  IPPROTO_IPV6,
  IPPROTO_NONE,
  IPPROTO_ROUTING,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from '../../../../agent/packet/protocols.ts'
import { decodeAh } from './ah.ts'
import { decodeArp } from './arp.ts'
import { addOpened, addUnseen } from './cover.ts'
import { decodeEsp } from './esp.ts'
import { decodeIcmp } from './icmp.ts'
import { decodeIcmp6 } from './icmp6.ts'
import { decodeIp } from './ip.ts'
import { decodeExtension, decodeFragment, decodeIp6 } from './ip6.ts'
import { add, type Context, type Decoder, type Layer } from './layer.ts'
import { decodeLink } from './link.ts'
import type { PrintOptions } from './options.ts'
import { protocolName } from './protocols.ts'
import { decodeTcp } from './tcp.ts'
import { decodeUdp } from './udp.ts'

/** Deeper nesting is an attack on the reader. */
const MOST_LAYERS = 64

const DECODERS: ReadonlyMap<number, Decoder> = new Map<number, Decoder>([
  [IPPROTO_HOPOPTS, decodeExtension],
  [IPPROTO_ICMP, decodeIcmp],
  [IPPROTO_IPIP, decodeIp],
  [IPPROTO_TCP, decodeTcp],
  [IPPROTO_UDP, decodeUdp],
  [IPPROTO_IPV6, decodeIp6],
  [IPPROTO_ROUTING, decodeExtension],
  [IPPROTO_FRAGMENT, decodeFragment],
  [IPPROTO_ESP, decodeEsp],
  [IPPROTO_AH, decodeAh],
  [IPPROTO_ICMPV6, decodeIcmp6],
  [IPPROTO_DSTOPTS, decodeExtension],
])

/** A packet taken apart. */
export interface Walked {
  /** From the link layer up; at least one. */
  readonly layers: readonly Layer[]
  /** The columns of the two hosts. */
  readonly source: string
  readonly destination: string
  /** Before each line: the VLANs that the packet is in. */
  readonly tag: string
}

/** Takes a packet apart. Never throws, and never looks beyond `frame.end`. */
export function walk(frame: Frame, options: PrintOptions): Walked {
  const captured = Math.max(0, Math.min(frame.end, frame.bytes.length))
  const context: Context = {
    frame,
    bytes: frame.bytes,
    captured,
    options,
    layers: [],
    source: '?',
    destination: '*',
    tag: '',
    quoted: false,
  }
  // What was uncovered is whole: the length on the wire is that of the packet around it.
  const uncovered = frame.covers.some(({ verdict }) => verdict === 'opened')
  const end = uncovered ? captured : Math.max(captured, frame.wireLength)
  const payload = decodeLink(context, end)
  addOpened(context)
  if (payload === undefined) return context
  if (frame.ipAt >= 0) walkIp(context, frame.ipAt, end)
  else if (payload.type === ETHERTYPE_ARP) decodeArp(context, 'ARP', payload.at, end)
  else if (payload.type === ETHERTYPE_RARP) decodeArp(context, 'RARP', payload.at, end)
  addUnseen(context)
  return context
}

function walkIp(context: Context, at: number, end: number): void {
  const version = at < context.captured ? (context.bytes[at] ?? 0) >>> 4 : 4
  let protocol = version === 6 ? IPPROTO_IPV6 : IPPROTO_IPIP
  let place = { at, end, partial: false }
  while (context.layers.length < MOST_LAYERS) {
    const decode = DECODERS.get(protocol)
    if (decode === undefined) {
      addUnknown(context, protocol, place.end - place.at)
      return
    }
    const next = decode(context, { protocol, ...place })
    if (next === undefined) return
    protocol = next.protocol
    place = next
  }
  add(context, 'IP', 'Too Deep', `[malformed: more than ${MOST_LAYERS} headers]`, [
    '[malformed: too many headers]',
  ])
}

/** A protocol that there is no decoder for. */
function addUnknown(context: Context, protocol: number, length: number): void {
  if (protocol === IPPROTO_NONE) return
  const name = protocolName(protocol)
  add(context, name, `${name} Data`, `${name} LEN=${Math.max(0, length)}`, [
    `Protocol = ${protocol}`,
    `Length = ${Math.max(0, length)} bytes`,
  ])
}
