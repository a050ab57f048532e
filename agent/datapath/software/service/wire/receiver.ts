/**
 * One receiving socket on Node's event loop.
 *
 * @module
 */
import type { MessageVector } from '../../../../../netlink/libc/message-vector.ts'
import { type Watch, watchReadable } from '../../../../../netlink/libc/poll.ts'
import { close } from '../../../../../netlink/libc/socket.ts'
import { HEADROOM, type Packet } from '../../packet/packet.ts'
import type { HeaderMaker } from './headers.ts'

const ROUNDS_A_TURN = 4

/** Who gets the packets. */
export interface Arrivals {
  /** A packet from the network; `encapsulated` tells that its ESP stood in UDP. Good until {@link settle}. */
  arrived(packet: Packet, encapsulated: boolean): void
  /** The memory of the packets is going to be used again. */
  settle(): void
}

export class Receiver {
  readonly #fd: number
  readonly #watch: Watch

  constructor(
    fd: number,
    makeHeader: HeaderMaker,
    encapsulated: boolean,
    vector: MessageVector,
    arrivals: Arrivals,
  ) {
    this.#fd = fd
    const packet: Packet = { arena: vector.arena, at: 0, end: 0 }
    this.#watch = watchReadable(fd, () => {
      for (let round = 0; round < ROUNDS_A_TURN; round++) {
        const count = vector.receive(fd, HEADROOM)
        if (count <= 0) return
        for (let slot = 0; slot < count; slot++) {
          const length = vector.lengthOf(slot)
          if (length <= 0) continue
          const dataAt = vector.slotAt(slot) + HEADROOM
          packet.at = makeHeader(vector, slot, dataAt, length)
          packet.end = dataAt + length
          if (packet.at >= 0) arrivals.arrived(packet, encapsulated)
        }
        arrivals.settle()
        if (count < vector.slots) return
      }
    })
  }

  close(): void {
    this.#watch.close()
    close(this.#fd)
  }
}
