/**
 * Many datagrams in one system call: recvmmsg(2) and sendmmsg(2) over slots of an {@link Arena}.
 *
 * @module
 */
import { type Arena, allocateArena } from './arena.ts'
import { bind, lastErrno } from './ffi.ts'
import { IOVEC_SIZE, writeIovec } from './iovec.ts'
import { MSG_DONTWAIT, MSG_TRUNC } from './socket.ts'

// struct mmsghdr of 64-bit platforms
const HEADER_SIZE = 64
const NAME = 0
const NAME_LENGTH = 8
const IOV = 16
const IOV_LENGTH = 24
const CONTROL = 32
const CONTROL_LENGTH = 40
const FLAGS = 48
const MESSAGE_LENGTH = 56
/** `sockaddr_in6` has 28 bytes. */
const NAME_SIZE = 32
const CMSG_HEADER = 16

/** Not datagrams, but what became of some that were sent. */
export const MSG_ERRQUEUE = 0x2000
const MSG_CTRUNC = 0x08

type Call = (fd: number, vector: number, length: number, flags: number, timeout: null) => number

let recvmmsg: Call | undefined
let sendmmsg: ((fd: number, vector: number, length: number, flags: number) => number) | undefined

/** Where datagrams and what comes with them lie. Places are offsets into `arena`. */
export class MessageVector {
  readonly arena: Arena
  readonly slots: number
  readonly #slotSize: number
  readonly #dataAt: number
  readonly #namesAt: number
  readonly #controlsAt: number
  readonly #controlSize: number
  /** Slots, from the first on, that must be made ready to receive again; and for which headroom the others are ready. */
  #stale = 0
  #headroom = -1

  /**
   * @param slots datagrams to a call
   * @param slotSize room for each, in bytes
   * @param controlSize room for the ancillary data of each
   */
  constructor(slots: number, slotSize: number, controlSize = 0) {
    this.slots = slots
    this.#slotSize = slotSize
    this.#controlSize = controlSize
    const iovecsAt = slots * HEADER_SIZE
    this.#namesAt = iovecsAt + slots * IOVEC_SIZE
    this.#controlsAt = this.#namesAt + slots * NAME_SIZE
    this.#dataAt = (this.#controlsAt + slots * controlSize + 63) & ~63
    this.arena = allocateArena(this.#dataAt + slots * slotSize)
    const { view, address } = this.arena
    const pointer = (at: number, to: number) => view.setBigUint64(at, BigInt(address + to), true)
    for (let slot = 0; slot < slots; slot++) {
      const header = slot * HEADER_SIZE
      const iovec = iovecsAt + slot * IOVEC_SIZE
      pointer(header + NAME, this.nameAt(slot))
      pointer(header + IOV, iovec)
      view.setUint32(header + IOV_LENGTH, 1, true)
      if (controlSize > 0) pointer(header + CONTROL, this.#controlsAt + slot * controlSize)
      pointer(iovec, this.slotAt(slot))
    }
  }

  /** Where a slot's room begins. */
  slotAt(slot: number): number {
    return this.#dataAt + slot * this.#slotSize
  }

  /** Where the `sockaddr` of a slot stands. */
  nameAt(slot: number): number {
    return this.#namesAt + slot * NAME_SIZE
  }

  /** Points a slot at the bytes from `at` on. To be sent to the `sockaddr` of `nameLength` bytes at {@link nameAt}. */
  prepare(slot: number, at: number, length: number, nameLength: number): void {
    this.#headroom = -1
    this.#setPlace(slot, at, length)
    this.arena.view.setUint32(slot * HEADER_SIZE + NAME_LENGTH, nameLength, true)
  }

  #setPlace(slot: number, at: number, length: number): void {
    writeIovec(this.arena, this.slots * HEADER_SIZE + slot * IOVEC_SIZE, this.arena, at, length)
  }

  /**
   * Receives without waiting, each datagram `headroom` bytes behind the beginning of its slot.
   *
   * @param flags of recvmsg(2), such as {@link MSG_ERRQUEUE}
   * @returns how many, or `-errno`
   */
  receive(fd: number, headroom: number, count = this.slots, flags = 0): number {
    const { view, address } = this.arena
    // What the call before did not use is still as it must be.
    const stale = headroom === this.#headroom ? this.#stale : this.slots
    for (let slot = 0; slot < stale; slot++) {
      const header = slot * HEADER_SIZE
      this.#setPlace(slot, this.slotAt(slot) + headroom, this.#slotSize - headroom)
      view.setUint32(header + NAME_LENGTH, NAME_SIZE, true)
      view.setUint32(header + CONTROL_LENGTH, this.#controlSize, true)
      view.setUint32(header + FLAGS, 0, true)
    }
    recvmmsg ??= bind('int recvmmsg(int, uintptr_t, unsigned int, int, void *)') as Call
    const got = recvmmsg(fd, address, count, MSG_DONTWAIT | flags, null)
    this.#headroom = headroom
    this.#stale = Math.min(Math.max(got, 0) + 1, this.slots)
    return got >= 0 ? got : -lastErrno()
  }

  /** Length of a datagram that was received; -1 where it, or what came with it, did not fit. */
  lengthOf(slot: number): number {
    const { view } = this.arena
    const header = slot * HEADER_SIZE
    const isCut = (view.getUint32(header + FLAGS, true) & (MSG_TRUNC | MSG_CTRUNC)) !== 0
    return isCut ? -1 : view.getUint32(header + MESSAGE_LENGTH, true)
  }

  /** Where the ancillary data of a kind begins, or 0 where there is none. */
  controlOf(slot: number, level: number, type: number): number {
    const { view } = this.arena
    const begin = this.#controlsAt + slot * this.#controlSize
    const end = begin + Math.min(view.getUint32(slot * HEADER_SIZE + CONTROL_LENGTH, true), this.#controlSize)
    for (let at = begin; at + CMSG_HEADER <= end; ) {
      const length = view.getUint32(at, true)
      if (length < CMSG_HEADER) return 0
      if (view.getUint32(at + 8, true) === level && view.getUint32(at + 12, true) === type)
        return at + CMSG_HEADER
      at += (length + 7) & ~7
    }
    return 0
  }

  /** Length of the ancillary data whose bytes begin at `at`. */
  controlLength(at: number): number {
    return this.arena.view.getUint32(at - CMSG_HEADER, true) - CMSG_HEADER
  }

  /** Sends `count` prepared slots, from the slot `from` on. @returns how many were taken, or `-errno` */
  send(fd: number, from: number, count: number): number {
    sendmmsg ??= bind('int sendmmsg(int, uintptr_t, unsigned int, int)')
    const sent = sendmmsg(fd, this.arena.address + from * HEADER_SIZE, count, MSG_DONTWAIT)
    return sent >= 0 ? sent : -lastErrno()
  }
}
