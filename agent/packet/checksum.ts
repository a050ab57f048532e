/**
 * The Internet checksum (RFC 1071), its incremental update (RFC 1624), and the pseudo-headers of the transports.
 *
 * A *sum* is a plain number that grows; {@link fold} brings it to 16 bits. A *checksum* is the complement of a folded
 * sum. Headers are summed byte by byte; over whole packets, reading 32 bits through a view takes less than half the
 * time (0.35 instead of 0.85 µs for 1400 bytes), and so those functions ask for {@link Memory}.
 *
 * @module
 */
import type { Memory } from '../../netlink/codec/memory.ts'
import type { IpHeader } from './ip-header.ts'
import { read16, write16 } from './octets.ts'
import { IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE } from './protocols.ts'
import { TCP_CHECKSUM, UDP_CHECKSUM } from './transport-fields.ts'

/** Sum of 16-bit words from `at` to `end`, an odd last byte as the upper half of one, added to `sum`. Not yet folded. */
export function sumWords(bytes: Uint8Array, at: number, end: number, sum: number): number {
  let total = sum
  const whole = at + ((end - at) & ~1)
  for (let i = at; i < whole; i += 2) total += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  return whole < end ? total + ((bytes[whole] ?? 0) << 8) : total
}

/** As {@link sumWords}, for long stretches. */
export function sumMemory({ bytes, view }: Memory, at: number, end: number, sum: number): number {
  // Two halves of each word apart: neither leaves the integers that the engine adds fastest.
  let upper = 0
  let lower = 0
  const whole = at + ((end - at) & ~3)
  for (let i = at; i < whole; i += 4) {
    const word = view.getInt32(i)
    upper += word >>> 16
    lower += word & 0xffff
  }
  return sumWords(bytes, whole, end, sum + upper + lower)
}

/** A sum folded to 16 bits. */
export function fold(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000)
  return folded
}

/** The checksum of a range, on top of a sum that was made before; 0 where the range holds its own right checksum. */
export function checksum(bytes: Uint8Array, at: number, end: number, sum: number): number {
  return ~fold(sumWords(bytes, at, end, sum)) & 0xffff
}

/**
 * What becomes of a checksum when one 16-bit word under it changes (RFC 1624 equation 3). A checksum that was wrong
 * stays wrong.
 */
export function updatedChecksum(old: number, before: number, after: number): number {
  return ~fold((~old & 0xffff) + (~before & 0xffff) + after) & 0xffff
}

/** Writes a 16-bit word that stands on an even offset of what the checksum at `checksumAt` covers, and updates that. */
export function replaceWord(bytes: Uint8Array, at: number, value: number, checksumAt: number): void {
  write16(bytes, checksumAt, updatedChecksum(read16(bytes, checksumAt), read16(bytes, at), value))
  write16(bytes, at, value)
}

/**
 * Sum of the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293 section 3.1, RFC 8200 section 8.1).
 *
 * @param addressesAt where the source stands, with the destination right behind it
 * @param addressLength of both together: 8 or 32
 * @param length of the upper-layer packet
 */
export function pseudoHeaderSum(
  bytes: Uint8Array,
  addressesAt: number,
  addressLength: number,
  protocol: number,
  length: number,
): number {
  return sumWords(bytes, addressesAt, addressesAt + addressLength, protocol + length)
}

/** Where the checksum stands in a transport header, or -1 for protocols that have none of this kind. */
export function checksumOffset(protocol: number): number {
  switch (protocol) {
    case IPPROTO_TCP:
      return TCP_CHECKSUM
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
      return UDP_CHECKSUM
    case IPPROTO_ICMPV6:
      return 2
    default:
      return -1
  }
}

/** There is no such checksum: another protocol, a fragment, or a header or length that does not fit. */
export const NO_CHECKSUM = -1

/** Bytes of the upper-layer packet that its checksum covers, or {@link NO_CHECKSUM}. */
function coveredLength(bytes: Uint8Array, ip: IpHeader): number {
  const { transportAt, transportProtocol, end } = ip
  const offset = checksumOffset(transportProtocol)
  const length = end - transportAt
  if (offset < 0 || ip.isFragment || length < offset + 2) return NO_CHECKSUM
  if (transportProtocol === IPPROTO_TCP || transportProtocol === IPPROTO_ICMPV6) return length
  if (length < 8) return NO_CHECKSUM
  const named = read16(bytes, transportAt + 4)
  // UDP-Lite (RFC 3828 section 3.1): how much is covered, where 0 is all; at least the header.
  const covered = transportProtocol === IPPROTO_UDPLITE && named === 0 ? length : named
  return covered < 8 || covered > length ? NO_CHECKSUM : covered
}

/** Pseudo-header and covered bytes. A source route's last address counts as the destination (RFC 8200 section 8.1). */
function transportSum(memory: Memory, ip: IpHeader, covered: number): number {
  const { sourceAt, finalDestinationAt, transportAt, transportProtocol, end } = ip
  const { bytes } = memory
  const size = ip.version === 4 ? 4 : 16
  const length = transportProtocol === IPPROTO_UDP ? covered : end - transportAt
  let sum = sumWords(bytes, sourceAt, sourceAt + size, transportProtocol + length)
  sum = sumWords(bytes, finalDestinationAt, finalDestinationAt + size, sum)
  return sumMemory(memory, transportAt, transportAt + covered, sum)
}

/**
 * Computes the checksum of the TCP, UDP, UDP-Lite or ICMPv6 packet in an IP packet that was parsed, and writes it.
 *
 * @returns it, or {@link NO_CHECKSUM} with nothing written
 */
export function writeTransportChecksum(memory: Memory, ip: IpHeader): number {
  const covered = coveredLength(memory.bytes, ip)
  if (covered < 0) return NO_CHECKSUM
  const at = ip.transportAt + checksumOffset(ip.transportProtocol)
  write16(memory.bytes, at, 0)
  const computed = ~fold(transportSum(memory, ip, covered)) & 0xffff
  // In UDP, zero says that there is none (RFC 768); both stand for the same sum.
  const isUdp = ip.transportProtocol === IPPROTO_UDP || ip.transportProtocol === IPPROTO_UDPLITE
  const value = isUdp && computed === 0 ? 0xffff : computed
  write16(memory.bytes, at, value)
  return value
}

/**
 * Whether the checksum of the TCP, UDP, UDP-Lite or ICMPv6 packet is right.
 *
 * @returns `none` for other protocols, fragments, cut-off headers, and UDP over IPv4 that was sent without
 */
export function verifyTransport(memory: Memory, ip: IpHeader): 'right' | 'wrong' | 'none' {
  const { transportAt, transportProtocol } = ip
  const covered = coveredLength(memory.bytes, ip)
  if (covered < 0) return 'none'
  const isUdp = transportProtocol === IPPROTO_UDP
  if (read16(memory.bytes, transportAt + checksumOffset(transportProtocol)) === 0) {
    if (isUdp && ip.version === 4) return 'none'
    if (isUdp || transportProtocol === IPPROTO_UDPLITE) return 'wrong'
  }
  return fold(transportSum(memory, ip, covered)) === 0xffff ? 'right' : 'wrong'
}
