/**
 * Addresses between the bytes that the rest of the world uses (4 or 16) and `xfrm_address_t` (always 16).
 *
 * @module
 */
import { family } from './constants.ts'

/**
 * An address as XFRM takes it.
 *
 * @param bytes 4 bytes of IPv4 or 16 of IPv6, in network order; not kept
 * @throws RangeError for any other length
 */
export function toXfrmAddress(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`)
  }
  const address = new Uint8Array(16)
  // A loop: `set` costs more than so few bytes are worth.
  for (let i = 0; i < bytes.length; i++) address[i] = bytes[i] ?? 0
  return address
}

/**
 * The bytes of an address that XFRM gave: a copy of 4 for `AF_INET`, of 16 for `AF_INET6`.
 *
 * @throws RangeError for another family
 */
export function fromXfrmAddress(address: Uint8Array, of: number): Uint8Array {
  if (of === family.INET) return address.slice(0, 4)
  if (of === family.INET6) return address.slice(0, 16)
  throw new RangeError(`${of} is neither AF_INET nor AF_INET6`)
}

/** The address family of bytes: `AF_INET` for 4, `AF_INET6` for 16. */
export function familyOf(bytes: Uint8Array): number {
  return bytes.length === 4 ? family.INET : family.INET6
}
