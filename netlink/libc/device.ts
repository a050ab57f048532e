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

// linux/if_tun.h
const TUNSETIFF = 0x400454ca
const TUNSETOFFLOAD = 0x400454d0
const IFF_TUN = 0x0001
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
const TUN_F_CSUM = 0x01
const TUN_F_TSO4 = 0x02
const TUN_F_TSO6 = 0x04
const TUN_F_TSO_ECN = 0x08
const TUN_F_USO4 = 0x20
const TUN_F_USO6 = 0x40
const TCP_OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN
const UDP_OFFLOADS = TUN_F_USO4 | TUN_F_USO6
const IFNAMSIZ = 16
const IFREQ_SIZE = 40

const ioctl = foreign<[number, number, Uint8Array], number>('int ioctl(int, unsigned long, void *)')
const ioctlWithNumber = foreign<[number, number, number], number>(
  'int ioctl(int, unsigned long, unsigned long)',
)

type Transfer = (fd: number, address: number, length: number) => number

let read: Transfer | undefined
let write: Transfer | undefined
let writev: Transfer | undefined

/** A TUN device that takes and gives several segments of one connection as one packet, with a `virtio_net_hdr` before it. */
export interface Tun {
  readonly fd: number
  /** It takes UDP so, too (Linux 6.2 and later). */
  readonly takesUdpSegments: boolean
}

/**
 * Makes a TUN device in the calling thread's network namespace. It lives as long as the descriptor.
 *
 * @throws SystemError `EBUSY` where another program has a device of this name open; ENOENT, EPERM of /dev/net/tun
 */
export function openTun(name: string): Tun {
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
  try {
    const request = new Uint8Array(IFREQ_SIZE)
    request.set(new TextEncoder().encode(name).subarray(0, IFNAMSIZ - 1))
    new DataView(request.buffer).setUint16(IFNAMSIZ, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, true)
    if (ioctl(fd, TUNSETIFF, request) !== 0) throw new SystemError('ioctl', lastErrno())
    if (ioctlWithNumber(fd, TUNSETOFFLOAD, TCP_OFFLOADS | UDP_OFFLOADS) === 0)
      return { fd, takesUdpSegments: true }
    if (ioctlWithNumber(fd, TUNSETOFFLOAD, TCP_OFFLOADS) !== 0) throw new SystemError('ioctl', lastErrno())
    return { fd, takesUdpSegments: false }
  } catch (error) {
    closeSync(fd)
    throw error
  }
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

/** Writes what the `struct iovec` from `at` on name, as one packet. @returns the number of bytes, or `-errno` */
export function writeVector(fd: number, arena: Arena, at: number, count: number): number {
  writev ??= bind<[number, number, number], number>('long writev(int, uintptr_t, int)')
  const put = writev(fd, arena.address + at, count)
  return put >= 0 ? put : -lastErrno()
}
