/**
 * The bits of a packet's mark that are the data path's own.
 *
 * @module
 */

/** Mark bit of packets that are on their way to the data path. */
export const STEERED = 0x0040_0000
/**
 * Mark bit of the sockets that the data path itself sends with. The packets' own mark says nothing: other programs'
 * rules may set it anew, or use the same bit.
 */
export const OWN = 0x0080_0000
