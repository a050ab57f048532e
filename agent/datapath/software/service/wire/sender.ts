/**
 * Sends whole packets, many in one call: each is put together in a place of this queue, and all go at {@link flush}.
 *
 * @module
 */
import type { Arena } from '../../../../../netlink/libc/arena.ts'
import { errnoNumber } from '../../../../../netlink/libc/errno.ts'
import { MessageVector } from '../../../../../netlink/libc/message-vector.ts'
import { AF_INET, AF_INET6, close } from '../../../../../netlink/libc/socket.ts'
import { HEADROOM } from '../../packet/packet.ts'
import { SLOT_SIZE } from './slot.ts'
import { sendingSocket } from './sockets.ts'

const PLACES = 64
const SOCKADDR_IN = 16
const SOCKADDR_IN6 = 28
const EAGAIN = errnoNumber('EAGAIN') ?? 11

export class Sender {
  /** One more than is sent at once, to read into. */
  readonly #vector = new MessageVector(PLACES + 1, SLOT_SIZE)
  readonly #socket4: number
  readonly #socket6: number
  /** Of what waits: all of one family. */
  #count = 0
  #isV4 = true
  #lost = 0

  /** Opens its sockets in the calling thread's network namespace. */
  constructor() {
    this.#socket4 = sendingSocket(AF_INET)
    this.#socket6 = sendingSocket(AF_INET6)
  }

  get arena(): Arena {
    return this.#vector.arena
  }

  /** Where the next packet may be put together, with `HEADROOM` in front of it. It changes with each {@link commit}. */
  get place(): number {
    return this.#vector.slotAt(this.#count) + HEADROOM
  }

  /** A place that is never sent from. */
  get spare(): number {
    return this.#vector.slotAt(PLACES) + HEADROOM
  }

  /** Takes what was put together at {@link place}, and now stands from `at` to `end`, to where its IP header says. */
  commit(at: number, end: number): void {
    const { bytes, view } = this.arena
    const isV4 = (bytes[at] ?? 0) >> 4 === 4
    if (isV4 !== this.#isV4 && this.#count > 0) this.#sendAndKeep(at, end)
    else {
      this.#isV4 = isV4
      const name = this.#vector.nameAt(this.#count)
      view.setUint16(name, isV4 ? AF_INET : AF_INET6, true)
      if (isV4) bytes.copyWithin(name + 4, at + 16, at + 20)
      else bytes.copyWithin(name + 8, at + 24, at + 40)
      this.#vector.prepare(this.#count, at, end - at, isV4 ? SOCKADDR_IN : SOCKADDR_IN6)
      this.#count++
      if (this.#count === PLACES) this.flush()
    }
  }

  /** Of another family than what waits: that goes first, and the packet moves to the first place. */
  #sendAndKeep(at: number, end: number): void {
    this.flush()
    const to = this.place
    this.arena.bytes.copyWithin(to, at, end)
    this.commit(to, to + end - at)
  }

  /** Sends what waits. */
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
