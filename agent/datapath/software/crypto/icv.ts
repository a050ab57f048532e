/**
 * Comparison of integrity check values.
 *
 * @module
 */

/** True where both stretches are the same. Takes as long for a difference at the front as for one at the end. */
export function sameIcv(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  let difference = 0
  for (let i = 0; i < length; i++) difference |= (a[aAt + i] ?? 0) ^ (b[bAt + i] ?? 0)
  return difference === 0
}
