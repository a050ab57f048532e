/**
 * What has to survive the program: the requests that made the databases what they are, as netlink messages one behind
 * the other, in a file for root alone on a tmpfs. To read it is to carry them out again. When most of it is history, it
 * is written anew from what there is now.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { parseMessages } from '../../../../netlink/socket/message.ts'
import { decodeMessage, type XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import { formatXfrm } from './xfrm-bytes.ts'

/** A file is not written anew before it has this size … */
const SMALLEST = 1024 * 1024
/** … and is so many times longer than when it was written last. */
const GROWTH = 2
const PIECE = 256 * 1024

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
   */
  *read(): Generator<XfrmMessage, void> {
    const bytes = readFileSync(this.#path)
    try {
      for (const { type, payload } of parseMessages(bytes)) yield decodeMessage(type, payload)
    } catch {
      // The end of what is whole.
    } finally {
      bytes.fill(0)
    }
  }

  /** Adds messages as they are on the wire, each padded to 4 bytes. They are in the file when this returns. */
  append(bytes: Uint8Array): void {
    writeSync(this.#fd, bytes)
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
    writeSync(fd, piece, 0, used)
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
