/**
 * Who is at the other end of a UNIX socket, and whether they may do what needs privilege.
 *
 * @module
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { SystemError } from '../../netlink/libc/errno.ts'
import { close, getSockOpt, getSockOptInt, SOL_SOCKET } from '../../netlink/libc/socket.ts'
import { SO_PEERCRED, SO_PEERPIDFD } from '../../netlink/libc/socket-options.ts'

const CAP_NET_ADMIN = 12n
const NOBODY = 0xffff_ffff

/** As of the moment when it connected. */
export interface Peer {
  readonly pid: number
  /** Effective user, as this process's user namespace knows it. */
  readonly uid: number
  /** Root, or known for sure to have CAP_NET_ADMIN over this host's network. */
  readonly isPrivileged: boolean
}

/** @throws SystemError */
export function peerOf(fd: number): Peer {
  const [pid = 0, uid = NOBODY] = new Uint32Array(getSockOpt(fd, SOL_SOCKET, SO_PEERCRED, 12).slice().buffer)
  return { pid, uid, isPrivileged: uid === 0 || hasNetAdmin(fd, pid) }
}

/**
 * Process numbers are used again, so the number alone says nothing: only where the kernel gives a handle of the very
 * process (6.5) is it looked at. In a user namespace of its own everyone has all capabilities, over nothing of ours.
 */
function hasNetAdmin(fd: number, pid: number): boolean {
  let handle: number
  try {
    handle = getSockOptInt(fd, SOL_SOCKET, SO_PEERPIDFD)
  } catch (error) {
    if (error instanceof SystemError) return false
    throw error
  }
  try {
    const isOurs = readlinkSync(`/proc/${pid}/ns/user`) === readlinkSync('/proc/self/ns/user')
    const [, digits = '0'] =
      /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    const has = ((BigInt(`0x${digits}`) >> CAP_NET_ADMIN) & 1n) === 1n
    // Still the same process after the reading.
    return isOurs && has && isAlive(handle, pid)
  } catch {
    // It is gone, or its files are not for us to read.
    return false
  } finally {
    close(handle)
  }
}

function isAlive(handle: number, pid: number): boolean {
  const text = readFileSync(`/proc/self/fdinfo/${handle}`, 'utf8')
  return new RegExp(`^Pid:\\s*${pid}$`, 'm').test(text)
}
