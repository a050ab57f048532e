/**
 * The bytes that codecs read and write.
 *
 * @module
 */
import { endianness } from 'node:os'

/** Netlink speaks the byte order of the host; this is the one place that asks for it. */
export const littleEndian = endianness() === 'LE'

/** One stretch of bytes, with the view that reads integers from it. Both cover the same range. */
export interface Memory {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Wraps bytes without copying them. */
export function memoryOf(bytes: Uint8Array): Memory {
  const { buffer, byteOffset, byteLength } = bytes
  // A Buffer's `slice` does not copy, and what decoders take out of here must stay when the memory is wiped.
  const plain = bytes instanceof Buffer ? new Uint8Array(buffer, byteOffset, byteLength) : bytes
  return { bytes: plain, view: new DataView(buffer, byteOffset, byteLength) }
}

/** Netlink pads messages, bodies and attributes to 4 bytes. */
export function align4(length: number): number {
  return (length + 3) & ~3
}

/** Zeroes a range, which is short as a rule: a loop beats `fill` below some 50 bytes. */
export function clear(bytes: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) bytes[i] = 0
}
