/**
 * Files that may hold keys: regular ones only, and whether others than root can touch them. Both are asked of the open
 * file, not of its name.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

const S_IFMT = 0o170000
const S_IFREG = 0o100000
const GROUP_AND_OTHER = 0o077
const WRITABLE_BY_OTHERS = 0o022
/** Bytes. A hundred thousand SAs take a third of it; what is larger is no configuration, and would take all memory. */
const LARGEST = 128 * 1024 * 1024

export interface RegularFile {
  readonly text: string
  /** It does not belong to root, or its mode gives others something. */
  readonly isExposed: boolean
  /** It does not belong to root, or its mode lets others write it. */
  readonly isChangeable: boolean
}

/**
 * Reads a file.
 *
 * @returns `undefined` where it is no regular file
 * @throws the error of `open(2)` or `read(2)`; RangeError where it is too large to be what it should be
 */
export function readRegularFile(path: string): RegularFile | undefined {
  // Without O_NONBLOCK, opening a FIFO would wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { mode, uid, size } = fstatSync(fd)
    if ((mode & S_IFMT) !== S_IFREG) return undefined
    if (size > LARGEST) throw new RangeError(`it has more than ${LARGEST} bytes`)
    const gives = (bits: number) => uid !== 0 || (mode & bits) !== 0
    return {
      text: readText(fd),
      isExposed: gives(GROUP_AND_OTHER),
      isChangeable: gives(WRITABLE_BY_OTHERS),
    }
  } finally {
    closeSync(fd)
  }
}

/** Nobody can wipe a text; but what it was made from stays no longer than it has to. */
function readText(fd: number): string {
  const bytes = readFileSync(fd)
  const text = bytes.toString('utf8')
  bytes.fill(0)
  return text
}
