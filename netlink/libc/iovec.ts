/**
 * `struct iovec` of 64-bit platforms in an {@link Arena}.
 *
 * @module
 */
import type { Arena } from './arena.ts'

export const IOVEC_SIZE = 16

/** Writes one at `at`, for the bytes of `of` from `place` on. */
export function writeIovec({ view }: Arena, at: number, of: Arena, place: number, length: number): void {
  const address = of.address + place
  view.setUint32(at, address % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(address / 2 ** 32), true)
  view.setUint32(at + 8, length, true)
}
