/**
 * What nobody is to do to a process or a host but a test: reaching into another process for its sockets, and setting the
 * clock.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { SystemError } from '../../../../netlink/libc/errno.ts'
import { foreign, lastErrno } from '../../../../netlink/libc/ffi.ts'
import {
  AF_NETLINK,
  close,
  getSockOptInt,
  SO_RCVBUF,
  SOL_SOCKET,
  setSockOptInt,
} from '../../../../netlink/libc/socket.ts'

const SYS_PIDFD_OPEN = 434
const SYS_PIDFD_GETFD = 438
const SO_DOMAIN = 39
const CLOCK_REALTIME = 0

const syscall = foreign<[number, number, number, number], number>('long syscall(long, long, long, long)')
const clockSetTime = foreign<[number, Uint8Array], number>('int clock_settime(int, void *)')

/** Gives all netlink sockets of a process the smallest receive buffer that there is. @returns how many they are */
export function starve(pid: number): number {
  const process = check('pidfd_open', syscall(SYS_PIDFD_OPEN, pid, 0, 0))
  try {
    return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
      if (!linkOf(pid, fd).startsWith('socket:')) return false
      const copy = check('pidfd_getfd', syscall(SYS_PIDFD_GETFD, process, Number(fd), 0))
      try {
        if (getSockOptInt(copy, SOL_SOCKET, SO_DOMAIN) !== AF_NETLINK) return false
        setSockOptInt(copy, SOL_SOCKET, SO_RCVBUF, 1)
        return true
      } finally {
        close(copy)
      }
    }).length
  } finally {
    close(process)
  }
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return ''
  }
}

/** How often the kernel had no room in a netlink socket of the namespace that the process is in. */
export function drops(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/net/netlink`, 'utf8').trim().split('\n').slice(1)
  return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[8]), 0)
}

/** Sets the time of day of the whole machine. @param milliseconds since 1970 */
export function setClock(milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000)
  const nanoseconds = Math.floor(milliseconds - seconds * 1000) * 1e6
  const time = new Uint8Array(BigInt64Array.of(BigInt(seconds), BigInt(nanoseconds)).buffer)
  check('clock_settime', clockSetTime(CLOCK_REALTIME, time))
}

function check(name: string, result: number): number {
  if (result < 0) throw new SystemError(name, lastErrno())
  return result
}
