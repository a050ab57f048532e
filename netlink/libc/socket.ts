/**
 * Socket system calls. Those off the hot path throw {@link SystemError}; {@link recvFrom} returns the error
 * number negated, as the kernel does, since EAGAIN is a normal answer there.
 *
 * @module
 */
import { closeSync } from 'node:fs'
import { EINTR, SystemError } from './errno.ts'
import { foreign, lastErrno } from './ffi.ts'

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_KEY = 15
export const AF_NETLINK = 16
export const AF_PACKET = 17
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_SEQPACKET = 5
export const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000

export const SOL_SOCKET = 1
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
const SO_PEERCRED = 17
export const SO_RCVTIMEO = 20
export const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33
export const SO_NETNS_COOKIE = 71

export const MSG_PEEK = 0x2
export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40
export const MSG_NOSIGNAL = 0x4000

const c = {
  socket: foreign<[number, number, number], number>('int socket(int, int, int)'),
  bind: foreign<[number, Uint8Array, number], number>('int bind(int, void *, unsigned int)'),
  getsockname: foreign<[number, Uint8Array, Uint8Array], number>('int getsockname(int, void *, void *)'),
  getpeername: foreign<[number, Uint8Array, Uint8Array], number>('int getpeername(int, void *, void *)'),
  connect: foreign<[number, Uint8Array, number], number>('int connect(int, void *, unsigned int)'),
  listen: foreign<[number, number], number>('int listen(int, int)'),
  accept4: foreign<[number, null, null, number], number>('int accept4(int, void *, void *, int)'),
  setsockopt: foreign<[number, number, number, Uint8Array | null, number], number>(
    'int setsockopt(int, int, int, void *, unsigned int)',
  ),
  getsockopt: foreign<[number, number, number, Uint8Array, Uint8Array], number>(
    'int getsockopt(int, int, int, void *, void *)',
  ),
  sendto: foreign<[number, Uint8Array, number, number, Uint8Array | null, number], number>(
    'long sendto(int, void *, size_t, int, void *, unsigned int)',
  ),
  recvfrom: foreign<[number, Uint8Array, number, number, Uint8Array | null, Uint8Array | null], number>(
    'long recvfrom(int, void *, size_t, int, void *, void *)',
  ),
}

function check(syscall: string, result: number): number {
  if (result < 0) throw new SystemError(syscall, lastErrno())
  return result
}

/** Opens a socket (close-on-exec) in the calling thread's network namespace. Close it with {@link close}. */
export function socket(domain: number, type: number, protocol: number): number {
  return check('socket', c.socket(domain, type | SOCK_CLOEXEC, protocol))
}

/** Binds to an address given as the bytes of its `sockaddr`. */
export function bind(fd: number, address: Uint8Array): void {
  check('bind', c.bind(fd, address, address.length))
}

/** Connects to an address given as the bytes of its `sockaddr`. */
export function connect(fd: number, address: Uint8Array): void {
  check('connect', c.connect(fd, address, address.length))
}

/** Lets others connect to a bound socket; `backlog` of them may wait. */
export function listen(fd: number, backlog: number): void {
  check('listen', c.listen(fd, backlog))
}

/** A connection that waits, without blocking: itself and later calls on it. @throws SystemError `EAGAIN` where none does */
export function accept(fd: number): number {
  return check('accept4', c.accept4(fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK))
}

/**
 * `sockaddr_un` of a path, or of an abstract name, which begins with a zero (unix(7)).
 *
 * @throws RangeError where the path is too long for one (107 bytes)
 */
export function unixAddress(path: string): Uint8Array {
  const text = new TextEncoder().encode(path)
  if (text.length > 107) throw new RangeError(`the path of a socket may have 107 bytes: ${path}`)
  const address = new Uint8Array(2 + text.length + (text[0] === 0 ? 0 : 1))
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX
  address.set(text, 2)
  return address
}

/** The socket's own address as the bytes of its `sockaddr`. */
export function getSockName(fd: number): Uint8Array {
  return readName((address, length) => check('getsockname', c.getsockname(fd, address, length)))
}

/** The address that it is connected to, in the same form. @throws SystemError `ENOTCONN` */
export function getPeerName(fd: number): Uint8Array {
  return readName((address, length) => check('getpeername', c.getpeername(fd, address, length)))
}

function readName(fill: (address: Uint8Array, length: Uint8Array) => void): Uint8Array {
  const address = new Uint8Array(128)
  const length = Uint32Array.of(address.length)
  fill(address, new Uint8Array(length.buffer))
  return address.subarray(0, Math.min(length[0] ?? 0, address.length))
}

/** Sets an option whose value is raw bytes. */
export function setSockOpt(fd: number, level: number, option: number, value: Uint8Array): void {
  check('setsockopt', c.setsockopt(fd, level, option, value, value.length))
}

/** Sets an option whose value is a C int. */
export function setSockOptInt(fd: number, level: number, option: number, value: number): void {
  setSockOpt(fd, level, option, new Uint8Array(Int32Array.of(value).buffer))
}

/** Sets an option to nothing at all (no value, length 0), which takes away what some options hold. */
export function clearSockOpt(fd: number, level: number, option: number): void {
  check('setsockopt', c.setsockopt(fd, level, option, null, 0))
}

/** An option's value that is a C int. */
export function getSockOptInt(fd: number, level: number, option: number): number {
  const value = getSockOpt(fd, level, option, 4)
  return new Int32Array(value.slice().buffer)[0] ?? 0
}

/** An option's value of at most `size` bytes; its length is what the kernel wrote. */
export function getSockOpt(fd: number, level: number, option: number, size: number): Uint8Array {
  const value = new Uint8Array(size)
  const length = Uint32Array.of(size)
  check('getsockopt', c.getsockopt(fd, level, option, value, new Uint8Array(length.buffer)))
  return value.subarray(0, length[0])
}

/**
 * Sends `bytes`, to `address` (bytes of a `sockaddr`) where one is given. Interrupted calls are repeated.
 *
 * @returns the number of bytes taken
 */
export function send(fd: number, bytes: Uint8Array, flags = 0, address: Uint8Array | null = null): number {
  for (;;) {
    const sent = c.sendto(fd, bytes, bytes.length, flags, address, address?.length ?? 0)
    if (sent >= 0) return sent
    const errno = lastErrno()
    if (errno !== EINTR) throw new SystemError('sendto', errno)
  }
}

/**
 * Receives one datagram into `buffer`. Interrupted calls are repeated: a socket with a receive timeout is
 * interrupted by every signal, whatever SA_RESTART says.
 *
 * @param from - filled with the sender's `sockaddr`; `fromLength` (4 bytes, a C socklen_t) must hold its size
 * @returns the length (with MSG_TRUNC the datagram's real one, which may exceed the buffer), or `-errno`
 */
export function recvFrom(
  fd: number,
  buffer: Uint8Array,
  flags: number,
  from: Uint8Array | null,
  fromLength: Uint8Array | null,
): number {
  for (;;) {
    const length = c.recvfrom(fd, buffer, buffer.length, flags, from, fromLength)
    if (length >= 0) return length
    const errno = lastErrno()
    if (errno !== EINTR) return -errno
  }
}

/** Closes a descriptor. */
export function close(fd: number): void {
  closeSync(fd)
}

/** Who is at the other end of a UNIX socket: as it was when it connected. */
export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** What a kernel does not tell is nobody's, and never root's. */
const NOBODY = 0xffff_ffff

/** `SO_PEERCRED` of unix(7). @throws SystemError */
export function peerCredentials(fd: number): PeerCredentials {
  const [pid = 0, uid = NOBODY, gid = NOBODY] = new Uint32Array(
    getSockOpt(fd, SOL_SOCKET, SO_PEERCRED, 12).slice().buffer,
  )
  return { pid, uid, gid }
}
