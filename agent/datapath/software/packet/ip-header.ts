/**
 * Reading and changing IP headers in place. Nothing outside the given range is looked at, and nothing is allocated.
 *
 * @module
 */
import { checksum } from './checksum.ts'

export const IPPROTO_HOPOPTS = 0
export const IPPROTO_ICMP = 1
export const IPPROTO_TCP = 6
export const IPPROTO_UDP = 17
export const IPPROTO_ROUTING = 43
export const IPPROTO_FRAGMENT = 44
export const IPPROTO_ESP = 50
export const IPPROTO_AH = 51
export const IPPROTO_ICMPV6 = 58
export const IPPROTO_DSTOPTS = 60

const V4_LENGTH = 20
const V6_LENGTH = 40
/** Bits of the IPv4 fragment field. */
const DF = 0x4000
const MF = 0x2000
const OFFSET = 0x1fff

/** What {@link parseIp} found. Reused from packet to packet; places are offsets into the bytes. */
export interface IpHeader {
  version: 4 | 6
  /** Where the packet begins and ends: the end by its own length, which may be before that of the data. */
  at: number
  end: number
  sourceAt: number
  destinationAt: number
  /** The byte that names what stands at {@link upperAt}. */
  nextHeaderAt: number
  /** That byte's value: the upper protocol, or ESP or AH. */
  protocol: number
  /**
   * Behind the IP header, and of IPv6 behind the extension headers that ESP and AH leave before themselves in transport
   * mode (RFC 4303 section 3.1.1): hop-by-hop options, routing, fragment, and destination options in front of routing.
   */
  upperAt: number
  /** Part of a packet: ports are not to be looked for. */
  isFragment: boolean
  /** Distance from the packet's beginning in bytes. */
  fragmentOffset: number
  dontFragment: boolean
}

export function newIpHeader(): IpHeader {
  return {
    version: 4,
    at: 0,
    end: 0,
    sourceAt: 0,
    destinationAt: 0,
    nextHeaderAt: 0,
    protocol: 0,
    upperAt: 0,
    isFragment: false,
    fragmentOffset: 0,
    dontFragment: false,
  }
}

/** @returns false where the bytes from `at` to `end` do not hold a whole, well-formed IP packet */
export function parseIp(bytes: Uint8Array, at: number, end: number, into: IpHeader): boolean {
  if (end - at < V4_LENGTH) return false
  const version = (bytes[at] ?? 0) >> 4
  if (version === 4) return parseV4(bytes, at, end, into)
  return version === 6 && parseV6(bytes, at, end, into)
}

function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

function parseV4(bytes: Uint8Array, at: number, end: number, into: IpHeader): boolean {
  const headerLength = ((bytes[at] ?? 0) & 15) * 4
  const total = read16(bytes, at + 2)
  if (headerLength < V4_LENGTH || total < headerLength || total > end - at) return false
  const fragment = read16(bytes, at + 6)
  into.version = 4
  into.at = at
  into.end = at + total
  into.sourceAt = at + 12
  into.destinationAt = at + 16
  into.nextHeaderAt = at + 9
  into.protocol = bytes[at + 9] ?? 0
  into.upperAt = at + headerLength
  into.fragmentOffset = (fragment & OFFSET) * 8
  into.isFragment = (fragment & (OFFSET | MF)) !== 0
  into.dontFragment = (fragment & DF) !== 0
  return true
}

function parseV6(bytes: Uint8Array, at: number, end: number, into: IpHeader): boolean {
  if (end - at < V6_LENGTH) return false
  const length = V6_LENGTH + read16(bytes, at + 4)
  if (length > end - at) return false
  into.version = 6
  into.at = at
  into.end = at + length
  into.sourceAt = at + 8
  into.destinationAt = at + 24
  into.nextHeaderAt = at + 6
  into.protocol = bytes[at + 6] ?? 0
  into.upperAt = at + V6_LENGTH
  into.fragmentOffset = 0
  into.isFragment = false
  into.dontFragment = true
  return walkExtensions(bytes, into)
}

function walkExtensions(bytes: Uint8Array, into: IpHeader): boolean {
  // Destination options stay in front only if a routing header follows them.
  let optionsAt = -1
  let optionsNamedAt = -1
  for (;;) {
    const { protocol, upperAt } = into
    if (protocol === IPPROTO_DSTOPTS && optionsAt < 0) {
      optionsAt = upperAt
      optionsNamedAt = into.nextHeaderAt
    } else if (protocol === IPPROTO_ROUTING) optionsAt = -1
    else if (protocol !== IPPROTO_HOPOPTS && protocol !== IPPROTO_FRAGMENT) break
    if (!stepOver(bytes, into)) return false
    // What follows in a later fragment is data.
    if (into.fragmentOffset > 0) break
  }
  if (optionsAt >= 0) {
    into.upperAt = optionsAt
    into.nextHeaderAt = optionsNamedAt
    into.protocol = IPPROTO_DSTOPTS
  }
  return true
}

function stepOver(bytes: Uint8Array, into: IpHeader): boolean {
  const { protocol, upperAt } = into
  if (upperAt + 8 > into.end) return false
  const isFragmentHeader = protocol === IPPROTO_FRAGMENT
  const length = isFragmentHeader ? 8 : ((bytes[upperAt + 1] ?? 0) + 1) * 8
  if (upperAt + length > into.end) return false
  if (isFragmentHeader) {
    const field = read16(bytes, upperAt + 2)
    into.fragmentOffset = field & 0xfff8
    into.isFragment = into.isFragment || (field & 0xfff9) !== 0
  }
  into.nextHeaderAt = upperAt
  into.protocol = bytes[upperAt] ?? 0
  into.upperAt = upperAt + length
  return true
}

/** Where the upper protocol of a packet begins: behind the destination options, too. Only for well-formed packets. */
export function skipDestinationOptions(bytes: Uint8Array, header: IpHeader): boolean {
  while (header.protocol === IPPROTO_DSTOPTS) if (!stepOver(bytes, header)) return false
  return true
}

/** Writes the packet's length, and its header's checksum. */
export function setLength(bytes: Uint8Array, at: number, end: number): void {
  const version = (bytes[at] ?? 0) >> 4
  if (version === 6) write16(bytes, at + 4, end - at - V6_LENGTH)
  else {
    write16(bytes, at + 2, end - at)
    refreshChecksum(bytes, at)
  }
}

/** Computes the checksum of an IPv4 header anew; an IPv6 header has none. */
export function refreshChecksum(bytes: Uint8Array, at: number): void {
  const first = bytes[at] ?? 0
  if (first >> 4 !== 4) return
  write16(bytes, at + 10, 0)
  write16(bytes, at + 10, checksum(bytes, at, at + (first & 15) * 4, 0))
}
