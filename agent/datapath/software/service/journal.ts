/**
 * What has to survive the program: the requests that made the databases what they are, as netlink messages one behind
 * the other, in a file for root alone on a tmpfs. To read it is to carry them out again. When most of it is history, it
 * is written anew from what there is now.
 *
 * @module
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import { parseMessages } from '../../../../netlink/socket/message.ts'
import { decodeMessage, type XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import { formatXfrm } from '../../../../netlink/xfrm/whole-messages.ts'

/** A file is not written anew before it has this size … */
const SMALLEST = 1024 * 1024
/** … and is so many times longer than when it was written last. */
const GROWTH = 2
const PIECE = 256 * 1024

/** What was to be written did not fit. */
export class JournalFullError extends Error {
  constructor() {
    super('there is no room for the journal of the software data path')
    this.name = 'JournalFullError'
  }
}

export class Journal {
  readonly #path: string
  #fd: number
  #size: number
  #sizeWhenNew: number

  /** Opens the file at `path`, or makes it. */
  constructor(path: string) {
    this.#path = path
    this.#fd = openSync(path, 'a', 0o600)
    this.#size = fstatSync(this.#fd).size
    this.#sizeWhenNew = this.#size
  }

  /**
   * What was written before, in order. A last message that is not whole is left out: the program was killed while it
   * wrote it, and nobody was told that it had been carried out.
   *
   * @throws Error where a message before that cannot be read: without what follows, numbers would be used again, and
   *   what policy protects would pass in clear
   */
  *read(): Generator<XfrmMessage, void> {
    const bytes = readFileSync(this.#path)
    try {
      for (const { type, payload } of parseMessages(bytes)) yield decodeMessage(type, payload)
    } catch (error) {
      // The end of what is whole.
      if (error instanceof NetlinkError) return
      throw new Error(`${this.#path} is damaged; remove it, and load policy and keys again`)
    } finally {
      bytes.fill(0)
    }
  }

  /**
   * Adds messages as they are on the wire, each padded to 4 bytes. They are in the file when this returns.
   *
   * @throws JournalFullError, or an error `ENOSPC`, where there is no room; nothing of them is in the file then, or nobody could read what comes after
   */
  append(bytes: Uint8Array): void {
    const written = writeSync(this.#fd, bytes)
    if (written < bytes.length) {
      ftruncateSync(this.#fd, this.#size)
      throw new JournalFullError()
    }
    this.#size += bytes.length
  }

  /** Adds one message. */
  appendMessage(message: XfrmMessage): void {
    const bytes = formatXfrm(message)
    this.append(bytes)
    bytes.fill(0)
  }

  /** True when the file should be written anew. */
  get isLong(): boolean {
    return this.#size > SMALLEST && this.#size > GROWTH * this.#sizeWhenNew
  }

  /** Replaces the file, in one step, by messages that lead to what there is now. */
  rewrite(messages: Iterable<XfrmMessage>): void {
    const path = `${this.#path}.new`
    rmSync(path, { force: true })
    const fd = openSync(path, 'ax', 0o600)
    try {
      const size = writeAll(fd, messages)
      renameSync(path, this.#path)
      closeSync(this.#fd)
      this.#fd = fd
      this.#size = size
      this.#sizeWhenNew = size
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function writeAll(fd: number, messages: Iterable<XfrmMessage>): number {
  const piece = new Uint8Array(PIECE)
  let used = 0
  let total = 0
  const flush = () => {
    if (writeSync(fd, piece, 0, used) < used) throw new JournalFullError()
    total += used
    used = 0
  }
  for (const message of messages) {
    const bytes = formatXfrm(message)
    if (used + bytes.length > PIECE) flush()
    piece.set(bytes, used)
    used += bytes.length
    bytes.fill(0)
  }
  flush()
  piece.fill(0)
  return total
}
