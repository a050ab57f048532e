/**
 * One `struct msghdr` for sendmsg(2), of many pieces and with ancillary data, in memory of its own.
 *
 * @module
 */
import { type Arena, allocateArena } from './arena.ts'
import { bind, lastErrno } from './ffi.ts'
import { IOVEC_SIZE, writeIovec } from './iovec.ts'
import { MSG_DONTWAIT } from './socket.ts'

// struct msghdr and struct cmsghdr of 64-bit platforms
const HEADER_SIZE = 56
const NAME = 0
const NAME_LENGTH = 8
const IOV = 16
const IOV_LENGTH = 24
const CONTROL = 32
const CONTROL_LENGTH = 40
const NAME_SIZE = 32
const CONTROL_SIZE = 256
const CMSG_HEADER = 16

let sendmsg: ((fd: number, header: number, flags: number) => number) | undefined

export class MessageHeader {
  /** Holds header, address and ancillary data, not the pieces. */
  readonly arena: Arena
  /** Where the `sockaddr` is to be written. */
  readonly nameAt = HEADER_SIZE + 8
  readonly #controlAt = this.nameAt + NAME_SIZE
  readonly #piecesAt = this.#controlAt + CONTROL_SIZE
  #pieces = 0
  #controlLength = 0

  /** @param pieces at most that many */
  constructor(pieces: number) {
    this.arena = allocateArena(this.#piecesAt + pieces * IOVEC_SIZE)
    const { view, address } = this.arena
    const pointer = (at: number, to: number) => view.setBigUint64(at, BigInt(address + to), true)
    pointer(NAME, this.nameAt)
    pointer(IOV, this.#piecesAt)
    pointer(CONTROL, this.#controlAt)
  }

  get pieces(): number {
    return this.#pieces
  }

  /** Begins anew: no pieces, no ancillary data. */
  reset(): void {
    this.#pieces = 0
    this.#controlLength = 0
  }

  /** Adds the bytes of `of` from `at` on. */
  addPiece(of: Arena, at: number, length: number): void {
    writeIovec(this.arena, this.#piecesAt + this.#pieces++ * IOVEC_SIZE, of, at, length)
  }

  /** Adds ancillary data of `length` bytes. @returns where they are to be written */
  addControl(level: number, type: number, length: number): number {
    const { bytes, view } = this.arena
    const at = this.#controlAt + this.#controlLength
    const space = (CMSG_HEADER + length + 7) & ~7
    if (this.#controlLength + space > CONTROL_SIZE) throw new RangeError('too much ancillary data')
    bytes.fill(0, at, at + space)
    view.setUint32(at, CMSG_HEADER + length, true)
    view.setUint32(at + 8, level, true)
    view.setUint32(at + 12, type, true)
    this.#controlLength += space
    return at + CMSG_HEADER
  }

  /** Sends without waiting. @returns the number of bytes, or `-errno` */
  send(fd: number, nameLength: number): number {
    const { view, address } = this.arena
    view.setUint32(NAME_LENGTH, nameLength, true)
    view.setUint32(IOV_LENGTH, this.#pieces, true)
    view.setUint32(CONTROL_LENGTH, this.#controlLength, true)
    sendmsg ??= bind('long sendmsg(int, uintptr_t, int)')
    const sent = sendmsg(fd, address, MSG_DONTWAIT)
    return sent >= 0 ? sent : -lastErrno()
  }
}
