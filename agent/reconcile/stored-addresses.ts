/**
 * Addresses and prefixes of a JSON file, as `formatAddress` and `formatPrefix` have written them.
 *
 * @module
 */
import { type Address, type Prefix, parseAddress } from '../model/address.ts'

/** @throws Error where it is none */
export function decodeAddress(text: string): Address {
  const address = parseAddress(text)
  if (!address) throw new Error(`policy state: '${text}' is not an address`)
  return address
}

/** @throws Error where it is none */
export function decodePrefix(text: string): Prefix {
  const slash = text.indexOf('/')
  const address = parseAddress(text.slice(0, slash))
  if (!address) throw new Error(`policy state: '${text}' is not a prefix`)
  return { family: address.family, bytes: address.bytes, length: Number(text.slice(slash + 1)) }
}
