/**
 * Opens key files the way ipseckey(8) does: regular files only, and under a service manager only those that
 * nobody but root can touch.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { systemReason } from '../support/system-text.ts'

const S_IFMT = 0o170000
const S_IFREG = 0o100000
const GROUP_AND_OTHER = 0o077

/** Reads a key file after checking what it is. The checks are made on the open file, not on its name. */
export function readKeyFile(path: string, io: Io): string {
  const fd = openKeyFile(path)
  try {
    const { mode, uid } = fstatSync(fd)
    if ((mode & S_IFMT) !== S_IFREG) throw new CommandError(`${path} - Not a regular file`)
    if (uid !== 0 || (mode & GROUP_AND_OTHER) !== 0) onInsecure(path, io)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

function openKeyFile(path: string): number {
  try {
    // Without O_NONBLOCK, opening a FIFO would wait for a writer.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new CommandError(`Invalid pathname: ${path}`)
    const reason = systemReason(error as NodeJS.ErrnoException)
    throw new CommandError(`Unable to open configuration file: ${path} (${reason})`)
  }
}

function onInsecure(path: string, io: Io): void {
  if (io.service) throw new CommandError(`Config file ${path} has insecure permissions.`)
  io.stderr.write(
    `WARNING: Config file ${path} has insecure permissions (it should belong to root, mode 0600 or 0400);\n` +
      'it will be rejected as a permanent configuration.\n',
  )
}
