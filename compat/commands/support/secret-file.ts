/**
 * Files that nobody else may read: keys, and what was decrypted with them.
 *
 * @module
 */
import { constants, lstatSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { replaceFile } from './atomic-file.ts'
import { CommandError } from './exit.ts'

/** Only the owner reads what has keys in it. */
const SECRET_MODE = 0o600

/** Replaces a file as a whole. @throws CommandError where the place is not safe; the error of a system call */
export function writeKeys(file: string, text: string): void {
  refuseUnsafeTarget(file)
  replaceFile(file, text, SECRET_MODE)
}

/**
 * Begins a file that grows. One that is there goes; whoever has it open keeps what was in it.
 *
 * @returns a descriptor for writing
 * @throws as {@link writeKeys}
 */
export function createSecret(file: string): number {
  refuseUnsafeTarget(file)
  rmSync(file, { force: true })
  // Who puts a link in its place meanwhile gains nothing.
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  return openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, SECRET_MODE)
}

/**
 * Keys go into regular files in folders that are there: not over a device, not through a link that somebody else may
 * have laid, not into a folder that a slip of the finger names.
 */
function refuseUnsafeTarget(file: string): void {
  const present = lstatSync(file, { throwIfNoEntry: false })
  if (present && !present.isFile()) {
    throw new CommandError(`${file} - Not a regular file; remove it first, or save elsewhere`)
  }
  if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory()) {
    throw new CommandError(`${file}: there is no folder ${dirname(file)}`)
  }
}
