/**
 * Sends protected packets, many at a time: each is put together in a place of this queue, and all go at
 * {@link Sender.flush}.
 *
 * @module
 */
import type { Arena } from '../../../../../netlink/libc/arena.ts'
import { MessageVector } from '../../../../../netlink/libc/message-vector.ts'
import { HEADROOM } from '../../../../packet/packet.ts'
import { RawBurst } from './raw-burst.ts'
import { SLOT_SIZE } from './slot.ts'
import { type SocketOf, UdpBurst } from './udp-burst.ts'

const PLACES = 64
/** As many long pieces as wait in the device beside one connection that sends as fast as it can. */
const SPARE = 32

export class Sender {
  /** More than are sent at once: the others are to read into. */
  readonly #vector = new MessageVector(PLACES + SPARE, SLOT_SIZE)
  readonly #raw = new RawBurst(this.#vector)
  readonly #udp: UdpBurst
  #used = 0

  /** Opens its sockets in the calling thread's network namespace. @param socketOf that others receive at */
  constructor(socketOf: SocketOf) {
    this.#udp = new UdpBurst(this.#vector.arena, socketOf, (at, end) => this.#raw.add(at, end))
  }

  get arena(): Arena {
    return this.#vector.arena
  }

  /** Where the next packet may be put together, with `HEADROOM` in front of it. It changes with each {@link commit}. */
  get place(): number {
    return this.#vector.slotAt(this.#used) + HEADROOM
  }

  /** Places that are never sent from. */
  get spare(): readonly number[] {
    return Array.from({ length: SPARE }, (_, slot) => this.#vector.slotAt(PLACES + slot) + HEADROOM)
  }

  /** Takes what was put together at {@link place}, and now stands from `at` to `end`, to where its IP header says. */
  commit(at: number, end: number): void {
    if (!this.#udp.add(at, end)) this.#raw.add(at, end)
    this.#used++
    if (this.#used === PLACES) this.flush()
  }

  /** Sends what waits. */
  flush(): void {
    // What cannot go through a UDP socket goes the other way.
    this.#udp.flush()
    this.#raw.flush()
    this.#used = 0
  }

  /** How many packets could not be sent since this was last asked. */
  takeLost(): number {
    return this.#udp.takeLost() + this.#raw.takeLost()
  }

  close(): void {
    this.#raw.close()
  }
}
