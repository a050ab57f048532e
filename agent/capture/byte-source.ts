/**
 * The bytes of a capture file through one window of fixed size: a file of any length takes the same memory.
 *
 * @module
 */
import { fstatSync, readSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { memoryOf } from '../../netlink/codec/memory.ts'
import { watchReadable } from '../../netlink/libc/poll.ts'

/** Longest packet that is taken: what libpcap and Wireshark take. */
export const MAX_PACKET = 262_144
/** At least one packet with what stands around it fits, whatever is left of the one before. */
const WINDOW = 2 * MAX_PACKET

/** A window on a file or a stream. Reads on from where the descriptor stands. */
export class ByteSource {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** What is not yet used: `bytes[at..end)`. */
  at = 0
  end = 0
  /** Nothing comes after {@link end}. */
  isFinished = false
  /** Size of a regular file as it was when it was opened; `undefined` for a stream. */
  readonly size: number | undefined
  readonly #fd: number
  readonly #isStream: boolean
  /** Place in the file of `bytes[0]`. */
  #base = 0

  constructor(fd: number) {
    const memory = memoryOf(new Uint8Array(WINDOW))
    this.bytes = memory.bytes
    this.view = memory.view
    this.#fd = fd
    const stat = fstatSync(fd)
    this.#isStream = stat.isFIFO() || stat.isSocket()
    this.size = stat.isFile() ? stat.size : undefined
  }

  /** Place in the file of the next byte that is not yet used. */
  get offset(): number {
    return this.#base + this.at
  }

  get available(): number {
    return this.end - this.at
  }

  /**
   * Makes room and reads on, letting signals and timers have their turn.
   *
   * @throws the error of read(2)
   */
  async fill(): Promise<void> {
    this.bytes.copyWithin(0, this.at, this.end)
    this.#base += this.at
    this.end -= this.at
    this.at = 0
    await (this.#isStream ? readable(this.#fd) : turn())
    for (;;) {
      const got = this.#read()
      if (got >= 0) {
        this.end += got
        this.isFinished = got === 0
        return
      }
      await readable(this.#fd)
    }
  }

  /** @returns how many bytes; 0 at the end, -1 where there are none yet */
  #read(): number {
    try {
      return readSync(this.#fd, this.bytes, this.end, this.bytes.length - this.end, null)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') return -1
      if (code === 'EOF') return 0
      throw error
    }
  }
}

/** Waits on the event loop: a read that blocks would keep signals out. */
function readable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    const watch = watchReadable(fd, () => {
      watch.close()
      resolve()
    })
  })
}
