/**
 * Whole packets that go out as their IP headers say, many in one call.
 *
 * @module
 */
import { EAGAIN } from '../../../../../netlink/libc/errno.ts'
import type { MessageVector } from '../../../../../netlink/libc/message-vector.ts'
import { AF_INET, AF_INET6, close } from '../../../../../netlink/libc/socket.ts'
import { sendingSocket } from './sockets.ts'

const SOCKADDR_IN = 16
const SOCKADDR_IN6 = 28

export class RawBurst {
  readonly #vector: MessageVector
  readonly #socket4: number
  readonly #socket6: number
  /** What waits: all of one family. */
  #count = 0
  #isV4 = true
  #lost = 0

  /**
   * Opens its sockets in the calling thread's network namespace.
   *
   * @param vector holds the packets; they must stay there until {@link flush}
   */
  constructor(vector: MessageVector) {
    this.#vector = vector
    this.#socket4 = sendingSocket(AF_INET)
    this.#socket6 = sendingSocket(AF_INET6)
  }

  add(at: number, end: number): void {
    const vector = this.#vector
    const { bytes, view } = vector.arena
    const isV4 = (bytes[at] ?? 0) >> 4 === 4
    if (isV4 !== this.#isV4 || this.#count === vector.slots) this.flush()
    this.#isV4 = isV4
    const name = vector.nameAt(this.#count)
    view.setUint16(name, isV4 ? AF_INET : AF_INET6, true)
    if (isV4) bytes.copyWithin(name + 4, at + 16, at + 20)
    else bytes.copyWithin(name + 8, at + 24, at + 40)
    vector.prepare(this.#count, at, end - at, isV4 ? SOCKADDR_IN : SOCKADDR_IN6)
    this.#count++
  }

  flush(): void {
    const count = this.#count
    const fd = this.#isV4 ? this.#socket4 : this.#socket6
    this.#count = 0
    for (let from = 0; from < count; ) {
      const sent = this.#vector.send(fd, from, count - from)
      if (sent > 0) from += sent
      else if (sent === -EAGAIN) {
        this.#lost += count - from
        return
      } else {
        // The first of them is at fault.
        this.#lost++
        from++
      }
    }
  }

  /** How many packets could not be sent since this was last asked. */
  takeLost(): number {
    const lost = this.#lost
    this.#lost = 0
    return lost
  }

  close(): void {
    close(this.#socket4)
    close(this.#socket6)
  }
}
