/**
 * Files of the runtime directory that are either the old or the new one, whatever happens to who writes them. They are
 * for root alone.
 *
 * @module
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'

/** Replaces a file in one step. Who writes the same one needs a lock. @throws the error of the system call that failed */
export function replaceRuntimeFile(path: string, content: string | Uint8Array): void {
  const temporary = temporaryOf(path)
  rmSync(temporary, { force: true })
  try {
    writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' })
    renameSync(temporary, path)
  } catch (error) {
    // Of a full disk, half a file takes the last of the space.
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Whoever died while writing left half a file behind; it may hold keys. */
export function removeHalfWritten(path: string): void {
  rmSync(temporaryOf(path), { force: true })
}

function temporaryOf(path: string): string {
  return `${path}.new`
}
