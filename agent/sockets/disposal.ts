/**
 * Closes descriptors that strangers sent. That may take as long as they like: a TCP socket lingers (`SO_LINGER`), a file
 * of a file system in user space waits for its program. So it is done beside the event loop, for each user one at a
 * time: who makes a close hang makes his own requests hang.
 *
 * @module
 */
import { close } from 'node:fs'

/** Node has four threads, and needs some for other things. */
const MOST_AT_ONCE = 2
/** Descriptors of one user that wait; whoever has more is not served. */
const MOST_WAITING = 16

export class Disposal {
  readonly #waiting = new Map<number, number[]>()
  readonly #busy = new Set<number>()

  /** True where so many descriptors of a user wait that no more should be taken. */
  isFull(uid: number): boolean {
    return (this.#waiting.get(uid)?.length ?? 0) >= MOST_WAITING
  }

  /** Closes descriptors of a user, now or later. */
  take(uid: number, descriptors: readonly number[]): void {
    if (descriptors.length === 0) return
    const queue = this.#waiting.get(uid)
    if (queue) queue.push(...descriptors)
    else this.#waiting.set(uid, [...descriptors])
    this.#work()
  }

  #work(): void {
    for (const [uid, queue] of this.#waiting) {
      if (this.#busy.size >= MOST_AT_ONCE) return
      if (this.#busy.has(uid)) continue
      const descriptor = queue.shift()
      if (queue.length === 0) this.#waiting.delete(uid)
      if (descriptor === undefined) continue
      this.#busy.add(uid)
      // Whatever close(2) says, the descriptor is gone.
      close(descriptor, () => {
        this.#busy.delete(uid)
        this.#work()
      })
    }
  }
}
