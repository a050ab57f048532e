/**
 * Putting fragments together again (RFC 791 section 3.2, RFC 8200 section 4.5), in bounded memory.
 *
 * Fragments that overlap end their packet (RFC 5722), for IPv4 too; only a fragment that is the same as one before is
 * let pass by. A packet of IPv6 that was ended so stays refused until its time is over; the 16 bits of IPv4's
 * identification come around too soon for that. What is kept grows with what was sent, so that a single fragment at
 * a great distance costs nothing. Where the table is full, the oldest packet gives way.
 *
 * @module
 */
import { CE, ECN, NOT_ECT } from './ecn.ts'
import { headerChecksumHolds, type IpHeader, setLength, setTrafficClass, trafficClass } from './ip-header.ts'
import { copyOf, sameRange, write16 } from './octets.ts'
import { DF, FRAGMENT_HEADER_LENGTH, LONGEST, V6_LENGTH } from './protocols.ts'

/** The fragment is kept; others are missing. */
export const HELD = 0
/** The same fragment came before. */
export const DUPLICATE = 1
/** Not a fragment: to be used as it is. */
export const NOT_A_FRAGMENT = -1
/** Without data, of a length that only a last fragment may have, or with a wrong header checksum. */
export const FRAGMENT_REFUSED = -2
/** It contradicts what came before: the packet is given up. */
export const OVERLAP = -3
/** The packet would be longer than a packet can be: it is given up. */
export const TOO_LONG = -4
/** The packet is in too many pieces, or alone too long for the table: it is given up. */
export const TOO_MUCH = -5
/** Some fragments tell congestion and some say that they cannot (RFC 3168 section 5.3): the packet is given up. */
export const ECN_MIXED = -6

export interface ReassemblyLimits {
  /** Packets that are incomplete at one time. */
  readonly packets: number
  /** What all of them may take, in bytes, with an allowance for each packet and fragment. */
  readonly bytes: number
  /** Fragments of one packet. */
  readonly fragments: number
  /** How long a packet is waited for, from its first arrival on, in the units of the clock that the caller reads. */
  readonly timeout: number
}

/** With a clock of milliseconds. 60 seconds: RFC 8200 section 4.5, RFC 1122 section 3.3.2. */
const defaultLimits: ReassemblyLimits = {
  packets: 1024,
  bytes: 4 * 1024 * 1024,
  fragments: 256,
  timeout: 60_000,
}

interface Piece {
  /** Offsets in what was cut. */
  readonly start: number
  readonly end: number
  readonly data: Uint8Array
}

interface Incomplete {
  readonly deadline: number
  /** In order, without overlap. */
  pieces: Piece[]
  /** Headers of the first fragment, without the fragment header. */
  header: Uint8Array | undefined
  /** Length of what was cut, or -1 while the last fragment is missing. */
  total: number
  received: number
  /** One bit for each value of the ECN field that was seen. */
  ecnSeen: number
  /** What it counts for in {@link Reassembly.bytes}. */
  cost: number
  /** Given up; further fragments are refused. */
  isRefused: boolean
}

/** The table. Its fields are for reading. */
export interface Reassembly {
  readonly limits: ReassemblyLimits
  /** Oldest first. */
  readonly packets: Map<string, Incomplete>
  bytes: number
}

/** What a packet or a fragment costs beside its data. */
const PACKET_COST = 512
const FRAGMENT_COST = 256

export function newReassembly(limits: Partial<ReassemblyLimits> = {}): Reassembly {
  return { limits: { ...defaultLimits, ...limits }, packets: new Map(), bytes: 0 }
}

/**
 * Takes a fragment in.
 *
 * @param ip its parsed header
 * @param now a clock that does not go backward
 * @param way fragments that came another way are of another packet
 * @returns the packet, in memory of its own, when it is whole: at once for an IPv6 fragment that is all there is (RFC
 *   6946). Else one of the codes
 */
export function addFragment(
  table: Reassembly,
  bytes: Uint8Array,
  ip: IpHeader,
  now: number,
  way = '',
): Uint8Array | number {
  expireFragments(table, now)
  if (!ip.isFragment) return ip.fragmentAt < 0 ? NOT_A_FRAGMENT : withoutFragmentHeader(bytes, ip)
  const { fragmentOffset: start } = ip
  const dataAt = ip.version === 4 ? ip.upperAt : ip.fragmentAt + FRAGMENT_HEADER_LENGTH
  const length = ip.end - dataAt
  if (length === 0 || (ip.moreFragments && length % 8 !== 0)) return FRAGMENT_REFUSED
  if (!headerChecksumHolds(bytes, ip)) return FRAGMENT_REFUSED
  const key = keyOf(bytes, ip) + way
  const packet = table.packets.get(key) ?? begin(table, key, now)
  if (packet.isRefused) return OVERLAP
  const code = place(table, packet, bytes, ip, dataAt, start + length)
  if (code < 0) giveUp(table, key, packet, ip.version === 6)
  else if (packet.received === packet.total) {
    remove(table, key, packet)
    return join(packet)
  }
  const isThere = makeRoom(table, packet)
  return code < 0 || isThere ? code : TOO_MUCH
}

/**
 * Forgets what has waited too long. Each {@link addFragment} does that, too, in silence.
 *
 * @param expired is given the first fragment, if it came, as a packet without fragment header whose data ends where
 *   something is missing: what an ICMP error "reassembly time exceeded" is about
 * @returns how many packets were given up
 */
export function expireFragments(
  table: Reassembly,
  now: number,
  expired?: (first: Uint8Array) => void,
): number {
  let count = 0
  for (const [key, packet] of table.packets) {
    if (packet.deadline > now) break
    remove(table, key, packet)
    count++
    const { header } = packet
    const [first] = packet.pieces
    if (expired && header && first) expired(assemble(header, [first], first.end))
  }
  return count
}

/** Source, destination and identification; of IPv4 also the protocol, which in IPv6 only the first fragment has right. */
function keyOf(
  bytes: Uint8Array,
  { version, sourceAt, destinationAt, identification, protocol }: IpHeader,
): string {
  const size = version === 4 ? 4 : 16
  let key = version === 4 ? String.fromCharCode(protocol) : ''
  for (let i = 0; i < size; i += 2) {
    key += String.fromCharCode(((bytes[sourceAt + i] ?? 0) << 8) | (bytes[sourceAt + i + 1] ?? 0))
    key += String.fromCharCode(((bytes[destinationAt + i] ?? 0) << 8) | (bytes[destinationAt + i + 1] ?? 0))
  }
  return key + String.fromCharCode(identification >>> 16, identification & 0xffff)
}

function begin(table: Reassembly, key: string, now: number): Incomplete {
  const packet: Incomplete = {
    deadline: now + table.limits.timeout,
    pieces: [],
    header: undefined,
    total: -1,
    received: 0,
    ecnSeen: 0,
    cost: PACKET_COST,
    isRefused: false,
  }
  table.packets.set(key, packet)
  table.bytes += PACKET_COST
  return packet
}

function remove(table: Reassembly, key: string, packet: Incomplete): void {
  table.packets.delete(key)
  table.bytes -= packet.cost
}

/** Lets the data go; the entry stays where further fragments are to be refused. */
function giveUp(table: Reassembly, key: string, packet: Incomplete, isKept: boolean): void {
  if (!isKept) {
    remove(table, key, packet)
    return
  }
  table.bytes -= packet.cost - PACKET_COST
  packet.cost = PACKET_COST
  packet.pieces = []
  packet.header = undefined
  packet.isRefused = true
}

/** Makes the oldest packets give way until the table is within its limits. False where this one had to go itself. */
function makeRoom(table: Reassembly, current: Incomplete): boolean {
  const { limits, packets } = table
  for (const [key, oldest] of packets) {
    if (packets.size <= limits.packets && table.bytes <= limits.bytes) return true
    remove(table, key, oldest)
    if (oldest === current) return false
  }
  return true
}

/** Puts a fragment's data among the others. */
function place(
  table: Reassembly,
  packet: Incomplete,
  bytes: Uint8Array,
  ip: IpHeader,
  dataAt: number,
  end: number,
): number {
  const { pieces, total } = packet
  const start = ip.fragmentOffset
  // The header of this fragment may be shorter than that of the first; it is looked at once more in the end.
  const headers = ip.version === 4 ? ip.headerLength : ip.fragmentAt - ip.at - V6_LENGTH
  if (headers + end > LONGEST) return TOO_LONG
  let index = pieces.length
  while (index > 0 && (pieces[index - 1]?.start ?? 0) >= start) index--
  const same = pieces[index]
  const isLast = !ip.moreFragments
  if (
    same &&
    same.start === start &&
    same.end === end &&
    sameRange(same.data, 0, bytes, dataAt, end - start)
  ) {
    return isLast === (end === total) ? DUPLICATE : OVERLAP
  }
  if ((pieces[index - 1]?.end ?? 0) > start || (same && same.start < end)) return OVERLAP
  if (isLast ? total >= 0 || (pieces.at(-1)?.end ?? 0) > end : total >= 0 && end >= total) return OVERLAP
  if (pieces.length >= table.limits.fragments) return TOO_MUCH
  pieces.splice(index, 0, { start, end, data: copyOf(bytes, dataAt, ip.end) })
  if (isLast) packet.total = end
  if (start === 0) packet.header = headerOf(bytes, ip)
  const headerCost = start === 0 ? ip.headerLength : 0
  packet.received += end - start
  packet.ecnSeen |= 1 << (ip.trafficClass & ECN)
  const cost = FRAGMENT_COST + headerCost + end - start
  packet.cost += cost
  table.bytes += cost
  return HELD
}

/** What stands before the data, without fragment header and without the marks of a fragment. */
function headerOf(bytes: Uint8Array, ip: IpHeader): Uint8Array {
  if (ip.version === 4) {
    const header = copyOf(bytes, ip.at, ip.upperAt)
    write16(header, 6, ip.dontFragment ? DF : 0)
    return header
  }
  const header = copyOf(bytes, ip.at, ip.fragmentAt)
  header[ip.fragmentNamedAt - ip.at] = bytes[ip.fragmentAt] ?? 0
  return header
}

function withoutFragmentHeader(bytes: Uint8Array, ip: IpHeader): Uint8Array {
  const data = bytes.subarray(ip.fragmentAt + FRAGMENT_HEADER_LENGTH, ip.end)
  return assemble(headerOf(bytes, ip), [{ start: 0, end: data.length, data }], data.length)
}

function assemble(header: Uint8Array, pieces: readonly Piece[], length: number): Uint8Array {
  const whole = new Uint8Array(header.length + length)
  whole.set(header)
  for (const { start, data } of pieces) whole.set(data, header.length + start)
  setLength(whole, 0, whole.length)
  return whole
}

function join({ header, pieces, total, ecnSeen }: Incomplete): Uint8Array | number {
  if (!header) return FRAGMENT_REFUSED
  const isV4 = (header[0] ?? 0) >> 4 === 4
  if (header.length + total - (isV4 ? 0 : V6_LENGTH) > LONGEST) return TOO_LONG
  const isCongested = (ecnSeen & (1 << CE)) !== 0
  if (isCongested && (ecnSeen & (1 << NOT_ECT)) !== 0) return ECN_MIXED
  const whole = assemble(header, pieces, total)
  if (isCongested) setTrafficClass(whole, 0, (trafficClass(whole, 0) & ~ECN) | CE)
  return whole
}
