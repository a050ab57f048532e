/**
 * ESP in UDP that goes out through the socket of its port: datagrams of one length to one place pass through the kernel
 * as one, and are cut at the very end (`UDP_SEGMENT`, udp(7)).
 *
 * @module
 */
import type { Arena } from '../../../../../netlink/libc/arena.ts'
import { EAGAIN } from '../../../../../netlink/libc/errno.ts'
import { MessageHeader } from '../../../../../netlink/libc/message-header.ts'
import { AF_INET, AF_INET6 } from '../../../../../netlink/libc/socket.ts'
import {
  IP_PKTINFO,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_TCLASS,
  UDP_SEGMENT,
} from '../../../../../netlink/libc/socket-options.ts'
import { read16, sameRange } from '../../../../packet/octets.ts'
import {
  DF,
  IPPROTO_UDP,
  LONGEST,
  UDP_HEADER_LENGTH,
  V4_LENGTH,
  V6_LENGTH,
} from '../../../../packet/protocols.ts'

/** `UDP_MAX_SEGMENTS` of older kernels. */
const MOST_SEGMENTS = 64
const MOST_BYTES = LONGEST - V4_LENGTH - UDP_HEADER_LENGTH
const IN_PKTINFO = 12
const IN6_PKTINFO = 20
const SOCKADDR_IN = 16
const SOCKADDR_IN6 = 28

/** The socket that is bound to a port, or -1. */
export type SocketOf = (isV4: boolean, port: number) => number

export class UdpBurst {
  readonly #arena: Arena
  readonly #socketOf: SocketOf
  readonly #refused: (at: number, end: number) => void
  readonly #message = new MessageHeader(MOST_SEGMENTS)
  /** Begins and ends of the packets that wait. */
  readonly #packets = new Uint32Array(2 * MOST_SEGMENTS)
  #count = 0
  #fd = -1
  /** Payload bytes of each but the last, and of all. */
  #segment = 0
  #length = 0
  #isClosed = false
  #lost = 0

  /**
   * @param arena holds the packets; they must stay there until {@link flush}
   * @param refused gets what the kernel does not take so
   */
  constructor(arena: Arena, socketOf: SocketOf, refused: (at: number, end: number) => void) {
    this.#arena = arena
    this.#socketOf = socketOf
    this.#refused = refused
  }

  /**
   * Takes a whole packet.
   *
   * @returns false for what must go another way: not UDP from a port of ours, a fragment, options, or what may be cut on
   *   its way
   */
  add(at: number, end: number): boolean {
    const { bytes } = this.#arena
    const isV4 = (bytes[at] ?? 0) >> 4 === 4
    if (!(isV4 ? isPlain4(bytes, at) : bytes[at + 6] === IPPROTO_UDP)) return false
    const headers = (isV4 ? V4_LENGTH : V6_LENGTH) + UDP_HEADER_LENGTH
    const payload = end - at - headers
    if (payload <= 0) return false
    if (this.#count > 0 && !this.#continues(at, isV4, payload)) this.flush()
    if (this.#count === 0) {
      this.#fd = this.#socketOf(isV4, read16(bytes, at + headers - UDP_HEADER_LENGTH))
      if (this.#fd < 0) return false
      this.#segment = payload
      this.#length = 0
    }
    this.#packets[2 * this.#count] = at
    this.#packets[2 * this.#count + 1] = end
    this.#count++
    this.#length += payload
    this.#isClosed = payload < this.#segment
    return true
  }

  #continues(at: number, isV4: boolean, payload: number): boolean {
    const { bytes } = this.#arena
    const first = this.#packets[0] ?? 0
    return (
      !this.#isClosed &&
      payload <= this.#segment &&
      this.#count < MOST_SEGMENTS &&
      this.#length + payload <= MOST_BYTES &&
      (isV4 ? sameHeader4(bytes, first, at) : sameHeader6(bytes, first, at))
    )
  }

  flush(): void {
    const count = this.#count
    if (count === 0) return
    this.#count = 0
    const { bytes } = this.#arena
    const packets = this.#packets
    const first = packets[0] ?? 0
    const isV4 = (bytes[first] ?? 0) >> 4 === 4
    const message = this.#message
    message.reset()
    for (let i = 0; i < count; i++) {
      const begin = (packets[2 * i] ?? 0) + (isV4 ? V4_LENGTH : V6_LENGTH) + UDP_HEADER_LENGTH
      message.addPiece(this.#arena, begin, (packets[2 * i + 1] ?? 0) - begin)
    }
    if (count > 1) {
      const control = message.addControl(IPPROTO_UDP, UDP_SEGMENT, 2)
      message.arena.view.setUint16(control, this.#segment, true)
    }
    if (isV4) describe4(message, bytes, first)
    else describe6(message, bytes, first)
    const sent = message.send(this.#fd, isV4 ? SOCKADDR_IN : SOCKADDR_IN6)
    if (sent >= 0) return
    if (sent === -EAGAIN) this.#lost += count
    else for (let i = 0; i < count; i++) this.#refused(packets[2 * i] ?? 0, packets[2 * i + 1] ?? 0)
  }

  /** How many packets could not be sent since this was last asked. */
  takeLost(): number {
    const lost = this.#lost
    this.#lost = 0
    return lost
  }
}

/** UDP behind a header without options, whole, and not to be cut: what the socket would send, too. */
function isPlain4(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x45 && bytes[at + 9] === IPPROTO_UDP && read16(bytes, at + 6) === DF
}

/** Type of service, time to live, addresses and ports. */
function sameHeader4(bytes: Uint8Array, a: number, b: number): boolean {
  return (
    bytes[a] === bytes[b] &&
    bytes[a + 1] === bytes[b + 1] &&
    bytes[a + 8] === bytes[b + 8] &&
    sameRange(bytes, a + 12, bytes, b + 12, 12)
  )
}

/** Traffic class and flow label, hop limit, addresses and ports. */
function sameHeader6(bytes: Uint8Array, a: number, b: number): boolean {
  return sameRange(bytes, a, bytes, b, 4) && sameRange(bytes, a + 7, bytes, b + 7, 37)
}

/** What the socket is to put into the headers. */
function describe4(message: MessageHeader, bytes: Uint8Array, at: number): void {
  const { arena, nameAt } = message
  arena.view.setUint16(nameAt, AF_INET, true)
  copy(bytes, at + V4_LENGTH + 2, arena.bytes, nameAt + 2, 2)
  copy(bytes, at + 16, arena.bytes, nameAt + 4, 4)
  // in_pktinfo: interface, local address, destination
  copy(bytes, at + 12, arena.bytes, message.addControl(IPPROTO_IP, IP_PKTINFO, IN_PKTINFO) + 4, 4)
  arena.view.setInt32(message.addControl(IPPROTO_IP, IP_TTL, 4), bytes[at + 8] ?? 0, true)
  arena.view.setInt32(message.addControl(IPPROTO_IP, IP_TOS, 4), bytes[at + 1] ?? 0, true)
}

function describe6(message: MessageHeader, bytes: Uint8Array, at: number): void {
  const { arena, nameAt } = message
  arena.view.setUint16(nameAt, AF_INET6, true)
  copy(bytes, at + V6_LENGTH + 2, arena.bytes, nameAt + 2, 2)
  copy(bytes, at + 24, arena.bytes, nameAt + 8, 16)
  copy(bytes, at + 8, arena.bytes, message.addControl(IPPROTO_IPV6, IPV6_PKTINFO, IN6_PKTINFO), 16)
  arena.view.setInt32(message.addControl(IPPROTO_IPV6, IPV6_HOPLIMIT, 4), bytes[at + 7] ?? 0, true)
  const trafficClass = (read16(bytes, at) >> 4) & 0xff
  arena.view.setInt32(message.addControl(IPPROTO_IPV6, IPV6_TCLASS, 4), trafficClass, true)
}

function copy(from: Uint8Array, at: number, to: Uint8Array, toAt: number, length: number): void {
  for (let i = 0; i < length; i++) to[toAt + i] = from[at + i] ?? 0
}
