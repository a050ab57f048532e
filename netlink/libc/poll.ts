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

/** What the library really calls back with; its types leave out the status. */
type PollCallback = (status: number) => void

/**
 * Calls `ready` whenever the descriptor is readable or in error, again and again as long as it stays so.
 * Close the watch before the descriptor. What `ready` throws becomes an uncaught exception.
 */
export function watchReadable(fd: number, ready: () => void): Watch {
  let open = true
  const onEvent: PollCallback = (status) => {
    if (!open) return
    try {
      ready()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
    // libuv takes any error of the descriptor for the end of it and stops; for netlink, ENOBUFS is none.
    if (open && status !== 0) handle.start({ readable: true }, onEvent as never)
  }
  const handle = koffi().node.poll(fd, { readable: true }, onEvent as never)
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

/** Resolves when the descriptor can be written to, or is in error. */
export function untilWritable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    const done: PollCallback = () => {
      handle.close()
      resolve()
    }
    const handle = koffi().node.poll(fd, { writable: true }, done as never)
  })
}
