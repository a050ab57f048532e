/**
 * Working memory of the ciphers: one for the whole program, since they never run side by side.
 *
 * @module
 */
import { type Arena, allocateArena } from '../../../../netlink/libc/arena.ts'

/** The nonce or initialization vector of the next operation. */
export const NONCE = 0
/** ESP's additional authenticated data where it is not what stands in the packet (extended sequence numbers). */
export const HEADER = 64
/** Where C functions write lengths that nobody reads. */
export const LENGTH = 128
/** The ICV that was computed, for comparison with the one that came. */
export const COMPUTED_ICV = 192
/** The ICV that came, while something else stands in its place. */
export const RECEIVED_ICV = 256
/** A key on its way into a context; zeroed at once. */
export const KEY = 512
/** Room for a whole packet and what an ICV adds to it. */
export const COPY = 4096
/** No packet is longer (RFC 791), but extended sequence numbers and UDP headers may come on top. */
export const COPY_SIZE = 65536 + 512

let arena: Arena | undefined

/** The working memory, with the places above. */
export function scratch(): Arena {
  arena ??= allocateArena(COPY + COPY_SIZE)
  return arena
}
