/**
 * Messages that carry descriptors from one process to another: `SCM_RIGHTS` over UNIX sockets.
 *
 * @module
 */
import { type Arena, allocateArena } from './arena.ts'
import { EINTR, SystemError } from './errno.ts'
import { foreign, lastErrno } from './ffi.ts'
import { IOVEC_SIZE, writeIovec } from './iovec.ts'
import { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_TRUNC, SOL_SOCKET } from './socket.ts'

// struct msghdr and struct cmsghdr of 64-bit platforms
const HEADER_SIZE = 56
const IOV = 16
const IOV_LENGTH = 24
const CONTROL = 32
const CONTROL_LENGTH = 40
const FLAGS = 48
const CMSG_HEADER = 16

const SCM_RIGHTS = 1
const MSG_CTRUNC = 0x08
/** Descriptors that come are closed by execve(2). */
const MSG_CMSG_CLOEXEC = 0x4000_0000

/**
 * As many as the kernel lets a message carry (`SCM_MAX_FD`): those that there is no room for, it would close at once, in
 * this thread, however long that takes.
 */
const MOST_DESCRIPTORS = 253
const CONTROL_SIZE = CMSG_HEADER + MOST_DESCRIPTORS * 4

const c = {
  sendmsg: foreign<[number, number, number], number>('long sendmsg(int, uintptr_t, int)'),
  recvmsg: foreign<[number, number, number], number>('long recvmsg(int, uintptr_t, int)'),
}

/** A message as it came. Whoever receives it closes its descriptors. */
export interface Parcel {
  /** Of the message; more than the buffer's where it was cut. 0 also at the end of the connection. */
  readonly length: number
  readonly descriptors: readonly number[]
  /** There was no room for all of them in this process. */
  readonly lostDescriptors: boolean
}

/**
 * Receives one message without waiting. Its bytes go to `buffer`, as far as they fit.
 *
 * @returns the message, or `-errno`
 */
export function receiveParcel(fd: number, buffer: Uint8Array): Parcel | number {
  if (receiving?.size !== buffer.length) receiving = makeParcel(buffer.length)
  const { arena, controlAt, dataAt } = receiving
  const { bytes, view } = arena
  for (;;) {
    view.setUint32(CONTROL_LENGTH, CONTROL_SIZE, true)
    view.setUint32(FLAGS, 0, true)
    const flags = MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC
    const length = c.recvmsg(fd, arena.address, flags)
    if (length < 0) {
      const errno = lastErrno()
      if (errno === EINTR) continue
      return -errno
    }
    buffer.set(bytes.subarray(dataAt, dataAt + Math.min(length, buffer.length)))
    const lostDescriptors = (view.getUint32(FLAGS, true) & MSG_CTRUNC) !== 0
    return { length, descriptors: descriptorsIn(view, controlAt), lostDescriptors }
  }
}

function descriptorsIn(view: DataView, begin: number): number[] {
  const descriptors: number[] = []
  const end = begin + Math.min(view.getUint32(CONTROL_LENGTH, true), CONTROL_SIZE)
  for (let at = begin; at + CMSG_HEADER <= end; ) {
    const length = view.getUint32(at, true)
    if (length < CMSG_HEADER) break
    if (view.getUint32(at + 8, true) === SOL_SOCKET && view.getUint32(at + 12, true) === SCM_RIGHTS) {
      const stop = Math.min(at + length, end)
      for (let one = at + CMSG_HEADER; one + 4 <= stop; one += 4) descriptors.push(view.getInt32(one, true))
    }
    at += (length + 7) & ~7
  }
  return descriptors
}

/** Memory for a call: header, one piece, ancillary data, then the bytes. */
interface Memory {
  readonly arena: Arena
  readonly size: number
  readonly controlAt: number
  readonly dataAt: number
}

/** Kept from one call to the next. */
let receiving: Memory | undefined

function makeParcel(size: number): Memory {
  const controlAt = HEADER_SIZE + IOVEC_SIZE
  const dataAt = controlAt + CONTROL_SIZE
  const arena = allocateArena(dataAt + size)
  const pointer = (at: number, to: number) => arena.view.setBigUint64(at, BigInt(arena.address + to), true)
  pointer(IOV, HEADER_SIZE)
  arena.view.setUint32(IOV_LENGTH, 1, true)
  pointer(CONTROL, controlAt)
  writeIovec(arena, HEADER_SIZE, arena, dataAt, size)
  return { arena, size, controlAt, dataAt }
}

/**
 * Sends one message without waiting.
 *
 * @param descriptors at most 253
 * @throws SystemError `EAGAIN` where the receiver has to read first
 */
export function sendParcel(fd: number, message: Uint8Array, descriptors: readonly number[] = []): void {
  if (descriptors.length > MOST_DESCRIPTORS) throw new RangeError('too many descriptors')
  const { arena, controlAt, dataAt } = makeParcel(message.length)
  const { bytes, view } = arena
  bytes.set(message, dataAt)
  if (descriptors.length > 0) {
    const length = CMSG_HEADER + descriptors.length * 4
    view.setUint32(CONTROL_LENGTH, length, true)
    view.setUint32(controlAt, length, true)
    view.setUint32(controlAt + 8, SOL_SOCKET, true)
    view.setUint32(controlAt + 12, SCM_RIGHTS, true)
    for (const [i, one] of descriptors.entries()) view.setInt32(controlAt + CMSG_HEADER + i * 4, one, true)
  }
  for (;;) {
    if (c.sendmsg(fd, arena.address, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return
    const errno = lastErrno()
    if (errno !== EINTR) throw new SystemError('sendmsg', errno)
  }
}
