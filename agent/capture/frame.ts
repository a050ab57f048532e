/**
 * What a capture consists of: the contract between those who make frames (readers of files, live capture, the removal of
 * AH and ESP) and those who look at them (filter, printer, writer).
 *
 * @module
 */

/** What a frame begins with. `cooked` and `cooked2` are Linux's SLL and SLL2, `null` a 4-byte address family. */
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
   * Where the IP header begins in `bytes`; -1 where the frame holds no IP packet (ARP, ...). VLAN tags are stepped over.
   */
  readonly ipAt: number
  /** End of captured bytes. */
  readonly end: number
  /** Length on the wire, octets (more than captured if cut by a snap length). */
  readonly wireLength: number
  /** Set on a packet that was uncovered from AH/ESP: what covered it, outermost first. */
  readonly covers: readonly Cover[]
}

/** Why a cover is on or off. */
export type Verdict = 'opened' | 'no key' | 'wrong ICV' | 'malformed' | 'unsupported'

/** One AH or ESP that was taken off (or could not be). */
export interface Cover {
  readonly protocol: 'ah' | 'esp'
  readonly spi: number
  readonly sequence: number
  /** 'opened' where the ICV was right and the packet was decrypted; otherwise why not. */
  readonly verdict: Verdict
  readonly mode?: 'transport' | 'tunnel'
  /** Names of the SA's algorithms as Solaris prints them, where the key is known. */
  readonly encryption?: string
  readonly authentication?: string
}

/** A frame that its maker fills anew for each packet. */
export type FrameSlot = { -readonly [Field in keyof Frame]: Frame[Field] }

const NO_COVERS: readonly Cover[] = []

export function newFrame(): FrameSlot {
  return {
    number: 0,
    time: 0n,
    link: 'raw',
    bytes: new Uint8Array(0),
    ipAt: -1,
    end: 0,
    wireLength: 0,
    covers: NO_COVERS,
  }
}
