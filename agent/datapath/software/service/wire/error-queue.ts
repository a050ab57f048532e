/**
 * What routers say about packets that were sent (ICMP, RFC 792; ICMPv6, RFC 4443): the error queue of a socket, ip(7).
 *
 * @module
 */
import { MessageVector, MSG_ERRQUEUE } from '../../../../../netlink/libc/message-vector.ts'
import { AF_INET, AF_INET6 } from '../../../../../netlink/libc/socket.ts'
import {
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
} from '../../../../../netlink/libc/socket-options.ts'
import { IPPROTO_AH } from '../../../../packet/protocols.ts'

/** A packet was too long for a link on its way. */
export interface TooBig {
  readonly family: number
  /** Where it went: 16 bytes, an IPv4 address the first four. */
  readonly destination: Uint8Array
  /** The SA, as far as the message shows it. */
  readonly protocol: number
  readonly spi: number
  /** What the link takes, in bytes. */
  readonly mtu: number
}

const SLOTS = 8
/** As much as a router may send back of the packet that it is about. */
const SIZE = 2048
const CONTROL = 256
/** Messages read at one go; there may be floods of them. */
const MOST = 64

// struct sock_extended_err (linux/errqueue.h)
const ORIGIN = 4
const TYPE = 5
const CODE = 6
const INFO = 8
const FROM_ICMP = 2
const FROM_ICMP6 = 3
const DEST_UNREACH = 3
const FRAG_NEEDED = 4
const PACKET_TOO_BIG = 2

export class ErrorQueue {
  readonly #vector = new MessageVector(SLOTS, SIZE, CONTROL)
  readonly #protocol: number

  /** @param protocol of the socket's packets: ESP, also in UDP, or AH */
  constructor(protocol: number) {
    this.#protocol = protocol
  }

  /** Empties the queue: as long as it holds anything, the socket counts as ready. */
  drain(fd: number, tooBig: (complaint: TooBig) => void): void {
    const vector = this.#vector
    for (let read = 0; read < MOST; ) {
      const count = vector.receive(fd, 0, SLOTS, MSG_ERRQUEUE)
      if (count <= 0) return
      read += count
      for (let slot = 0; slot < count; slot++) {
        const complaint = this.#read(slot)
        if (complaint) tooBig(complaint)
      }
    }
  }

  #read(slot: number): TooBig | undefined {
    const vector = this.#vector
    const { bytes, view } = vector.arena
    const four = vector.controlOf(slot, IPPROTO_IP, IP_RECVERR)
    const at = four || vector.controlOf(slot, IPPROTO_IPV6, IPV6_RECVERR)
    if (at === 0) return undefined
    const isTooBig = four !== 0 ? isFragmentationNeeded(bytes, at) : isPacketTooBig(bytes, at)
    const spiAt = vector.slotAt(slot) + (this.#protocol === IPPROTO_AH ? 4 : 0)
    if (!isTooBig || spiAt + 4 > vector.slotAt(slot) + vector.lengthOf(slot)) return undefined
    const destination = new Uint8Array(16)
    const name = vector.nameAt(slot)
    destination.set(four !== 0 ? bytes.subarray(name + 4, name + 8) : bytes.subarray(name + 8, name + 24))
    return {
      family: four !== 0 ? AF_INET : AF_INET6,
      destination,
      protocol: this.#protocol,
      spi: view.getUint32(spiAt),
      mtu: view.getUint32(at + INFO, true),
    }
  }
}

function isFragmentationNeeded(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at + ORIGIN] === FROM_ICMP && bytes[at + TYPE] === DEST_UNREACH && bytes[at + CODE] === FRAG_NEEDED
  )
}

function isPacketTooBig(bytes: Uint8Array, at: number): boolean {
  return bytes[at + ORIGIN] === FROM_ICMP6 && bytes[at + TYPE] === PACKET_TOO_BIG
}
