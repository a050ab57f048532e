/**
 * The options of IPv6 hop-by-hop and destination options headers (RFC 8200 section 4.2).
 *
 * @module
 */

const PAD1 = 0
/** RFC 6275 section 6.3; its data is one address. */
const HOME_ADDRESS = 201
const ADDRESS_LENGTH = 16

/**
 * Where the option at `at` ends, in a list that ends at `end`; -1 where it is cut off. Its type is the byte at `at`,
 * its data begins two bytes later, but for Pad1, which is the type alone.
 */
export function optionEnd(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === PAD1) return at + 1
  if (at + 2 > end) return -1
  const next = at + 2 + (bytes[at + 1] ?? 0)
  return next > end ? -1 : next
}

/** Where the data of the home address option is in a list of options; -1 where there is none. */
export function homeAddressAt(bytes: Uint8Array, at: number, end: number): number {
  for (let option = at; option < end; ) {
    const next = optionEnd(bytes, option, end)
    if (next < 0) return -1
    if (bytes[option] === HOME_ADDRESS && next - option === 2 + ADDRESS_LENGTH) return option + 2
    option = next
  }
  return -1
}

export function hasHomeAddress(bytes: Uint8Array, at: number, end: number): boolean {
  return homeAddressAt(bytes, at, end) >= 0
}
