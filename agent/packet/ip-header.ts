/**
 * Reading and changing IP headers in place. Nothing outside the given range is looked at, and nothing is allocated.
 *
 * Of an IPv6 packet's extension headers, some stay in front of ESP and AH in transport mode (RFC 4303 section 3.1.1):
 * hop-by-hop options, routing and fragment headers. Destination options may stand on either side; here they stay in
 * front where a routing or fragment header, ESP or AH follows them, or where they tell a home address (RFC 6275
 * section 6.3), and are protected otherwise. Linux leaves those in front, too, that nothing but the upper protocol
 * follows, if there is no routing header; a receiver takes either.
 *
 * @module
 */
import { checksum, replaceWord } from './checksum.ts'
import { hasHomeAddress } from './ipv6-options.ts'
import { read16, read32, write16 } from './octets.ts'
import {
  DF,
  FRAGMENT_HEADER_LENGTH,
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_ESP,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ROUTING,
  MF,
  OFFSET,
  V4_LENGTH,
  V6_LENGTH,
} from './protocols.ts'

/** What {@link parseIp} found. Reused from packet to packet; places (`…At`, `end`) are offsets into the bytes. */
export interface IpHeader {
  version: 4 | 6
  /** Where the packet begins and ends: the end by its own length, which may be before that of the data. */
  at: number
  end: number
  /** From `at` to {@link upperAt}. */
  headerLength: number
  sourceAt: number
  destinationAt: number
  /** The address that transport checksums count: of IPv6 with an unfinished type 0 or 2 routing header, its last. */
  finalDestinationAt: number
  /** The byte that names what stands at {@link upperAt}. */
  nextHeaderAt: number
  /** That byte's value: the upper protocol, ESP or AH, or destination options. */
  protocol: number
  /** Behind the IP header, and of IPv6 behind the extension headers that ESP and AH leave in front of themselves. */
  upperAt: number
  /** The upper protocol, ESP or AH, also where destination options stand between it and {@link upperAt}. */
  transportProtocol: number
  transportAt: number
  /** Part of a packet: ports are not to be looked for. An IPv6 packet that is its only fragment (RFC 6946) is whole. */
  isFragment: boolean
  /** Distance from the packet's beginning in bytes. */
  fragmentOffset: number
  moreFragments: boolean
  /** Of IPv6 only: the fragment header and the byte that names it; -1 where there is none. */
  fragmentAt: number
  fragmentNamedAt: number
  /** 16 bits of IPv4, 32 of an IPv6 fragment header, or 0. */
  identification: number
  /** True of every IPv6 packet. */
  dontFragment: boolean
  /** Type of service (IPv4) or traffic class (IPv6): DSCP and ECN. */
  trafficClass: number
  /** 0 for IPv4. */
  flowLabel: number
  /** Time to live (IPv4) or hop limit (IPv6). */
  hopLimit: number
}

export function newIpHeader(): IpHeader {
  return {
    version: 4,
    at: 0,
    end: 0,
    headerLength: 0,
    sourceAt: 0,
    destinationAt: 0,
    finalDestinationAt: 0,
    nextHeaderAt: 0,
    protocol: 0,
    upperAt: 0,
    transportProtocol: 0,
    transportAt: 0,
    isFragment: false,
    fragmentOffset: 0,
    moreFragments: false,
    fragmentAt: -1,
    fragmentNamedAt: -1,
    identification: 0,
    dontFragment: false,
    trafficClass: 0,
    flowLabel: 0,
    hopLimit: 0,
  }
}

/**
 * Reads the headers of an IP packet. Checksum and options of IPv4 are not looked at. Refused are, besides what is cut
 * off: jumbograms (RFC 2675), hop-by-hop options that are not first, a second fragment header, and first fragments
 * that do not hold all extension headers (RFC 8200 sections 4.1 and 4.5).
 *
 * @returns false where the bytes from `at` to `end` do not begin with a whole, well-formed IP packet; `into` is then
 *   of no use
 */
export function parseIp(bytes: Uint8Array, at: number, end: number, into: IpHeader): boolean {
  if (end - at < V4_LENGTH) return false
  const version = (bytes[at] ?? 0) >> 4
  if (version === 4) return parseV4(bytes, at, end, into)
  return version === 6 && parseV6(bytes, at, end, into)
}

function parseV4(bytes: Uint8Array, at: number, end: number, into: IpHeader): boolean {
  const headerLength = ((bytes[at] ?? 0) & 15) * 4
  const total = read16(bytes, at + 2)
  if (headerLength < V4_LENGTH || total < headerLength || total > end - at) return false
  const fragment = read16(bytes, at + 6)
  into.version = 4
  into.at = at
  into.end = at + total
  into.headerLength = headerLength
  into.sourceAt = at + 12
  into.destinationAt = at + 16
  into.finalDestinationAt = at + 16
  into.nextHeaderAt = at + 9
  into.protocol = bytes[at + 9] ?? 0
  into.upperAt = at + headerLength
  into.transportProtocol = into.protocol
  into.transportAt = into.upperAt
  into.isFragment = (fragment & (OFFSET | MF)) !== 0
  into.fragmentOffset = (fragment & OFFSET) * 8
  into.moreFragments = (fragment & MF) !== 0
  into.fragmentAt = -1
  into.fragmentNamedAt = -1
  into.identification = read16(bytes, at + 4)
  into.dontFragment = (fragment & DF) !== 0
  into.trafficClass = bytes[at + 1] ?? 0
  into.flowLabel = 0
  into.hopLimit = bytes[at + 8] ?? 0
  return true
}

function parseV6(bytes: Uint8Array, at: number, end: number, into: IpHeader): boolean {
  if (end - at < V6_LENGTH) return false
  const length = V6_LENGTH + read16(bytes, at + 4)
  if (length > end - at) return false
  const word = read32(bytes, at)
  into.version = 6
  into.at = at
  into.end = at + length
  into.sourceAt = at + 8
  into.destinationAt = at + 24
  into.finalDestinationAt = at + 24
  into.isFragment = false
  into.fragmentOffset = 0
  into.moreFragments = false
  into.fragmentAt = -1
  into.fragmentNamedAt = -1
  into.identification = 0
  into.dontFragment = true
  into.trafficClass = (word >>> 20) & 0xff
  into.flowLabel = word & 0xfffff
  into.hopLimit = bytes[at + 7] ?? 0
  return walkExtensions(bytes, into)
}

/** Sets what depends on extension headers. */
function walkExtensions(bytes: Uint8Array, into: IpHeader): boolean {
  const { at, end } = into
  let namedAt = at + 6
  let header = at + V6_LENGTH
  settle(bytes, into, namedAt, header)
  for (;;) {
    const protocol = bytes[namedAt] ?? 0
    if (protocol === IPPROTO_ESP || protocol === IPPROTO_AH) {
      settle(bytes, into, namedAt, header)
      break
    }
    const isOptions = protocol === IPPROTO_DSTOPTS
    const isFragment = protocol === IPPROTO_FRAGMENT
    if (protocol === IPPROTO_HOPOPTS && header !== at + V6_LENGTH) return false
    if (!isOptions && !isFragment && protocol !== IPPROTO_ROUTING && protocol !== IPPROTO_HOPOPTS) break
    if (header + 8 > end) return false
    const next = header + (isFragment ? FRAGMENT_HEADER_LENGTH : ((bytes[header + 1] ?? 0) + 1) * 8)
    if (next > end) return false
    if (protocol === IPPROTO_ROUTING) readRouting(bytes, header, next, into)
    if (isFragment && !readFragment(bytes, namedAt, header, into)) return false
    const isInFront = !isOptions || hasHomeAddress(bytes, header + 2, next)
    namedAt = header
    header = next
    if (isInFront) settle(bytes, into, namedAt, header)
    // What follows in a later fragment is data.
    if (into.fragmentOffset > 0) break
  }
  into.transportProtocol = bytes[namedAt] ?? 0
  into.transportAt = header
  return true
}

/** ESP and AH would stand at `header`, if nothing follows that stays in front of them. */
function settle(bytes: Uint8Array, into: IpHeader, namedAt: number, header: number): void {
  into.nextHeaderAt = namedAt
  into.protocol = bytes[namedAt] ?? 0
  into.upperAt = header
  into.headerLength = header - into.at
}

function readFragment(bytes: Uint8Array, namedAt: number, header: number, into: IpHeader): boolean {
  if (into.fragmentAt >= 0) return false
  const field = read16(bytes, header + 2)
  into.fragmentAt = header
  into.fragmentNamedAt = namedAt
  into.fragmentOffset = field & 0xfff8
  into.moreFragments = (field & 1) !== 0
  into.isFragment = (field & 0xfff9) !== 0
  into.identification = read32(bytes, header + 4)
  return true
}

/** Routing headers of types 0 (RFC 2460) and 2 (RFC 6275) hold reserved 32 bits and addresses. */
function readRouting(bytes: Uint8Array, header: number, next: number, into: IpHeader): void {
  const type = bytes[header + 2] ?? 0
  const left = bytes[header + 3] ?? 0
  if ((type === 0 || type === 2) && left > 0 && next - header >= 24) into.finalDestinationAt = next - 16
}

/** True where the sum over an IPv4 header is right; IPv6 has none. */
export function headerChecksumHolds(bytes: Uint8Array, { version, at, upperAt }: IpHeader): boolean {
  return version === 6 || checksum(bytes, at, upperAt, 0) === 0
}

/** Writes the length of the packet from `at` to `end`, and its header's checksum. */
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

/** Type of service or traffic class of the header at `at`. */
export function trafficClass(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  const second = bytes[at + 1] ?? 0
  return first >> 4 === 4 ? second : ((first & 15) << 4) | (second >> 4)
}

/** Sets type of service or traffic class, and brings the checksum of an IPv4 header up to date. */
export function setTrafficClass(bytes: Uint8Array, at: number, value: number): void {
  const first = bytes[at] ?? 0
  if (first >> 4 === 4) {
    replaceWord(bytes, at, (first << 8) | value, at + 10)
    return
  }
  bytes[at] = 0x60 | (value >> 4)
  bytes[at + 1] = ((value & 15) << 4) | ((bytes[at + 1] ?? 0) & 15)
}
