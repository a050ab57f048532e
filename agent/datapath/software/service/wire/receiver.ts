/**
 * One receiving socket on Node's event loop.
 *
 * @module
 */
import { MessageVector } from '../../../../../netlink/libc/message-vector.ts'
import { type Watch, watchReadable } from '../../../../../netlink/libc/poll.ts'
import { close } from '../../../../../netlink/libc/socket.ts'
import { UDP_GRO } from '../../../../../netlink/libc/socket-options.ts'
import { HEADROOM, type Packet } from '../../../../packet/packet.ts'
import { IPPROTO_UDP } from '../../../../packet/protocols.ts'
import { ErrorQueue, type TooBig } from './error-queue.ts'
import type { HeaderMaker } from './headers.ts'
import { SLOT_SIZE } from './slot.ts'

/** Datagrams received in one call. */
const BATCH = 64
/** Further slots of the memory, into which datagrams that arrived as one are taken apart. */
const WORK = 4
/** The last one takes the ancillary data, or an IPv6 header and its extensions that are put together again. */
const CONTROL = 2560
/** Packets in one turn of the event loop, about: the other direction gets its turn, too. */
const PACKETS_A_TURN = 128

/** Memory that receivers may share. */
export function receivingMemory(): MessageVector {
  return new MessageVector(BATCH + WORK, SLOT_SIZE, CONTROL)
}

/** Who gets the packets. */
export interface Arrivals {
  /** A packet from the network; `encapsulated` tells that its ESP stood in UDP. Good until {@link settle}. */
  arrived(packet: Packet, encapsulated: boolean): void
  /** The memory of the packets is going to be used again. */
  settle(): void
  /** A router says that a packet of ours was too long. */
  tooBig(complaint: TooBig): void
}

/** A socket that packets arrive at. */
export interface Source {
  readonly fd: number
  readonly makeHeader: HeaderMaker
  /** What arrives stood in UDP. */
  readonly encapsulated: boolean
  /** ESP or AH. */
  readonly protocol: number
}

export class Receiver {
  readonly fd: number
  readonly #watch: Watch
  readonly #source: Source
  readonly #vector: MessageVector
  readonly #arrivals: Arrivals
  readonly #packet: Packet
  readonly #errors: ErrorQueue
  /** Where the next datagram is copied to. */
  #free = 0
  /** Of this turn. */
  #packets = 0
  /** Datagrams that hold about as many packets as a turn may have, going by those before. */
  #batch = BATCH

  /** @param vector of {@link receivingMemory} */
  constructor(source: Source, vector: MessageVector, arrivals: Arrivals) {
    this.fd = source.fd
    this.#source = source
    this.#vector = vector
    this.#arrivals = arrivals
    this.#packet = { arena: vector.arena, at: 0, end: 0 }
    this.#errors = new ErrorQueue(source.protocol)
    this.#watch = watchReadable(source.fd, () => this.#receive())
  }

  #receive(): void {
    this.#packets = 0
    while (this.#packets < PACKETS_A_TURN) {
      const wanted = this.#batch
      const count = this.#vector.receive(this.fd, HEADROOM, wanted)
      if (count <= 0) {
        // There was something, and it was no packet.
        if (this.#packets === 0) this.#errors.drain(this.fd, (complaint) => this.#arrivals.tooBig(complaint))
        return
      }
      const before = this.#packets
      this.#free = this.#vector.slotAt(BATCH)
      for (let slot = 0; slot < count; slot++) this.#read(slot)
      this.#arrivals.settle()
      const each = Math.max(1, (this.#packets - before) / count)
      this.#batch = Math.max(1, Math.min(BATCH, Math.floor(PACKETS_A_TURN / each)))
      if (count < wanted) return
    }
  }

  #read(slot: number): void {
    const vector = this.#vector
    const length = vector.lengthOf(slot)
    this.#packets++
    if (length <= 0) return
    const at = vector.slotAt(slot) + HEADROOM
    const segment = this.#source.encapsulated ? segmentSize(vector, slot) : 0
    if (segment === 0 || segment >= length) this.#arrived(slot, at, length)
    else this.#takeApart(slot, at, length, segment)
  }

  #arrived(slot: number, at: number, length: number): void {
    const { makeHeader, encapsulated } = this.#source
    const packet = this.#packet
    packet.at = makeHeader(this.#vector, slot, at, length)
    packet.end = at + length
    if (packet.at >= 0) this.#arrivals.arrived(packet, encapsulated)
  }

  /** Each needs room in front of it, and so they cannot stay where they are. */
  #takeApart(slot: number, at: number, length: number, segment: number): void {
    const { bytes } = this.#vector.arena
    const limit = this.#vector.slotAt(BATCH + WORK)
    for (let done = 0; done < length; done += segment) {
      const size = Math.min(segment, length - done)
      if (this.#free + HEADROOM + size > limit) {
        this.#arrivals.settle()
        this.#free = this.#vector.slotAt(BATCH)
      }
      if (done > 0) this.#packets++
      const place = this.#free + HEADROOM
      bytes.copyWithin(place, at + done, at + done + size)
      this.#free = (place + size + 63) & ~63
      this.#arrived(slot, place, size)
    }
  }

  close(): void {
    this.#watch.close()
    close(this.fd)
  }
}

/** Length of each datagram but the last, where several were given as one; else 0. */
function segmentSize(vector: MessageVector, slot: number): number {
  const control = vector.controlOf(slot, IPPROTO_UDP, UDP_GRO)
  return control === 0 ? 0 : vector.arena.view.getInt32(control, true)
}
