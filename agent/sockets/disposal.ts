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

interface Task {
  readonly descriptor: number
  done(): void
}

export class Disposal {
  readonly #waiting = new Map<number, Task[]>()
  readonly #busy = new Set<number>()

  /** Closes descriptors of a user, now or later. Resolves when they are gone. */
  async take(uid: number, descriptors: readonly number[]): Promise<void> {
    const ends = descriptors.map(
      (descriptor) =>
        new Promise<void>((done) => {
          const queue = this.#waiting.get(uid)
          if (queue) queue.push({ descriptor, done })
          else this.#waiting.set(uid, [{ descriptor, done }])
        }),
    )
    this.#work()
    await Promise.all(ends)
  }

  #work(): void {
    for (const [uid, queue] of this.#waiting) {
      if (this.#busy.size >= MOST_AT_ONCE) return
      if (this.#busy.has(uid)) continue
      const task = queue.shift()
      if (queue.length === 0) this.#waiting.delete(uid)
      if (!task) continue
      this.#busy.add(uid)
      // Whatever close(2) says, the descriptor is gone.
      close(task.descriptor, () => {
        this.#busy.delete(uid)
        task.done()
        this.#work()
      })
    }
  }
}
