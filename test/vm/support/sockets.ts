/**
 * Internet and packet sockets of a test, opened in any network namespace and used without waiting: everything
 * here returns at once, and `until` does the waiting.
 *
 * @module
 */
import { constants } from 'node:os'
import { SystemError } from '../../../netlink/libc/errno.ts'
import { foreign, lastErrno } from '../../../netlink/libc/ffi.ts'
import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  recvFrom,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  send,
  setSockOpt,
  setSockOptInt,
  socket,
} from '../../../netlink/libc/socket.ts'
import { address } from '../../support/address.ts'

export const SOCK_STREAM = 1
export { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW }

const SO_REUSEADDR = 2
const SO_LINGER = 13
const SOL_IPV6 = 41
const IPV6_V6ONLY = 26

const c = {
  connect: foreign<[number, Uint8Array, number], number>('int connect(int, void *, unsigned int)'),
  listen: foreign<[number, number], number>('int listen(int, int)'),
  accept4: foreign<[number, null, null, number], number>('int accept4(int, void *, void *, int)'),
  poll: foreign<[Uint8Array, number, number], number>('int poll(void *, unsigned long, int)'),
}

/** A `sockaddr_in` or `sockaddr_in6`. */
export function sockaddr(text: string, port = 0): Uint8Array {
  const { family, bytes } = address(text)
  const result = Buffer.alloc(family === 'inet' ? 16 : 28)
  result.writeUInt16LE(family === 'inet' ? AF_INET : AF_INET6, 0)
  result.writeUInt16BE(port, 2)
  result.set(bytes, family === 'inet' ? 4 : 8)
  return result
}

/** AF_INET or AF_INET6. */
export function domainOf(text: string): number {
  return text.includes(':') ? AF_INET6 : AF_INET
}

/** A non-blocking socket bound to an address of the calling thread's namespace. */
export function bound(type: number, protocol: number, address: string, port = 0): number {
  const domain = domainOf(address)
  const fd = socket(domain, type | SOCK_NONBLOCK, protocol)
  try {
    setSockOptInt(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    if (type === SOCK_STREAM) resetWhenClosed(fd)
    if (domain === AF_INET6 && type !== SOCK_RAW) setSockOptInt(fd, SOL_IPV6, IPV6_V6ONLY, 1)
    bind(fd, sockaddr(address, port))
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** No connection outlives its test: closing resets it (SO_LINGER, on, 0 seconds). Accepted ones inherit this. */
function resetWhenClosed(fd: number): void {
  setSockOpt(fd, SOL_SOCKET, SO_LINGER, new Uint8Array(Int32Array.of(1, 0).buffer))
}

/** Begins a connection. @throws SystemError, but not for one that is under way */
export function connect(fd: number, address: string, port: number): void {
  const to = sockaddr(address, port)
  if (c.connect(fd, to, to.length) === 0) return
  const errno = lastErrno()
  if (errno !== constants.errno.EINPROGRESS) throw new SystemError('connect', errno)
}

/** Makes a bound socket a listener. */
export function listen(fd: number): void {
  if (c.listen(fd, 8) < 0) throw new SystemError('listen', lastErrno())
}

/** The next connection; `undefined` where there is none yet. */
export function accept(fd: number): number | undefined {
  const connection = c.accept4(fd, null, null, SOCK_NONBLOCK)
  if (connection >= 0) return connection
  const errno = lastErrno()
  if (errno === constants.errno.EAGAIN) return undefined
  throw new SystemError('accept', errno)
}

/** The next datagram, or what has come of a stream; `undefined` where there is nothing. */
export function receive(fd: number): Uint8Array | undefined {
  const buffer = new Uint8Array(65536)
  const length = recvFrom(fd, buffer, MSG_DONTWAIT, null, null)
  return length > 0 ? buffer.subarray(0, length) : undefined
}

/** True where the stream is connected: `ENOTCONN` is what a connection under way answers. */
export function trySend(fd: number, bytes: Uint8Array): boolean {
  try {
    return send(fd, bytes, MSG_NOSIGNAL) === bytes.length
  } catch (error) {
    const { code } = error as SystemError
    if (code === 'EAGAIN' || code === 'ENOTCONN' || code === 'EPIPE') return false
    throw error
  }
}

/** Gives the kernel and the network `milliseconds` of time. */
export function pause(milliseconds: number): void {
  c.poll(new Uint8Array(0), 0, milliseconds)
}

/**
 * Asks until there is an answer.
 *
 * @returns the first result that is not `undefined`; `undefined` when the time is over
 */
export function until<T>(ask: () => T | undefined, milliseconds: number): T | undefined {
  const end = performance.now() + milliseconds
  for (;;) {
    const answer = ask()
    if (answer !== undefined || performance.now() > end) return answer
    pause(1)
  }
}
