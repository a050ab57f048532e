/**
 * Where things stand in a packet: found once for each frame, into a record that is used again for the next.
 *
 * AH is stepped over, as what follows it is readable: `tcp` is true of TCP behind AH. ESP inside UDP (RFC 3948) is found.
 *
 * @module
 */
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_RARP,
  isVlanTag,
  VLAN_TAG_LENGTH,
} from '../../../../agent/capture/ethertypes.ts'
import { type Frame, newFrame } from '../../../../agent/capture/frame.ts'
import { TYPED_HEADERS } from '../../../../agent/capture/link-layers.ts'
import { read16, read32 } from '../../../../agent/packet/octets.ts'
import {
  AH_FIXED_LENGTH,
  FRAGMENT_HEADER_LENGTH,
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_ESP,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ROUTING,
  IPPROTO_UDP,
  MF,
  OFFSET,
  V4_LENGTH,
  V6_LENGTH,
} from '../../../../agent/packet/protocols.ts'

/** Places are offsets into `bytes`, and -1 where there is no such thing. Nothing at or beyond `end` may be read. */
export interface Packet {
  frame: Frame
  bytes: Uint8Array
  end: number
  /** Ethernet type in front of VLAN tags and behind them; -1 where the link layer has none. */
  outerType: number
  type: number
  /** The first VLAN's ID, or -1. */
  vlan: number
  /** An ARP or RARP packet for IPv4 over Ethernet. */
  arpAt: number
  ipAt: number
  /** 0 where there is no whole IP header. */
  version: 0 | 4 | 6
  /** Behind extension headers and AH; -1 where it cannot be told. */
  protocol: number
  /** Where that protocol's header begins; -1 in later fragments. */
  upperAt: number
  ahAt: number
  espAt: number
  isFragment: boolean
  /** A fragment other than the first. */
  isLater: boolean
}

const NOTHING: Frame = newFrame()

const ARP_LENGTH = 28
const IKE_NAT = 4500

export function newPacket(): Packet {
  return {
    frame: NOTHING,
    bytes: NOTHING.bytes,
    end: 0,
    outerType: -1,
    type: -1,
    vlan: -1,
    arpAt: -1,
    ipAt: -1,
    version: 0,
    protocol: -1,
    upperAt: -1,
    ahAt: -1,
    espAt: -1,
    isFragment: false,
    isLater: false,
  }
}

/** Fills `packet` from a frame. */
export function locate(packet: Packet, frame: Frame): void {
  packet.frame = frame
  packet.bytes = frame.bytes
  packet.end = Math.min(frame.end, frame.bytes.length)
  packet.outerType = -1
  packet.type = -1
  packet.vlan = -1
  packet.arpAt = -1
  packet.ipAt = frame.ipAt < packet.end ? frame.ipAt : -1
  packet.version = 0
  packet.protocol = -1
  packet.upperAt = -1
  packet.ahAt = -1
  packet.espAt = -1
  packet.isFragment = false
  packet.isLater = false
  locateLink(packet)
  if (packet.ipAt >= 0) locateIp(packet, packet.ipAt)
}

function locateLink(packet: Packet): void {
  const { bytes, end, frame } = packet
  if (frame.link === 'raw' || frame.link === 'null') {
    if (packet.ipAt < 0) return
    const version = (bytes[packet.ipAt] ?? 0) >>> 4
    packet.type = version === 4 ? ETHERTYPE_IPV4 : version === 6 ? ETHERTYPE_IPV6 : -1
    packet.outerType = packet.type
    return
  }
  const { typeAt, length } = TYPED_HEADERS[frame.link]
  let at: number = length
  if (at > end) return
  let type = read16(bytes, typeAt)
  packet.outerType = type
  while (isVlanTag(type) && at + VLAN_TAG_LENGTH <= end) {
    if (packet.vlan < 0) packet.vlan = read16(bytes, at) & 0xfff
    type = read16(bytes, at + 2)
    at += VLAN_TAG_LENGTH
  }
  packet.type = type
  const isArp = type === ETHERTYPE_ARP || type === ETHERTYPE_RARP
  if (isArp && at + ARP_LENGTH <= end && bytes[at + 4] === 6 && bytes[at + 5] === 4) packet.arpAt = at
}

function locateIp(packet: Packet, at: number): void {
  const { bytes, end } = packet
  const version = (bytes[at] ?? 0) >>> 4
  if (version === 4) {
    const headerLength = ((bytes[at] ?? 0) & 0x0f) * 4
    if (at + V4_LENGTH > end) return
    packet.version = 4
    packet.protocol = bytes[at + 9] ?? 0
    const fragment = read16(bytes, at + 6)
    packet.isFragment = (fragment & (MF | OFFSET)) !== 0
    packet.isLater = (fragment & OFFSET) !== 0
    if (!packet.isLater && headerLength >= V4_LENGTH) locateUpper(packet, at + headerLength)
  } else if (version === 6 && at + V6_LENGTH <= end) {
    packet.version = 6
    packet.protocol = bytes[at + 6] ?? 0
    locateUpper(packet, at + V6_LENGTH)
  }
}

/** Steps over extension headers and AH. Every step goes forward by 8 octets or more. */
function locateUpper(packet: Packet, from: number): void {
  const { bytes, end } = packet
  let at = from
  for (;;) {
    const { protocol } = packet
    let length = 0
    if (protocol === IPPROTO_AH && at + AH_FIXED_LENGTH <= end) {
      packet.ahAt = at
      length = Math.max(AH_FIXED_LENGTH, ((bytes[at + 1] ?? 0) + 2) * 4)
    } else if (packet.version === 6 && isExtension(protocol) && at + 8 <= end) {
      length = ((bytes[at + 1] ?? 0) + 1) * 8
    } else if (packet.version === 6 && protocol === IPPROTO_FRAGMENT && at + FRAGMENT_HEADER_LENGTH <= end) {
      const field = read16(bytes, at + 2)
      packet.isFragment = (field & 0xfff9) !== 0
      packet.isLater = (field & 0xfff8) !== 0
      length = FRAGMENT_HEADER_LENGTH
    }
    if (length === 0) break
    packet.protocol = bytes[at] ?? 0
    at += length
    if (packet.isLater) return
  }
  if (at > end) return
  packet.upperAt = at
  if (packet.protocol === IPPROTO_ESP) packet.espAt = at
  else if (packet.protocol === IPPROTO_UDP) locateEncapsulated(packet, at)
}

function isExtension(protocol: number): boolean {
  return protocol === IPPROTO_HOPOPTS || protocol === IPPROTO_ROUTING || protocol === IPPROTO_DSTOPTS
}

function locateEncapsulated(packet: Packet, at: number): void {
  const { bytes, end } = packet
  if (at + 16 > end || (read16(bytes, at) !== IKE_NAT && read16(bytes, at + 2) !== IKE_NAT)) return
  // IKE on the same port has zeros where ESP has its SPI.
  if (read32(bytes, at + 8) !== 0) packet.espAt = at + 8
}
