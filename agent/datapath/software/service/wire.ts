/**
 * The data path's side to the network: sockets that receive ESP and AH, bare or in UDP, and sockets that send whole
 * packets.
 *
 * @module
 */
import type { Arena } from '../../../../netlink/libc/arena.ts'
import { SystemError } from '../../../../netlink/libc/errno.ts'
import { MessageVector } from '../../../../netlink/libc/message-vector.ts'
import { type Watch, watchReadable } from '../../../../netlink/libc/poll.ts'
import * as libc from '../../../../netlink/libc/socket.ts'
import { refreshChecksum } from '../packet/ip-header.ts'
import { HEADROOM, type Packet, TAILROOM } from '../packet/packet.ts'
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_ESP,
  IPPROTO_HOPOPTS,
  IPPROTO_IPV6,
  IPPROTO_ROUTING,
  LONGEST,
} from '../packet/protocols.ts'
import { OWN } from './steering.ts'

// linux/in.h, linux/in6.h, asm-generic/socket.h
const IPPROTO_IP = 0
const IPPROTO_RAW = 255
const IP_TOS = 1
const IP_TTL = 2
const IP_PKTINFO = 8
const IP_MTU_DISCOVER = 10
const IP_RECVTTL = 12
const IP_RECVTOS = 13
const IPV6_MTU_DISCOVER = 23
const IPV6_V6ONLY = 26
const IPV6_RECVPKTINFO = 49
const IPV6_PKTINFO = 50
const IPV6_RECVHOPLIMIT = 51
const IPV6_HOPLIMIT = 52
const IPV6_RECVHOPOPTS = 53
const IPV6_HOPOPTS = 54
const IPV6_RECVRTHDR = 56
const IPV6_RTHDR = 57
const IPV6_RECVDSTOPTS = 58
const IPV6_DSTOPTS = 59
const IPV6_RECVTCLASS = 66
const IPV6_TCLASS = 67
/** What was learnt about the path holds for the protected packet, and the kernel would apply it to ours. */
const PMTUDISC_PROBE = 3
const SO_MARK = 36
const SO_RCVBUFFORCE = 33

const RECEIVE_BUFFER = 8 * 1024 * 1024
const BATCH = 32
/** The last one takes the ancillary data, or an IPv6 header and its extensions that are put together again. */
const SLOT = HEADROOM + LONGEST + TAILROOM
const CONTROL = 2560
const ROUNDS_A_TURN = 4

/** A packet from the network; `encapsulated` tells that its ESP stood in UDP. Good during the call. */
export type Arrival = (packet: Packet, encapsulated: boolean) => void

/** Puts the IP header in front of what a socket gave, in the headroom. @returns where the packet begins, or -1 */
type HeaderMaker = (vector: MessageVector, slot: number, at: number, length: number) => number

/** One receiving socket on Node's event loop. */
class Receiver {
  readonly #fd: number
  readonly #watch: Watch

  constructor(
    fd: number,
    makeHeader: HeaderMaker,
    encapsulated: boolean,
    vector: MessageVector,
    arrived: Arrival,
  ) {
    this.#fd = fd
    const packet: { readonly arena: Arena; at: number; end: number } = { arena: vector.arena, at: 0, end: 0 }
    this.#watch = watchReadable(fd, () => {
      for (let round = 0; round < ROUNDS_A_TURN; round++) {
        const count = vector.receive(fd, HEADROOM)
        if (count <= 0) return
        for (let slot = 0; slot < count; slot++) {
          const length = vector.lengthOf(slot)
          if (length <= 0) continue
          const dataAt = vector.slotAt(slot) + HEADROOM
          packet.at = makeHeader(vector, slot, dataAt, length)
          packet.end = dataAt + length
          if (packet.at >= 0) arrived(packet, encapsulated)
        }
        if (count < BATCH) return
      }
    })
  }

  close(): void {
    this.#watch.close()
    libc.close(this.#fd)
  }
}

/** A UDP port of a family. */
export interface UdpPort {
  readonly family: number
  readonly port: number
}

export class Wire {
  readonly #arrived: Arrival
  readonly #vector = new MessageVector(BATCH, SLOT, CONTROL)
  readonly #receivers: Receiver[] = []
  readonly #udp = new Map<string, Receiver>()
  readonly #sender4: number
  readonly #sender6: number
  readonly #destination4 = new Uint8Array(16)
  readonly #destination6 = new Uint8Array(28)

  /** Opens everything but UDP ports, in the calling thread's network namespace. */
  constructor(arrived: Arrival) {
    this.#arrived = arrived
    const { AF_INET, AF_INET6 } = libc
    new Uint16Array(this.#destination4.buffer)[0] = AF_INET
    new Uint16Array(this.#destination6.buffer)[0] = AF_INET6
    this.#sender4 = rawSocket(AF_INET, IPPROTO_RAW)
    libc.setSockOptInt(this.#sender4, IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)
    this.#sender6 = rawSocket(AF_INET6, IPPROTO_RAW)
    libc.setSockOptInt(this.#sender6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)
    for (const protocol of [IPPROTO_ESP, IPPROTO_AH]) {
      this.#receivers.push(this.#receiver(rawSocket(AF_INET, protocol), asItIs, false))
      const six = rawSocket(AF_INET6, protocol)
      askForHeaders(six)
      this.#receivers.push(this.#receiver(six, headerMaker6(protocol), false))
    }
  }

  #receiver(fd: number, makeHeader: HeaderMaker, encapsulated: boolean): Receiver {
    return new Receiver(fd, makeHeader, encapsulated, this.#vector, this.#arrived)
  }

  /**
   * Listens at these UDP ports and at no others.
   *
   * @throws SystemError `EADDRINUSE`
   */
  listen(ports: readonly UdpPort[]): void {
    const wanted = new Map(ports.map((port) => [`${port.family} ${port.port}`, port]))
    for (const [key, receiver] of this.#udp) {
      if (wanted.has(key)) continue
      receiver.close()
      this.#udp.delete(key)
    }
    for (const [key, port] of wanted) {
      if (!this.#udp.has(key)) this.#udp.set(key, this.#receiver(udpSocket(port), udpHeaderMaker(port), true))
    }
  }

  /** Sends a whole packet to where its IP header says. @returns 0, or the error number negated */
  send({ arena: { bytes }, at, end }: Packet): number {
    const packet = bytes.subarray(at, end)
    const isV4 = (bytes[at] ?? 0) >> 4 === 4
    const address = isV4 ? this.#destination4 : this.#destination6
    if (isV4) address.set(bytes.subarray(at + 16, at + 20), 4)
    else address.set(bytes.subarray(at + 24, at + 40), 8)
    try {
      libc.send(isV4 ? this.#sender4 : this.#sender6, packet, libc.MSG_DONTWAIT, address)
      return 0
    } catch (error) {
      if (error instanceof SystemError) return -error.errno
      throw error
    }
  }

  close(): void {
    for (const receiver of [...this.#receivers, ...this.#udp.values()]) receiver.close()
    libc.close(this.#sender4)
    libc.close(this.#sender6)
  }
}

function rawSocket(family: number, protocol: number): number {
  const fd = libc.socket(family, libc.SOCK_RAW | libc.SOCK_NONBLOCK, protocol)
  libc.setSockOptInt(fd, libc.SOL_SOCKET, SO_MARK, OWN)
  libc.setSockOptInt(fd, libc.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
  return fd
}

function udpSocket({ family, port }: UdpPort): number {
  const fd = libc.socket(family, libc.SOCK_DGRAM | libc.SOCK_NONBLOCK, 0)
  try {
    libc.setSockOptInt(fd, libc.SOL_SOCKET, SO_MARK, OWN)
    libc.setSockOptInt(fd, libc.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    const address = new Uint8Array(family === libc.AF_INET ? 16 : 28)
    new Uint16Array(address.buffer)[0] = family
    new DataView(address.buffer).setUint16(2, port)
    if (family === libc.AF_INET6) {
      libc.setSockOptInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
      askForHeaders(fd)
    } else
      for (const option of [IP_PKTINFO, IP_RECVTTL, IP_RECVTOS]) libc.setSockOptInt(fd, IPPROTO_IP, option, 1)
    libc.bind(fd, address)
    return fd
  } catch (error) {
    libc.close(fd)
    throw error
  }
}

/** An IPv6 socket gives the payload only; what stood before it comes beside it. */
function askForHeaders(fd: number): void {
  const options = [
    IPV6_RECVPKTINFO,
    IPV6_RECVHOPLIMIT,
    IPV6_RECVTCLASS,
    IPV6_RECVHOPOPTS,
    IPV6_RECVRTHDR,
    IPV6_RECVDSTOPTS,
  ]
  for (const option of options) libc.setSockOptInt(fd, IPPROTO_IPV6, option, 1)
}

/** A raw IPv4 socket gives whole packets, put together again from their fragments. */
const asItIs: HeaderMaker = (_vector, _slot, at) => at

const UDP_HEADER = 8
const NAT_KEEPALIVE = 0xff

/** ESP in UDP (RFC 3948 section 2.2): a keepalive is one byte, and what begins with four zeros is IKE. */
function udpHeaderMaker({ family }: UdpPort): HeaderMaker {
  const makeHeader = family === libc.AF_INET ? makeHeader4 : headerMaker6(IPPROTO_ESP)
  return (vector, slot, at, length) => {
    const { bytes, view } = vector.arena
    if (length <= UDP_HEADER || (length === 1 && bytes[at] === NAT_KEEPALIVE)) return -1
    return view.getUint32(at) === 0 ? -1 : makeHeader(vector, slot, at, length)
  }
}

const makeHeader4: HeaderMaker = (vector, slot, at, length) => {
  const { bytes, view } = vector.arena
  const info = vector.controlOf(slot, IPPROTO_IP, IP_PKTINFO)
  if (info === 0) return -1
  const ttl = vector.controlOf(slot, IPPROTO_IP, IP_TTL)
  const tos = vector.controlOf(slot, IPPROTO_IP, IP_TOS)
  const begin = at - 20
  bytes.fill(0, begin, at)
  bytes[begin] = 0x45
  bytes[begin + 1] = tos === 0 ? 0 : (bytes[tos] ?? 0)
  view.setUint16(begin + 2, 20 + length)
  bytes[begin + 8] = ttl === 0 ? 64 : (bytes[ttl] ?? 0)
  bytes[begin + 9] = IPPROTO_ESP
  bytes.copyWithin(begin + 12, vector.nameAt(slot) + 4, vector.nameAt(slot) + 8)
  // in_pktinfo: interface, local address, destination of the header
  bytes.copyWithin(begin + 16, info + 8, info + 12)
  refreshChecksum(bytes, begin)
  return begin
}

const V6_LENGTH = 40
/** Extension headers in the order in which they stand, with the number that names each. */
const EXTENSIONS: readonly (readonly [control: number, protocol: number])[] = [
  [IPV6_HOPOPTS, IPPROTO_HOPOPTS],
  [IPV6_DSTOPTS, IPPROTO_DSTOPTS],
  [IPV6_RTHDR, IPPROTO_ROUTING],
]

/** The IPv6 header as it was, from what the kernel tells of it; the flow label is not among that. */
function headerMaker6(protocol: number): HeaderMaker {
  return (vector, slot, at, length) => {
    const { bytes, view } = vector.arena
    const info = vector.controlOf(slot, IPPROTO_IPV6, IPV6_PKTINFO)
    if (info === 0) return -1
    let begin = at
    let next = protocol
    for (const [control, number] of EXTENSIONS.toReversed()) {
      const extension = vector.controlOf(slot, IPPROTO_IPV6, control)
      if (extension === 0) continue
      const size = vector.controlLength(extension)
      if (begin - size - V6_LENGTH < at - HEADROOM) return -1
      begin -= size
      bytes.copyWithin(begin, extension, extension + size)
      bytes[begin] = next
      next = number
    }
    const hopLimit = vector.controlOf(slot, IPPROTO_IPV6, IPV6_HOPLIMIT)
    const trafficClass = vector.controlOf(slot, IPPROTO_IPV6, IPV6_TCLASS)
    const itsClass = trafficClass === 0 ? 0 : (bytes[trafficClass] ?? 0)
    begin -= V6_LENGTH
    view.setUint32(begin, (6 << 28) | (itsClass << 20))
    view.setUint16(begin + 4, at + length - begin - V6_LENGTH)
    bytes[begin + 6] = next
    bytes[begin + 7] = hopLimit === 0 ? 64 : (bytes[hopLimit] ?? 0)
    bytes.copyWithin(begin + 8, vector.nameAt(slot) + 8, vector.nameAt(slot) + 24)
    bytes.copyWithin(begin + 24, info, info + 16)
    return begin
  }
}
