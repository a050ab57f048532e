/**
 * The fields of IP headers that AH does not cover, because they change on the way (RFC 4302 section 3.3.3.1 and
 * appendix A). They are set to zero in a copy of the packet, over which the ICV is then computed.
 *
 * @module
 */
import { IPPROTO_DSTOPTS, IPPROTO_HOPOPTS, IPPROTO_ROUTING } from './ip-header.ts'

const V4_LENGTH = 20
const V6_LENGTH = 40

/** Options of IPv4 that stay as they are (RFC 4302 appendix A1); all others count as zeros. */
const IMMUTABLE_OPTIONS: ReadonlySet<number> = new Set([
  130, // security (RFC 1108)
  133, // extended security
  134, // commercial security
  148, // router alert (RFC 2113)
  149, // sender directed multi-destination delivery
])
const END_OF_OPTIONS = 0
const NO_OPERATION = 1
const LOOSE_SOURCE_ROUTE = 131
const STRICT_SOURCE_ROUTE = 137

/** `sending`: the packet has its way before it, and source routes are brought into the form that they will arrive in. */
export type Side = 'sending' | 'receiving'

/**
 * Zeroes what is mutable in the headers from `at` to `ahAt`.
 *
 * @param at where the IP header begins
 * @param ahAt where AH begins
 * @returns false where the options are malformed
 */
export function zeroMutableFields(bytes: Uint8Array, at: number, ahAt: number, side: Side): boolean {
  return (bytes[at] ?? 0) >> 4 === 4 ? zeroV4(bytes, at, ahAt, side) : zeroV6(bytes, at, ahAt, side)
}

function zeroV4(bytes: Uint8Array, at: number, ahAt: number, side: Side): boolean {
  bytes[at + 1] = 0 // type of service
  bytes.fill(0, at + 6, at + 9) // flags, fragment offset, time to live
  bytes.fill(0, at + 10, at + 12) // checksum
  for (let option = at + V4_LENGTH; option < ahAt; ) {
    const type = bytes[option] ?? 0
    if (type === END_OF_OPTIONS) return true
    if (type === NO_OPERATION) {
      option++
      continue
    }
    const length = bytes[option + 1] ?? 0
    if (option + 2 > ahAt || length < 2 || option + length > ahAt) return false
    if (!IMMUTABLE_OPTIONS.has(type)) {
      const isRoute = type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE
      if (isRoute && length < 6) return false
      // The last address of a source route is where the packet arrives.
      if (isRoute && side === 'sending') bytes.copyWithin(at + 16, option + length - 4, option + length)
      bytes.fill(0, option, option + length)
    }
    option += length
  }
  return true
}

function zeroV6(bytes: Uint8Array, at: number, ahAt: number, side: Side): boolean {
  bytes[at] = 0x60 // version; the class goes
  bytes.fill(0, at + 1, at + 4) // class, flow label
  bytes[at + 7] = 0 // hop limit
  let protocol = bytes[at + 6] ?? 0
  for (let header = at + V6_LENGTH; header < ahAt; ) {
    const length = ((bytes[header + 1] ?? 0) + 1) * 8
    if (header + length > ahAt) return false
    const isOptions = protocol === IPPROTO_HOPOPTS || protocol === IPPROTO_DSTOPTS
    if (isOptions && !zeroOptions(bytes, header + 2, header + length)) return false
    if (protocol === IPPROTO_ROUTING && side === 'sending' && !arrive(bytes, at, header, length)) return false
    protocol = bytes[header] ?? 0
    header += length
  }
  return true
}

/** Bit 5 of an option's type says that its data may change (RFC 8200 section 4.2). */
function zeroOptions(bytes: Uint8Array, at: number, end: number): boolean {
  for (let option = at; option < end; ) {
    const type = bytes[option] ?? 0
    if (type === 0) {
      option++
      continue
    }
    if (option + 2 > end) return false
    const next = option + 2 + (bytes[option + 1] ?? 0)
    if (next > end) return false
    if (type & 0x20) bytes.fill(0, option + 2, next)
    option = next
  }
  return true
}

/** Brings a routing header of type 0 or 2 into the form that it has at the last hop. */
function arrive(bytes: Uint8Array, at: number, header: number, length: number): boolean {
  const type = bytes[header + 2] ?? 0
  const left = bytes[header + 3] ?? 0
  if (left === 0 || (type !== 0 && type !== 2)) return true
  const count = (length - 8) / 16
  if (!Number.isInteger(count) || left > count) return false
  const first = header + 8
  const last = bytes.slice(header + length - 16, header + length)
  const passed = count - left
  // Those that lie ahead move one place back; the present destination is the first that will have been passed.
  bytes.copyWithin(first + (passed + 1) * 16, first + passed * 16, header + length - 16)
  bytes.copyWithin(first + passed * 16, at + 24, at + 40)
  bytes.set(last, at + 24)
  bytes[header + 3] = 0
  return true
}
