/**
 * Who is at the other end of a UNIX socket, whether they may do what needs privilege, and which unit they belong to.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { parseCapabilities } from '../../netlink/libc/capabilities.ts'
import { SystemError } from '../../netlink/libc/errno.ts'
import { close, getSockOptInt, peerCredentials, SOL_SOCKET } from '../../netlink/libc/socket.ts'
import { SO_PEERPIDFD } from '../../netlink/libc/socket-options.ts'
import { unitOfCgroups } from '../model/unit.ts'

/** As of the moment when it connected. */
export interface Peer {
  readonly pid: number
  /** Effective user, as this process's user namespace knows it. */
  readonly uid: number
  /** Root, or known for sure to have CAP_NET_ADMIN over this host's network. */
  readonly isPrivileged: boolean
  /** The unit of systemd that the process belongs to now. To be asked while the connection is open. */
  unit(): PeerUnit
}

export interface PeerUnit {
  /** Absent where it belongs to none, or is gone. */
  readonly unit?: string
  /** It is the very process that connected; else the number may be that of another one by now. */
  readonly isCertain: boolean
}

/** @throws SystemError */
export function peerOf(fd: number): Peer {
  const { pid, uid } = peerCredentials(fd)
  return { pid, uid, isPrivileged: uid === 0 || hasNetAdmin(fd, pid), unit: () => unitOf(fd, pid) }
}

/**
 * In a user namespace of its own everyone has all capabilities, over nothing of ours. Which one it is shows in the map of its
 * users: who may map all of them as ours are is privileged here. To read the namespace itself would take CAP_SYS_PTRACE.
 */
function hasNetAdmin(fd: number, pid: number): boolean {
  const found = readOfProcess(fd, pid, () => {
    const isOurs = readFileSync(`/proc/${pid}/uid_map`, 'utf8') === readFileSync('/proc/self/uid_map', 'utf8')
    return isOurs && parseCapabilities(readFileSync(`/proc/${pid}/status`, 'utf8')).has('CAP_NET_ADMIN')
  })
  return found.isCertain && found.value === true
}

function unitOf(fd: number, pid: number): PeerUnit {
  const { value: unit, isCertain } = readOfProcess(fd, pid, () =>
    unitOfCgroups(readFileSync(`/proc/${pid}/cgroup`, 'utf8')),
  )
  return { isCertain, ...(unit !== undefined && { unit }) }
}

/**
 * Process numbers are used again, so the number alone says nothing for sure: that does a handle of the very process, which
 * the kernel gives from 6.5 on.
 *
 * @returns no value where the process is gone, or its files are not for us to read
 */
function readOfProcess<T>(
  fd: number,
  pid: number,
  read: () => T,
): { readonly value?: T; readonly isCertain: boolean } {
  let handle: number | undefined
  try {
    handle = getSockOptInt(fd, SOL_SOCKET, SO_PEERPIDFD)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    // The process is gone.
    if (error.code !== 'ENOPROTOOPT') return { isCertain: false }
  }
  try {
    const value = read()
    if (handle === undefined) return { value, isCertain: false }
    // Still the same process after the reading.
    return isAlive(handle, pid) ? { value, isCertain: true } : { isCertain: false }
  } catch {
    return { isCertain: false }
  } finally {
    if (handle !== undefined) close(handle)
  }
}

function isAlive(handle: number, pid: number): boolean {
  const text = readFileSync(`/proc/self/fdinfo/${handle}`, 'utf8')
  return new RegExp(`^Pid:\\s*${pid}$`, 'm').test(text)
}
