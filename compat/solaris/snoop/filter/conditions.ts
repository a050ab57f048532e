/**
 * Conditions of filter expressions as closures. None allocates.
 *
 * @module
 */
import { isVlanTag } from '../../../../agent/capture/ethertypes.ts'
import type { Address, Prefix } from '../../../../agent/model/address.ts'
import { read16, read32, sameRange } from '../../../../agent/packet/octets.ts'
import {
  IPPROTO_AH,
  IPPROTO_ESP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from '../../../../agent/packet/protocols.ts'
import type { Condition } from './arithmetic.ts'
import type { Packet } from './packet.ts'

/** Which end of a packet is meant: by `from`, by `to`, or either. */
export type Side = 'source' | 'destination' | 'either'

export function all(conditions: readonly Condition[]): Condition {
  const [only] = conditions
  if (only !== undefined && conditions.length === 1) return only
  return (packet) => {
    for (let i = 0; i < conditions.length; i++) if (!conditions[i]?.(packet)) return false
    return true
  }
}

export function any(conditions: readonly Condition[]): Condition {
  const [only] = conditions
  if (only !== undefined && conditions.length === 1) return only
  return (packet) => {
    for (let i = 0; i < conditions.length; i++) if (conditions[i]?.(packet)) return true
    return false
  }
}

export function not(condition: Condition): Condition {
  return (packet) => !condition(packet)
}

/** Asks one question of the ends that are meant. */
function sided(side: Side, source: Condition, destination: Condition): Condition {
  if (side === 'source') return source
  if (side === 'destination') return destination
  return (packet) => source(packet) || destination(packet)
}

/** The IP address of one end is in a prefix; of ARP and RARP too. */
function addressIn(end: 'source' | 'destination', { family, bytes, length }: Prefix): Condition {
  const isSource = end === 'source'
  if (family === 'inet') {
    const mask = length === 0 ? 0 : (-1 << (32 - length)) >>> 0
    const wanted = (read32(bytes, 0) & mask) >>> 0
    return (packet) => {
      const { version, arpAt, ipAt } = packet
      let at = -1
      if (version === 4) at = ipAt + (isSource ? 12 : 16)
      else if (arpAt >= 0) at = arpAt + (isSource ? 14 : 24)
      return at >= 0 && (read32(packet.bytes, at) & mask) >>> 0 === wanted
    }
  }
  const octets = length >>> 3
  const mask = (0xff00 >>> (length & 7)) & 0xff
  const last = (bytes[octets] ?? 0) & mask
  return (packet) => {
    if (packet.version !== 6) return false
    const at = packet.ipAt + (isSource ? 8 : 24)
    if (!sameRange(packet.bytes, at, bytes, 0, octets)) return false
    return mask === 0 || ((packet.bytes[at + octets] ?? 0) & mask) === last
  }
}

export function inPrefix(side: Side, prefix: Prefix): Condition {
  return sided(side, addressIn('source', prefix), addressIn('destination', prefix))
}

/** One of a host's addresses. */
export function isHost(side: Side, addresses: readonly Address[]): Condition {
  return any(
    addresses.map(({ family, bytes }) =>
      inPrefix(side, { family, bytes, length: family === 'inet' ? 32 : 128 }),
    ),
  )
}

/** The Ethernet address of an end. Linux's cooked headers have the sender's. */
export function isEther(side: Side, address: Uint8Array): Condition {
  const at = (place: number, packet: Packet): boolean =>
    place + 6 <= packet.end && sameRange(packet.bytes, place, address, 0, 6)
  return sided(
    side,
    (packet) => {
      const { link } = packet.frame
      if (link === 'ethernet') return at(6, packet)
      if (link === 'cooked') return packet.end >= 16 && read16(packet.bytes, 4) === 6 && at(6, packet)
      return link === 'cooked2' && packet.end >= 20 && packet.bytes[11] === 6 && at(12, packet)
    },
    (packet) => packet.frame.link === 'ethernet' && at(0, packet),
  )
}

function hasPorts({ protocol, upperAt, end }: Packet): boolean {
  const known = protocol === IPPROTO_TCP || protocol === IPPROTO_UDP || protocol === IPPROTO_SCTP
  return known && upperAt >= 0 && upperAt + 4 <= end
}

/** A port of TCP, UDP or SCTP. Later fragments have none. */
export function isPort(side: Side, port: number): Condition {
  return sided(
    side,
    (packet) => hasPorts(packet) && read16(packet.bytes, packet.upperAt) === port,
    (packet) => hasPorts(packet) && read16(packet.bytes, packet.upperAt + 2) === port,
  )
}

/** The protocol behind IP, IPv6's extension headers and AH. */
export function isProtocol(protocol: number): Condition {
  return (packet) => packet.protocol === protocol
}

/** The Ethernet type, of packets with VLAN tags that behind them, but for the types of tags themselves. */
export function isEthertype(type: number): Condition {
  if (isVlanTag(type)) return (packet) => packet.outerType === type
  return (packet) => packet.type === type
}

/** In a VLAN: with a tag whose ID is not 0. */
export const inVlan: Condition = ({ vlan }) => vlan > 0

export function isVlan(id: number): Condition {
  return ({ vlan }) => vlan === id
}

export const isIp: Condition = ({ version }) => version === 4
export const isIp6: Condition = ({ version }) => version === 6

/** Whole, or the first fragment. */
export const isNoFragment: Condition = ({ version, isLater }) => version !== 0 && !isLater
export const isFragment: Condition = ({ isFragment: fragment }) => fragment

/** Protected by AH: here, or before it was uncovered. */
export const isAh: Condition = (packet) =>
  packet.ahAt >= 0 || packet.protocol === IPPROTO_AH || isCovered(packet, 'ah')

/** Protected by ESP, inside UDP too: here, or before it was uncovered. */
export const isEsp: Condition = (packet) =>
  packet.espAt >= 0 || packet.protocol === IPPROTO_ESP || isCovered(packet, 'esp')

function isCovered({ frame: { covers } }: Packet, protocol: 'ah' | 'esp'): boolean {
  for (let i = 0; i < covers.length; i++) if (covers[i]?.protocol === protocol) return true
  return false
}

/** An AH or ESP of that SPI: here, or before it was uncovered. */
export function isSpi(spi: number): Condition {
  return ({ frame: { covers }, bytes, end, ahAt, espAt }) => {
    if (ahAt >= 0 && read32(bytes, ahAt + 4) === spi) return true
    if (espAt >= 0 && espAt + 4 <= end && read32(bytes, espAt) === spi) return true
    for (let i = 0; i < covers.length; i++) if ((covers[i]?.spi ?? 0) >>> 0 === spi) return true
    return false
  }
}

/** By the link layer, or where that has no addresses, by IP. */
export const isBroadcast: Condition = (packet) => {
  const { bytes, end, version, ipAt } = packet
  const kind = destinationKind(packet)
  if (kind !== 'unknown') return kind === 'broadcast'
  return version === 4 && ipAt + 20 <= end && read32(bytes, ipAt + 16) === 0xffffffff
}

/** Broadcasts are multicasts, too. */
export const isMulticast: Condition = (packet) => {
  const { bytes, version, ipAt } = packet
  const kind = destinationKind(packet)
  if (kind !== 'unknown') return kind !== 'other'
  if (version === 6) return bytes[ipAt + 24] === 0xff
  if (version !== 4) return false
  const first = bytes[ipAt + 16] ?? 0
  return first >>> 4 === 0xe || read32(bytes, ipAt + 16) === 0xffffffff
}

function destinationKind({ frame, bytes, end }: Packet): 'broadcast' | 'multicast' | 'other' | 'unknown' {
  let kind = -1
  if (frame.link === 'ethernet') {
    if (end < 6 || ((bytes[0] ?? 0) & 1) === 0) return 'other'
    return read16(bytes, 0) === 0xffff && read32(bytes, 2) === 0xffffffff ? 'broadcast' : 'multicast'
  }
  if (frame.link === 'cooked' && end >= 16) kind = read16(bytes, 0)
  else if (frame.link === 'cooked2' && end >= 20) kind = bytes[10] ?? 0
  if (kind < 0) return 'unknown'
  return kind === 1 ? 'broadcast' : kind === 2 ? 'multicast' : 'other'
}

/** A whole UDP packet between these two ports, in either direction. */
export function isBetween(version: 4 | 6, a: number, b: number): Condition {
  const there = all([isPort('source', a), isPort('destination', b)])
  const back = all([isPort('source', b), isPort('destination', a)])
  return (packet) => {
    const { protocol, isFragment: fragment } = packet
    const fits = packet.version === version && protocol === IPPROTO_UDP && !fragment
    return fits && (there(packet) || back(packet))
  }
}

/** Longer or shorter on the wire than `length`. */
export function isLonger(length: number): Condition {
  return ({ frame }) => frame.wireLength > length
}

export function isShorter(length: number): Condition {
  return ({ frame }) => frame.wireLength < length
}
