/**
 * What the readers of the two file formats have in common.
 *
 * @module
 */
import type { ByteSource } from './byte-source.ts'
import type { FrameSlot } from './frame.ts'

/** A packet was read. */
export const FRAME = 1
/** Something else was read. */
export const AGAIN = 0
/** There are not enough bytes for a step. */
export const MORE = -1
/** The file is damaged; see {@link RecordReader.damage}. Nothing can be read behind that. */
export const BROKEN = -2

/** Reads records one by one. Never asks for more bytes than the window has room for. */
export interface RecordReader {
  /**
   * One step. The frame's bytes lie in the source's window, and are good until the next step.
   *
   * @returns one of the codes
   */
  next(source: ByteSource, into: FrameSlot): number
  /** What {@link BROKEN} is about. */
  readonly damage: Damage | undefined
  /** True where the file may end: between two records. */
  readonly isBetween: boolean
  /** Packets that were left out since nothing is known of their link type, by its number. */
  readonly leftOut: ReadonlyMap<number, number>
}

/** Where a file is damaged, and in what way. */
export interface Damage {
  /** Place in the file. */
  readonly offset: number
  readonly reason: string
}

/** Times are from 1970 to 2262 (63 bits): what others may make of more, nobody knows. */
const LATEST = 2n ** 63n - 1n

export function withinTime(time: bigint): bigint {
  return time < 0n ? 0n : time > LATEST ? LATEST : time
}
