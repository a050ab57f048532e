/**
 * Advisory file locks, `flock(2)`. The kernel drops them when the process ends, however it ends.
 *
 * @module
 */
import { closeSync, constants, openSync } from 'node:fs'
import { errnoNumber, SystemError } from './errno.ts'
import { foreign, lastErrno } from './ffi.ts'

const LOCK_EX = 2
const LOCK_NB = 4
const RETRY_MILLISECONDS = 10

const flock = foreign<[number, number], number>('int flock(int, int)')

/** A lock that is held until {@link FileLock.release}, or until the process ends. */
export interface FileLock {
  release(): void
}

/**
 * Takes the exclusive lock of a file, which is made (0600) where it is missing and never removed: removing
 * it would let two owners hold "the" lock.
 *
 * @param waitMilliseconds - how long to try while another holds it; the thread sleeps meanwhile
 * @returns the lock, or `undefined` where another process still holds it
 * @throws the error of `open(2)`, also where the path is a symbolic link; {@link SystemError}
 */
export function lockFile(path: string, waitMilliseconds = 0): FileLock | undefined {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants
  const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
  try {
    if (tryUntil(() => tryLock(fd), performance.now() + waitMilliseconds)) {
      return { release: () => closeSync(fd) }
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
  closeSync(fd)
  return undefined
}

function tryLock(fd: number): boolean {
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true
  const errno = lastErrno()
  if (errno === errnoNumber('EAGAIN')) return false
  throw new SystemError('flock', errno)
}

function tryUntil(attempt: () => boolean, deadline: number): boolean {
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  while (!attempt()) {
    if (performance.now() >= deadline) return false
    Atomics.wait(sleeper, 0, 0, RETRY_MILLISECONDS)
  }
  return true
}
