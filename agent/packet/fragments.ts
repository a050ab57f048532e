/**
 * Cutting a packet that is too long for its way into fragments (RFC 791 section 3.2, RFC 8200 section 4.5).
 *
 * @module
 */

import { type IpHeader, setLength } from './ip-header.ts'
import { COPIED, END_OF_OPTIONS, optionEnd } from './ipv4-options.ts'
import { copy, read16, write16, write32 } from './octets.ts'
import { FRAGMENT_HEADER_LENGTH, IPPROTO_FRAGMENT, LONGEST, MF, V4_LENGTH } from './protocols.ts'

/** The packet says that it must not be fragmented (IPv4), or is a fragment already (IPv6). */
export const MUST_NOT_FRAGMENT = -1
/** There is no room for data behind the headers, or not for all headers in the first fragment (RFC 7112). */
export const MTU_TOO_SMALL = -2
/** `out` or `ranges` is too short. */
export const FRAGMENTS_NO_ROOM = -3
/** The options of IPv4 are malformed, or the packet is a fragment that reaches beyond the longest packet. */
export const FRAGMENT_MALFORMED = -4

/**
 * Cuts a packet. The fragments are written one behind the other to `out`; a packet that fits is copied there as it is.
 *
 * @param ip its parsed header
 * @param mtu bytes of the longest fragment, IP header included
 * @param identification for IPv6, whose header has none: 32 bits
 * @param out not the memory of the packet
 * @param ranges for each fragment, where it begins and where it ends in `out`
 * @returns how many fragments there are, or one of the codes
 */
export function fragmentPacket(
  bytes: Uint8Array,
  ip: IpHeader,
  mtu: number,
  identification: number,
  out: Uint8Array,
  outAt: number,
  ranges: Uint32Array,
): number {
  const { at, end } = ip
  if (end - at > mtu) {
    return ip.version === 4
      ? cutV4(bytes, ip, mtu, out, outAt, ranges)
      : cutV6(bytes, ip, mtu, identification, out, outAt, ranges)
  }
  if (outAt + end - at > out.length || ranges.length < 2) return FRAGMENTS_NO_ROOM
  copy(bytes, at, end, out, outAt)
  ranges[0] = outAt
  ranges[1] = outAt + end - at
  return 1
}

/** A fragment of a fragment is one of the same packet: it keeps its offset, and only its last may be the last. */
function cutV4(
  bytes: Uint8Array,
  ip: IpHeader,
  mtu: number,
  out: Uint8Array,
  outAt: number,
  ranges: Uint32Array,
): number {
  const { at, upperAt, headerLength, end } = ip
  if (ip.dontFragment) return MUST_NOT_FRAGMENT
  const laterLength = laterHeaderLength(bytes, at, upperAt)
  if (laterLength < 0 || ip.fragmentOffset + end - at > LONGEST) return FRAGMENT_MALFORMED
  if (mtu < headerLength + 8) return MTU_TOO_SMALL
  const field = read16(bytes, at + 6)
  let count = 0
  let cursor = outAt
  for (let from = upperAt; from < end; count++) {
    const isFirst = from === upperAt
    const header = isFirst ? headerLength : laterLength
    const isLast = header + end - from <= mtu
    const to = isLast ? end : from + ((mtu - header) & ~7)
    const next = cursor + header + to - from
    if (next > out.length || 2 * count + 2 > ranges.length) return FRAGMENTS_NO_ROOM
    if (isFirst) copy(bytes, at, upperAt, out, cursor)
    else writeLaterHeader(bytes, at, upperAt, out, cursor, laterLength)
    write16(out, cursor + 6, (field + (from - upperAt) / 8) | (isLast ? 0 : MF))
    copy(bytes, from, to, out, cursor + header)
    setLength(out, cursor, next)
    ranges[2 * count] = cursor
    ranges[2 * count + 1] = next
    cursor = next
    from = to
  }
  return count
}

/** Length of the header of all fragments but the first: with the copied options only. -1 where they are malformed. */
function laterHeaderLength(bytes: Uint8Array, at: number, upperAt: number): number {
  let length = V4_LENGTH
  for (let option = at + V4_LENGTH; option < upperAt && bytes[option] !== END_OF_OPTIONS; ) {
    const next = optionEnd(bytes, option, upperAt)
    if (next < 0) return -1
    if ((bytes[option] ?? 0) & COPIED) length += next - option
    option = next
  }
  return (length + 3) & ~3
}

function writeLaterHeader(
  bytes: Uint8Array,
  at: number,
  upperAt: number,
  out: Uint8Array,
  outAt: number,
  length: number,
): void {
  copy(bytes, at, at + V4_LENGTH, out, outAt)
  out[outAt] = 0x40 | (length / 4)
  let cursor = outAt + V4_LENGTH
  for (let option = at + V4_LENGTH; option < upperAt && bytes[option] !== END_OF_OPTIONS; ) {
    const next = optionEnd(bytes, option, upperAt)
    if ((bytes[option] ?? 0) & COPIED) {
      copy(bytes, option, next, out, cursor)
      cursor += next - option
    }
    option = next
  }
  while (cursor < outAt + length) out[cursor++] = END_OF_OPTIONS
}

function cutV6(
  bytes: Uint8Array,
  ip: IpHeader,
  mtu: number,
  identification: number,
  out: Uint8Array,
  outAt: number,
  ranges: Uint32Array,
): number {
  const { at, upperAt, headerLength, end, nextHeaderAt, protocol } = ip
  if (ip.fragmentAt >= 0) return MUST_NOT_FRAGMENT
  const headers = headerLength + FRAGMENT_HEADER_LENGTH
  const space = (mtu - headers) & ~7
  if (space < 8 || ip.transportAt - upperAt >= space) return MTU_TOO_SMALL
  let count = 0
  let cursor = outAt
  for (let from = upperAt; from < end; count++) {
    const isLast = headers + end - from <= mtu
    const to = isLast ? end : from + space
    const next = cursor + headers + to - from
    if (next > out.length || 2 * count + 2 > ranges.length) return FRAGMENTS_NO_ROOM
    copy(bytes, at, upperAt, out, cursor)
    out[cursor + nextHeaderAt - at] = IPPROTO_FRAGMENT
    const header = cursor + headerLength
    out[header] = protocol
    out[header + 1] = 0
    write16(out, header + 2, (from - upperAt) | (isLast ? 0 : 1))
    write32(out, header + 4, identification)
    copy(bytes, from, to, out, header + FRAGMENT_HEADER_LENGTH)
    setLength(out, cursor, next)
    ranges[2 * count] = cursor
    ranges[2 * count + 1] = next
    cursor = next
    from = to
  }
  return count
}
