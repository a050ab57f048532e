/**
 * Opens key files the way ipseckey(8) does: regular files only, and under a service manager only those that
 * nobody but root can touch.
 *
 * @module
 */
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { type RegularFile, readRegularFile } from '../support/regular-file.ts'
import { systemReason } from '../support/system-text.ts'

/** Reads a key file after checking what it is. */
export function readKeyFile(path: string, io: Io): string {
  const file = open(path)
  if (!file) throw new CommandError(`${path} - Not a regular file`)
  if (file.isExposed) onInsecure(path, io)
  return file.text
}

function open(path: string): RegularFile | undefined {
  try {
    return readRegularFile(path)
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
