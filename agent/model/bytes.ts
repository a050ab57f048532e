/**
 * Bytes of addresses, compared and hashed. This runs over every policy of tens of thousands.
 *
 * @module
 */

/** True for byte strings of one length that are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** The four bytes from `at` on, in network order, as a signed number. */
export function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16)
  return high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
}

/** A hash with one more 32-bit value in it. For tables in memory: no protection against collisions made on purpose. */
export function mix(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, 0x85ebca6b)
  return product ^ (product >>> 15)
}
