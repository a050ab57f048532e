/**
 * Network namespaces: named ones as `ip netns` keeps them, and the identity of the one we are in.
 *
 * A namespace belongs to a *thread*. Sockets stay in the namespace in which they were opened, so a thread
 * may visit a namespace, open a socket there and go back. `/proc/net` and `/proc/sys/net` show the namespace
 * of the thread that opens the file; Node's synchronous file calls run in the calling thread, its
 * asynchronous ones in pool threads that never move.
 *
 * @module
 */
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { SystemError } from './errno.ts'
import { foreign, lastErrno } from './ffi.ts'
import { AF_NETLINK, close, getSockOpt, SO_NETNS_COOKIE, SOCK_RAW, SOL_SOCKET, socket } from './socket.ts'

const CLONE_NEWNET = 0x40000000
const NETNS_FOLDER = '/run/netns'
const OWN_NAMESPACE = '/proc/thread-self/ns/net'
/** sysexits(3) EX_OSERR: the operating system failed us. */
const EX_OSERR = 71

const c = {
  setns: foreign<[number, number], number>('int setns(int, int)'),
  unshare: foreign<[number], number>('int unshare(int)'),
}

/** A namespace that cannot be entered. `code` tells why. */
export class NamespaceError extends Error {
  override readonly name = 'NamespaceError'
  readonly code: 'ERR_NETNS_NAME' | 'ERR_NETNS_MISSING' | 'ERR_NETNS_DENIED' | 'ERR_NETNS_INVALID'

  constructor(code: NamespaceError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * The file that stands for a named namespace.
 *
 * @throws {NamespaceError} where the name could point out of the folder
 */
export function netnsPath(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new NamespaceError(
      'ERR_NETNS_NAME',
      `'${name.replaceAll('\0', '\\0')}' is not the name of a network namespace: expected a name as in 'ip netns list'`,
    )
  }
  return `${NETNS_FOLDER}/${name}`
}

/** A network namespace: its name, or a descriptor of its file. */
export type Netns = string | number

/** Opens a named namespace; the descriptor keeps it alive until it is closed. */
export function openNetns(name: string): number {
  const path = netnsPath(name)
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new NamespaceError('ERR_NETNS_MISSING', `there is no network namespace '${name}' (${path})`)
    }
    throw denied(`'${name}'`, (error as NodeJS.ErrnoException).code)
  }
}

function denied(title: string, code: string | undefined): NamespaceError {
  return code === 'EINVAL'
    ? new NamespaceError('ERR_NETNS_INVALID', `${title} is not a network namespace`)
    : new NamespaceError(
        'ERR_NETNS_DENIED',
        `cannot enter network namespace ${title}: ${code} (needs CAP_SYS_ADMIN)`,
      )
}

/** Moves the calling thread. */
function setns(fd: number): void {
  if (c.setns(fd, CLONE_NEWNET) < 0) throw new SystemError('setns', lastErrno())
}

/**
 * Moves the calling thread into a namespace for good. Enough for a command: with it go name look-ups,
 * `os.networkInterfaces()`, `/proc/thread-self/net` and `/proc/sys/net` read by synchronous calls.
 *
 * @throws {NamespaceError}
 */
export function enterNetns(netns: Netns): void {
  const target = typeof netns === 'number' ? netns : openNetns(netns)
  try {
    setns(target)
  } catch (error) {
    const title = typeof netns === 'number' ? `of descriptor ${netns}` : `'${netns}'`
    throw error instanceof SystemError ? denied(title, error.code) : error
  } finally {
    if (target !== netns) closeSync(target)
  }
}

/** Moves the calling thread into a new, empty namespace that has no name. */
function unshareNetns(): void {
  if (c.unshare(CLONE_NEWNET) < 0) throw new SystemError('unshare', lastErrno())
}

/**
 * Runs `visit` with the calling thread in a namespace and moves it back, also when `visit` throws. Where none
 * is given, just runs it. `visit` must be synchronous. If the thread cannot be moved back, nothing in
 * this process can be trusted to touch the right namespace any more: the process ends.
 *
 * @throws {NamespaceError}
 */
export function withNetns<T>(netns: Netns | undefined, visit: () => T): T {
  return netns === undefined ? visit() : elsewhere(() => enterNetns(netns), visit)
}

/**
 * Runs `visit` with the calling thread in a new network namespace, and moves it back as {@link withNetns} does.
 * The namespace lives on as long as a socket that was opened in it; then all that is in it goes.
 *
 * @throws {SystemError} without CAP_SYS_ADMIN
 */
export function withNewNetns<T>(visit: () => T): T {
  return elsewhere(unshareNetns, visit)
}

function elsewhere<T>(move: () => void, visit: () => T): T {
  const home = openSync(OWN_NAMESPACE, 'r')
  try {
    move()
    try {
      return synchronous(visit())
    } finally {
      goHome(home)
    }
  } finally {
    closeSync(home)
  }
}

function synchronous<T>(result: T): T {
  if (result instanceof Promise) throw new TypeError('network namespace: the function must be synchronous')
  return result
}

function goHome(home: number): void {
  try {
    setns(home)
  } catch (error) {
    writeSync(2, `solipsec: cannot leave the network namespace: ${(error as Error).message}; giving up\n`)
    process.exit(EX_OSERR)
  }
}

/**
 * Identifies the calling thread's network namespace, for the names of files that belong to it: the kernel's
 * cookie (5.14, never used twice until the next boot), before that the namespace's inode, marked by `i`.
 */
export function netnsCookie(): string {
  const fd = socket(AF_NETLINK, SOCK_RAW, 0)
  try {
    const cookie = getSockOpt(fd, SOL_SOCKET, SO_NETNS_COOKIE, 8)
    return new BigUint64Array(cookie.buffer, cookie.byteOffset, 1)[0]?.toString() ?? netnsInode()
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOPROTOOPT') return netnsInode()
    throw error
  } finally {
    close(fd)
  }
}

/** The inode of the calling thread's namespace, as `ip netns identify` compares it, marked by `i`. */
export function netnsInode(): string {
  return `i${statSync(OWN_NAMESPACE, { bigint: true }).ino}`
}
