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

/** A colon, or numbers between dots: what `getaddrinfo(3)` might read in a way nobody meant (`10.1`, `010.0.0.1`). */
export function looksNumeric(name: string): boolean {
  return name.includes(':') || name.split('.').every((part) => /^(?:0[xX][0-9a-fA-F]+|[0-9]*)$/.test(part))
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const MOST_CHARACTERS = 253

/**
 * What a diagnostic says of a name that has no address now. Nothing where it can be no name of a host (RFC 1123 section 2.1;
 * many have underscores), or could be a key that was given by mistake: that does not get better by waiting.
 */
export function unresolved(name: string): { readonly unresolved?: string } {
  const labels = name.replace(/\.$/, '').split('.')
  const isHost = name.length <= MOST_CHARACTERS && labels.every((label) => LABEL.test(label))
  return isHost && !looksNumeric(name) && !/[0-9a-f]{16,}/i.test(name) ? { unresolved: name } : {}
}
