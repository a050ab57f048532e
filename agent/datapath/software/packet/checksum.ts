/**
 * The Internet checksum (RFC 1071).
 *
 * @module
 */

/** Sum of 16-bit words from `at` to `end`, an odd last byte as the upper half of one, added to `sum`. Not yet folded. */
export function sumWords(bytes: Uint8Array, at: number, end: number, sum: number): number {
  let total = sum
  const whole = at + ((end - at) & ~1)
  for (let i = at; i < whole; i += 2) total += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  return whole < end ? total + ((bytes[whole] ?? 0) << 8) : total
}

/** A sum folded to 16 bits. */
export function fold(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000)
  return folded
}

/** The checksum of a range, on top of a sum that was made before; 0 where the range holds its own right checksum. */
export function checksum(bytes: Uint8Array, at: number, end: number, sum: number): number {
  return ~fold(sumWords(bytes, at, end, sum)) & 0xffff
}

/**
 * Sum of the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293 section 3.1, RFC 8200 section 8.1).
 *
 * @param addressesAt where the source stands, with the destination right behind it
 * @param addressLength of both together: 8 or 32
 * @param length of the upper-layer packet
 */
export function pseudoHeaderSum(
  bytes: Uint8Array,
  addressesAt: number,
  addressLength: number,
  protocol: number,
  length: number,
): number {
  return sumWords(bytes, addressesAt, addressesAt + addressLength, protocol + length)
}
