/**
 * Puts packets of a connection that arrive one after the other together again, so that the kernel takes them as one
 * (generic receive offload). Nothing is copied: a group is a header and a list of the places of payloads.
 *
 * Merged is only what can be cut into the very same packets again: all headers are alike but for what counts on from
 * packet to packet. Checksums are verified first, since nobody looks at them afterwards.
 *
 * @module
 */
import type { Arena } from '../../../../netlink/libc/arena.ts'
import { verifyTransport } from '../../../packet/checksum.ts'
import { type IpHeader, newIpHeader, parseIp } from '../../../packet/ip-header.ts'
import { read16, read32, sameRange } from '../../../packet/octets.ts'
import {
  DF,
  IPPROTO_TCP,
  IPPROTO_UDP,
  LONGEST,
  TCP_HEADER_LENGTH,
  UDP_HEADER_LENGTH,
  V4_LENGTH,
  V6_LENGTH,
} from '../../../packet/protocols.ts'
import { ACK, PSH, TCP_FLAGS } from '../../../packet/transport-fields.ts'

/** `UDP_MAX_SEGMENTS`; of TCP, the length of a packet is the limit. */
const MOST_SEGMENTS = 64
/** Connections that are merged at the same time. */
const GROUPS = 8

/** Packets with one header: that of the first. */
export interface Group {
  arena: Arena
  isTcp: boolean
  /** Where the first packet begins, and the lengths of its IP header and of all its headers. */
  at: number
  ipLength: number
  headersLength: number
  /** Payload bytes of each but the last. */
  segmentSize: number
  /** Number of packets, their payload bytes, and places and lengths of these. */
  count: number
  length: number
  readonly places: Uint32Array
  /** Some packet was to be handed to the program at once. */
  pushes: boolean
}

interface OpenGroup extends Group {
  nextSequence: number
  nextIdentification: number
  /** The first packet's checksum was looked at. */
  isVerified: boolean
  /** Nothing can follow the last packet. */
  isClosed: boolean
}

/** What becomes of a packet: it lies in a group now, or its way goes on by itself. */
export type Outcome = 'taken' | 'alone'

export class Merger {
  readonly #groups: OpenGroup[] = []
  readonly #free: OpenGroup[] = []
  readonly #emit: (group: Group) => void
  readonly #takesUdp: boolean
  readonly #scratch = newIpHeader()

  /**
   * @param emit gets each group when it is complete, in the order of its connection
   * @param takesUdp merge UDP, too
   */
  constructor(emit: (group: Group) => void, takesUdp: boolean) {
    this.#emit = emit
    this.#takesUdp = takesUdp
  }

  /**
   * Takes a packet into a group. It must stay where it is until {@link flush}. Where it goes on alone, what is before it
   * of the same connection has been emitted.
   */
  add(arena: Arena, ip: IpHeader): Outcome {
    const { bytes } = arena
    const isPlain = ip.transportAt - ip.at === (ip.version === 4 ? V4_LENGTH : V6_LENGTH) && !ip.isFragment
    if (!isPlain) {
      this.flush()
      return 'alone'
    }
    const place = this.#find(bytes, ip)
    const group = this.#groups[place]
    const headersLength = this.#mergeable(bytes, ip)
    if (headersLength === 0) {
      if (group) this.#close(place)
      return 'alone'
    }
    if (group) {
      if (this.#continues(group, bytes, ip, headersLength)) {
        if (verifyTransport(arena, ip) === 'right' && this.#firstIsRight(group)) {
          append(group, bytes, ip, headersLength)
          return 'taken'
        }
        this.#close(place)
        return 'alone'
      }
      this.#close(place)
    } else if (this.#groups.length === GROUPS) this.#close(0)
    this.#open(arena, ip, headersLength)
    return 'taken'
  }

  /** Emits everything. */
  flush(): void {
    while (this.#groups.length > 0) this.#close(0)
  }

  #find(bytes: Uint8Array, ip: IpHeader): number {
    for (let place = 0; place < this.#groups.length; place++) {
      const group = this.#groups[place]
      if (group && isOfConnection(group, bytes, ip)) return place
    }
    return -1
  }

  #close(place: number): void {
    const group = this.#groups[place]
    if (!group) return
    this.#groups.copyWithin(place, place + 1)
    this.#groups.length--
    this.#emit(group)
    this.#free.push(group)
  }

  /** Length of the headers of a packet that may be merged; else 0. */
  #mergeable(bytes: Uint8Array, { transportProtocol, transportAt, at, end }: IpHeader): number {
    if (transportProtocol === IPPROTO_TCP) {
      if (end - transportAt <= TCP_HEADER_LENGTH) return 0
      const length = ((bytes[transportAt + 12] ?? 0) >> 4) * 4
      const flags = bytes[transportAt + TCP_FLAGS] ?? 0
      const isData = length >= TCP_HEADER_LENGTH && end - transportAt > length && (flags & ~PSH) === ACK
      return isData ? transportAt - at + length : 0
    }
    if (transportProtocol !== IPPROTO_UDP || !this.#takesUdp || end - transportAt <= UDP_HEADER_LENGTH)
      return 0
    const isWhole = read16(bytes, transportAt + 4) === end - transportAt
    return isWhole && read16(bytes, transportAt + 6) !== 0 ? transportAt - at + UDP_HEADER_LENGTH : 0
  }

  #continues(group: OpenGroup, bytes: Uint8Array, ip: IpHeader, headersLength: number): boolean {
    const payload = ip.end - ip.at - headersLength
    return (
      !group.isClosed &&
      group.headersLength === headersLength &&
      payload <= group.segmentSize &&
      group.count < MOST_SEGMENTS &&
      headersLength + group.length + payload <= LONGEST &&
      sameIpHeader(group, bytes, ip) &&
      (!group.isTcp || continuesTcp(group, bytes, ip.transportAt, headersLength - group.ipLength))
    )
  }

  #firstIsRight(group: OpenGroup): boolean {
    if (group.isVerified) return true
    const ip = this.#scratch
    const end = group.at + group.headersLength + group.length
    group.isVerified =
      parseIp(group.arena.bytes, group.at, end, ip) && verifyTransport(group.arena, ip) === 'right'
    return group.isVerified
  }

  #open(arena: Arena, ip: IpHeader, headersLength: number): void {
    const group = this.#free.pop() ?? newGroup(arena)
    group.arena = arena
    group.isTcp = ip.transportProtocol === IPPROTO_TCP
    group.at = ip.at
    group.ipLength = ip.transportAt - ip.at
    group.headersLength = headersLength
    group.segmentSize = ip.end - ip.at - headersLength
    group.count = 0
    group.length = 0
    group.pushes = false
    group.isVerified = false
    group.isClosed = false
    append(group, arena.bytes, ip, headersLength)
    this.#groups.push(group)
  }
}

function newGroup(arena: Arena): OpenGroup {
  return {
    arena,
    isTcp: false,
    at: 0,
    ipLength: 0,
    headersLength: 0,
    segmentSize: 0,
    count: 0,
    length: 0,
    places: new Uint32Array(2 * MOST_SEGMENTS),
    pushes: false,
    nextSequence: 0,
    nextIdentification: 0,
    isVerified: false,
    isClosed: false,
  }
}

function append(group: OpenGroup, bytes: Uint8Array, ip: IpHeader, headersLength: number): void {
  const payload = ip.end - ip.at - headersLength
  group.places[2 * group.count] = ip.at + headersLength
  group.places[2 * group.count + 1] = payload
  group.count++
  group.length += payload
  group.nextIdentification = (ip.identification + 1) & 0xffff
  if (group.isTcp) {
    group.nextSequence = (read32(bytes, ip.transportAt + 4) + payload) >>> 0
    if (((bytes[ip.transportAt + TCP_FLAGS] ?? 0) & PSH) !== 0) group.pushes = true
  }
  group.isClosed = group.pushes || payload < group.segmentSize
}

/** Addresses, protocol and ports, which stand behind one another. */
function isOfConnection({ arena, at, ipLength }: Group, bytes: Uint8Array, ip: IpHeader): boolean {
  if (ip.transportAt - ip.at !== ipLength || ip.end - ip.transportAt < 4) return false
  const protocolAt = ipLength === V4_LENGTH ? 9 : 6
  const addressesAt = ipLength === V4_LENGTH ? 12 : 8
  return (
    arena.bytes[at + protocolAt] === bytes[ip.at + protocolAt] &&
    sameRange(arena.bytes, at + addressesAt, bytes, ip.at + addressesAt, ipLength + 4 - addressesAt)
  )
}

/** All of the IP header that does not depend on the payload, given that it is the same connection. */
function sameIpHeader(
  group: OpenGroup,
  bytes: Uint8Array,
  { version, at, identification }: IpHeader,
): boolean {
  const first = group.arena.bytes
  // Version, traffic class, flow label; hop limit.
  if (version === 6) return sameRange(first, group.at, bytes, at, 4) && first[group.at + 7] === bytes[at + 7]
  const counts = (read16(bytes, at + 6) & DF) !== 0 || identification === group.nextIdentification
  return (
    counts && sameRange(first, group.at, bytes, at, 2) && sameRange(first, group.at + 6, bytes, at + 6, 3)
  )
}

/** The next bytes of the stream, with the same acknowledgement, window, urgent pointer and options. */
function continuesTcp(group: OpenGroup, bytes: Uint8Array, at: number, length: number): boolean {
  const first = group.arena.bytes
  const firstAt = group.at + group.ipLength
  return (
    read32(bytes, at + 4) === group.nextSequence &&
    sameRange(first, firstAt + 8, bytes, at + 8, 5) &&
    sameRange(first, firstAt + 14, bytes, at + 14, 2) &&
    sameRange(first, firstAt + 18, bytes, at + 18, length - 18)
  )
}
