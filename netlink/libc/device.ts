/**
 * TUN devices (Documentation/networking/tuntap.rst) and plain reads and writes in an {@link Arena}. Those that packets go
 * through return the error number negated: a full queue is no exception.
 *
 * @module
 */
import { closeSync, constants, openSync } from 'node:fs'
import type { Arena } from './arena.ts'
import { SystemError } from './errno.ts'
import { bind, foreign, lastErrno } from './ffi.ts'

const TUNSETIFF = 0x400454ca
const IFF_TUN = 0x0001
const IFF_NO_PI = 0x1000
const IFNAMSIZ = 16
const IFREQ_SIZE = 40

const ioctl = foreign<[number, number, Uint8Array], number>('int ioctl(int, unsigned long, void *)')

type Transfer = (fd: number, address: number, length: number) => number

let read: Transfer | undefined
let write: Transfer | undefined

/**
 * Makes a TUN device in the calling thread's network namespace. It lives as long as the descriptor.
 *
 * @throws SystemError `EBUSY` where another program has a device of this name open; ENOENT, EPERM of /dev/net/tun
 */
export function openTun(name: string): number {
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
  const request = new Uint8Array(IFREQ_SIZE)
  request.set(new TextEncoder().encode(name).subarray(0, IFNAMSIZ - 1))
  new DataView(request.buffer).setUint16(IFNAMSIZ, IFF_TUN | IFF_NO_PI, true)
  if (ioctl(fd, TUNSETIFF, request) === 0) return fd
  const errno = lastErrno()
  closeSync(fd)
  throw new SystemError('ioctl', errno)
}

/** Reads at most `length` bytes to `at`. @returns their number, or `-errno` */
export function readInto(fd: number, arena: Arena, at: number, length: number): number {
  read ??= bind<[number, number, number], number>('long read(int, uintptr_t, size_t)')
  const got = read(fd, arena.address + at, length)
  return got >= 0 ? got : -lastErrno()
}

/** Writes the bytes from `at` on. @returns their number, or `-errno` */
export function writeFrom(fd: number, arena: Arena, at: number, length: number): number {
  write ??= bind<[number, number, number], number>('long write(int, uintptr_t, size_t)')
  const put = write(fd, arena.address + at, length)
  return put >= 0 ? put : -lastErrno()
}
