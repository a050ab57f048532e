/**
 * Files that are either the old or the new one, whatever happens.
 *
 * @module
 */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

/**
 * Replaces a file's contents: temporary file beside it, fsync, rename, fsync of the folder. Makes missing
 * folders. A symbolic link stays; what it points to is replaced. Not a lock: two writers need one of their own.
 *
 * @param mode permission bits of the new file, whatever the umask; nobody can open it with more before
 * @throws the error of the system call that failed; the old file is untouched then
 */
export function replaceFile(path: string, contents: string | Uint8Array, mode: number): void {
  makeFolder(dirname(path))
  const target = realTarget(path)
  const temporary = `${target}.${process.pid}.tmp`
  rmSync(temporary, { force: true }) // left by a process with our number that was killed
  try {
    const fd = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(fd, contents)
      fchmodSync(fd, mode)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncFolder(dirname(target))
}

/** As `mkdir -p`. Node's own (20.20) never comes back where /proc says that a folder is not there and cannot be made. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(path) !== path && !existsSync(dirname(path))) {
      makeFolder(dirname(path))
      mkdirSync(path)
    } else if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

function realTarget(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path
    throw error
  }
}

/** Makes the rename outlive a power failure. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
