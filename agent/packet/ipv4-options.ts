/**
 * The options of IPv4 (RFC 791 section 3.1).
 *
 * @module
 */

export const END_OF_OPTIONS = 0
const NO_OPERATION = 1
export const LOOSE_SOURCE_ROUTE = 131
export const STRICT_SOURCE_ROUTE = 137

/** Options with this bit stand in every fragment, the others in the first only. */
export const COPIED = 0x80

/**
 * Where the option at `at` ends, in a list that ends at `end`; -1 where its length is impossible. The list is over at
 * `END_OF_OPTIONS`, and what follows that is padding.
 */
export function optionEnd(bytes: Uint8Array, at: number, end: number): number {
  const type = bytes[at]
  if (type === END_OF_OPTIONS || type === NO_OPERATION) return at + 1
  if (at + 2 > end) return -1
  const length = bytes[at + 1] ?? 0
  return length < 2 || at + length > end ? -1 : at + length
}
