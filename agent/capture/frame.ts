/**
 * One packet of a capture, as the readers of capture files hand it on, and what covered it.
 *
 * @module
 */

/** What the bytes of a frame begin with: Ethernet, Linux's cooked headers, BSD's loopback header, or IP itself. */
export type LinkLayer = 'ethernet' | 'cooked' | 'cooked2' | 'null' | 'raw'

/** One packet of a capture. `bytes` are valid only until the next one is read. */
export interface Frame {
  /** Running number in the capture, from 1. */
  readonly number: number
  /** Time of capture in nanoseconds since 1970. */
  readonly time: bigint
  /** What `bytes` begin with. */
  readonly link: LinkLayer
  readonly bytes: Uint8Array
  /**
   * Where the IP header begins in `bytes`; -1 where the frame holds no IP packet (ARP, ...). VLAN tags are stepped
   * over.
   */
  readonly ipAt: number
  /** End of captured bytes. */
  readonly end: number
  /** Length on the wire, octets (more than captured if cut by a snap length). */
  readonly wireLength: number
  /** Set on a packet that was uncovered from AH/ESP: what covered it, outermost first. */
  readonly covers: readonly Cover[]
}

/** One AH or ESP that was taken off (or could not be). */
export interface Cover {
  readonly protocol: 'ah' | 'esp'
  readonly spi: number
  readonly sequence: number
  /** 'opened' where the ICV was right and the packet was decrypted; otherwise why not. */
  readonly verdict: 'opened' | 'no key' | 'wrong ICV' | 'malformed' | 'unsupported'
  readonly mode?: 'transport' | 'tunnel'
  readonly encryption?: string
  readonly authentication?: string
}
