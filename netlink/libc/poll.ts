/**
 * A descriptor on Node's event loop.
 *
 * @module
 */
import { koffi } from './ffi.ts'

/** A watch that keeps the event loop alive until it is closed (or `unref`ed). */
export interface Watch {
  ref(): void
  unref(): void
  close(): void
}

/**
 * Calls `ready` whenever the descriptor is readable (or in error), again and again as long as it stays so.
 * Close the watch before the descriptor. What `ready` throws becomes an uncaught exception.
 */
export function watchReadable(fd: number, ready: () => void): Watch {
  let open = true
  const handle = koffi().node.poll(fd, { readable: true, disconnect: true }, () => {
    if (!open) return
    try {
      ready()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  })
  return {
    ref: () => handle.ref(),
    unref: () => handle.unref(),
    close: () => {
      if (!open) return
      open = false
      handle.close()
    },
  }
}
