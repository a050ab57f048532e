/**
 * Addresses that a test writes down.
 *
 * @module
 */
import { type Address, parseAddress } from '../../agent/model/address.ts'

/** Reads a numeric address; anything else is a mistake of the test. */
export function address(text: string): Address {
  const found = parseAddress(text)
  if (!found) throw new TypeError(`'${text}' is no address`)
  return found
}
