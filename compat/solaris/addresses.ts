/**
 * What both languages do with the addresses that a name service or a file gives them.
 *
 * @module
 */
import type { Address } from '../../agent/model/address.ts'

/** The IPv4 address inside a v4-mapped one (RFC 4291 section 2.5.5.2); any other address as it is. */
export function unmapped(address: Address): Address {
  const { bytes } = address
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return address
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return address
  return { family: 'inet', bytes: bytes.slice(12) }
}

/** The addresses of a name: v4-mapped ones as IPv4, each once. */
export function addressesOfName(found: readonly Address[]): readonly Address[] {
  const addresses = found.map(unmapped)
  if (addresses.length < 2) return addresses
  return [...new Map(addresses.map((address) => [address.bytes.join('.'), address])).values()]
}
