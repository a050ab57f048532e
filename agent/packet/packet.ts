/**
 * One packet on its way, in memory with room around it for the headers to come.
 *
 * @module
 */
import type { Arena } from '../../netlink/libc/arena.ts'

/** Ends move as headers come and go. The arena is the whole; others may lie beside it. */
export interface Packet {
  readonly arena: Arena
  at: number
  end: number
}

/**
 * Room that is kept in front of a packet that is to be protected: for an ESP and an AH header with the longest IV and
 * ICV, a UDP header and an outer IPv6 header, twice.
 */
export const HEADROOM = 320
/** Room behind it: padding and ICV, twice. */
export const TAILROOM = 704
