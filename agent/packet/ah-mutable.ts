/**
 * The form of the IP headers that AH's integrity check covers (RFC 4302 section 3.3.3.1 and appendix A): fields that
 * change on the way are zero, and fields that change in a known way have the value with which they arrive. Headers are
 * expected as they are on the wire. Sender and receiver do the same: whether a source route lies still ahead of the
 * packet, its own pointer tells.
 *
 * Everything behind AH is covered as it is; so only the headers have to be copied.
 *
 * @module
 */
import {
  END_OF_OPTIONS,
  LOOSE_SOURCE_ROUTE,
  optionEnd as optionEnd4,
  STRICT_SOURCE_ROUTE,
} from './ipv4-options.ts'
import { homeAddressAt, optionEnd as optionEnd6 } from './ipv6-options.ts'
import { copy } from './octets.ts'
import {
  AH_FIXED_LENGTH,
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ROUTING,
  V4_LENGTH,
  V6_LENGTH,
} from './protocols.ts'

/** Why headers have no such form. */
export const AH_MALFORMED = -1
/** A fragment, or a fragment header: packets are put together before they are checked (RFC 4302 section 3.4.1). */
export const AH_FRAGMENT = -2
/** A routing header that is not through, of a type whose end cannot be foretold. */
export const AH_ROUTING = -3
/** `out` is too short. */
export const AH_NO_ROOM = -4

const ADDRESS_LENGTH = 16
/** An option of IPv6 with this bit may have its data changed. */
const MUTABLE = 0x20

/** Options of IPv4 that count as they are (appendix A1). All others count as zeros, unknown ones too. */
const IMMUTABLE_OPTIONS: ReadonlySet<number> = new Set([
  0, // end of options
  1, // no operation
  130, // security (RFC 1108)
  133, // extended security (RFC 1108)
  134, // commercial security
  148, // router alert (RFC 2113)
  149, // sender directed multi-destination delivery (RFC 1770)
])

/**
 * Copies a packet's headers up to the end of AH into `out`, and brings the copy into the form that is covered. The
 * rest of the packet, from there to its end, follows in the computation as it is.
 *
 * @param ahAt where AH begins; it must lie between `at` and `end` as a whole
 * @param icvLength bytes of ICV that count as zero; padding behind it counts as it is
 * @returns how many bytes were written, which is where the rest begins, counted from `at`; or one of the codes
 */
export function zeroMutable(
  bytes: Uint8Array,
  at: number,
  end: number,
  ahAt: number,
  icvLength: number,
  out: Uint8Array,
  outAt: number,
): number {
  if (ahAt < at || ahAt + AH_FIXED_LENGTH + icvLength > end) return AH_MALFORMED
  const ahLength = ((bytes[ahAt + 1] ?? 0) + 2) * 4
  if (ahAt + ahLength > end || ahLength < AH_FIXED_LENGTH + icvLength) return AH_MALFORMED
  const length = ahAt + ahLength - at
  if (outAt + length > out.length) return AH_NO_ROOM
  copy(bytes, at, at + length, out, outAt)
  const copiedAh = outAt + ahAt - at
  const failure = zeroMutableFields(out, outAt, copiedAh)
  if (failure < 0) return failure
  clear(out, copiedAh + AH_FIXED_LENGTH, copiedAh + AH_FIXED_LENGTH + icvLength)
  return length
}

/**
 * Brings the headers from `at` to `ahAt` into the form that is covered, in place. AH itself stays as it is.
 *
 * @returns 0, or one of the codes, with the headers then half changed
 */
export function zeroMutableFields(bytes: Uint8Array, at: number, ahAt: number): number {
  if (ahAt - at < V4_LENGTH) return AH_MALFORMED
  const version = (bytes[at] ?? 0) >> 4
  if (version === 4) return zeroV4(bytes, at, ahAt)
  return version === 6 && ahAt - at >= V6_LENGTH ? zeroV6(bytes, at, ahAt) : AH_MALFORMED
}

function clear(bytes: Uint8Array, at: number, end: number): void {
  for (let i = at; i < end; i++) bytes[i] = 0
}

function zeroV4(bytes: Uint8Array, at: number, ahAt: number): number {
  if (((bytes[at] ?? 0) & 15) * 4 !== ahAt - at || bytes[at + 9] !== IPPROTO_AH) return AH_MALFORMED
  // More fragments, or an offset.
  if (((bytes[at + 6] ?? 0) & 0x3f) !== 0 || bytes[at + 7] !== 0) return AH_FRAGMENT
  bytes[at + 1] = 0 // type of service
  clear(bytes, at + 6, at + 9) // flags, fragment offset, time to live
  clear(bytes, at + 10, at + 12) // checksum
  for (let option = at + V4_LENGTH; option < ahAt; ) {
    const type = bytes[option] ?? 0
    if (type === END_OF_OPTIONS) return 0
    const next = optionEnd4(bytes, option, ahAt)
    if (next < 0) return AH_MALFORMED
    if (type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE) {
      if (!arriveV4(bytes, at, option, next)) return AH_MALFORMED
    }
    if (!IMMUTABLE_OPTIONS.has(type)) clear(bytes, option, next)
    option = next
  }
  return 0
}

/** Sets the destination to the last address of a source route. Once the pointer is past that, it has been there. */
function arriveV4(bytes: Uint8Array, at: number, option: number, next: number): boolean {
  const length = next - option
  if (length < 3 || (length - 3) % 4 !== 0) return false
  const pointer = bytes[option + 2] ?? 0
  if (pointer < 4) return false
  if (pointer <= length) copy(bytes, next - 4, next, bytes, at + 16)
  return true
}

function zeroV6(bytes: Uint8Array, at: number, ahAt: number): number {
  bytes[at] = 0x60 // version; the class goes
  clear(bytes, at + 1, at + 4) // class, flow label
  bytes[at + 7] = 0 // hop limit
  let protocol = bytes[at + 6] ?? 0
  let header = at + V6_LENGTH
  while (header < ahAt) {
    // The fields of all of them begin with next header and length, but for the fragment header.
    if (protocol !== IPPROTO_HOPOPTS && protocol !== IPPROTO_ROUTING && protocol !== IPPROTO_DSTOPTS) {
      return protocol === IPPROTO_FRAGMENT ? AH_FRAGMENT : AH_MALFORMED
    }
    if (header + 8 > ahAt) return AH_MALFORMED
    const next = header + ((bytes[header + 1] ?? 0) + 1) * 8
    if (next > ahAt) return AH_MALFORMED
    const failure =
      protocol === IPPROTO_ROUTING
        ? arriveV6(bytes, at, header, next)
        : zeroOptions(bytes, at, header, next, protocol)
    if (failure < 0) return failure
    protocol = bytes[header] ?? 0
    header = next
  }
  return protocol === IPPROTO_AH ? 0 : AH_MALFORMED
}

function zeroOptions(bytes: Uint8Array, at: number, header: number, end: number, protocol: number): number {
  for (let option = header + 2; option < end; ) {
    const next = optionEnd6(bytes, option, end)
    if (next < 0) return AH_MALFORMED
    if ((bytes[option] ?? 0) & MUTABLE) clear(bytes, option + 2, next)
    option = next
  }
  // The home address counts as the source, and what the packet has for its source as the option's data (RFC 6275
  // section 11.3.1).
  const home = protocol === IPPROTO_DSTOPTS ? homeAddressAt(bytes, header + 2, end) : -1
  if (home >= 0) swapAddresses(bytes, at + 8, home)
  return 0
}

function swapAddresses(bytes: Uint8Array, a: number, b: number): void {
  for (let i = 0; i < ADDRESS_LENGTH; i++) {
    const kept = bytes[a + i] ?? 0
    bytes[a + i] = bytes[b + i] ?? 0
    bytes[b + i] = kept
  }
}

/**
 * Brings a routing header of type 0 (RFC 2460 section 4.4) or 2 (RFC 6275 section 6.4) into the form that it has at the
 * last hop: each node on the way swaps the destination with the next address.
 */
function arriveV6(bytes: Uint8Array, at: number, header: number, next: number): number {
  const type = bytes[header + 2] ?? 0
  const left = bytes[header + 3] ?? 0
  if (left === 0) return 0
  if (type !== 0 && type !== 2) return AH_ROUTING
  const size = next - header - 8
  const count = size / ADDRESS_LENGTH
  if (size % ADDRESS_LENGTH !== 0 || left > count || (type === 2 && count !== 1)) return AH_MALFORMED
  for (let i = count - left; i < count; i++) {
    swapAddresses(bytes, at + 24, header + 8 + i * ADDRESS_LENGTH)
  }
  bytes[header + 3] = 0
  return 0
}
