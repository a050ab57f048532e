/**
 * UNIX sockets that others connect to, and who may be connected at once.
 *
 * @module
 */
import { chmodSync, chownSync, renameSync, rmSync } from 'node:fs'
import * as libc from '../../netlink/libc/socket.ts'

export interface Listener {
  /** `SOCK_STREAM` or `SOCK_SEQPACKET`. */
  readonly type: number
  /** Who may wait to be accepted. */
  readonly backlog: number
  /** Permission bits, whatever the umask. */
  readonly mode: number
  /** The group that it belongs to; absent: that of this process. */
  readonly gid?: number
}

/**
 * Listens at a path. A socket that somebody left there is replaced.
 *
 * @returns the descriptor, which does not block
 * @throws SystemError
 */
export function listenAt(path: string, { type, backlog, mode, gid }: Listener): number {
  const fd = libc.socket(libc.AF_UNIX, type | libc.SOCK_NONBLOCK, 0)
  // Nobody connects before it has its owner and is listened at: it gets its name last.
  const unnamed = `${path}.new`
  const before = process.umask(0o177)
  try {
    rmSync(unnamed, { force: true })
    libc.bind(fd, libc.unixAddress(unnamed))
    if (gid !== undefined) chownSync(unnamed, 0, gid)
    chmodSync(unnamed, mode)
    libc.listen(fd, backlog)
    renameSync(unnamed, path)
    return fd
  } catch (error) {
    libc.close(fd)
    rmSync(unnamed, { force: true })
    throw error
  } finally {
    process.umask(before)
  }
}

/** Connections at a time: of all, of all but root, and of one user other than root. */
export interface Places {
  readonly all: number
  readonly unprivileged: number
  readonly ofUser: number
}

/** True where a user can have one more. @param connected the users of those that there are */
export function hasPlace(uid: number, connected: Iterable<number>, most: Places): boolean {
  let [all, unprivileged, own] = [0, 0, 0]
  for (const one of connected) {
    all++
    if (one !== 0) unprivileged++
    if (one === uid) own++
  }
  if (all >= most.all) return false
  return uid === 0 || (unprivileged < most.unprivileged && own < most.ofUser)
}
