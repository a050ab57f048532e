/**
 * Hosts, networks and ports of filter expressions: literal, or by a name that is looked up once.
 *
 * @module
 */
import { type Address, addressBits, type Prefix, parseAddress } from '../../../../agent/model/address.ts'

/** Looks names up; a `Resolver` is one. */
export interface FilterNames {
  /** Every address of a host; empty where there is none of that name. */
  addresses(name: string): readonly Address[]
  /** An IPv4 network; `undefined` where there is none of that name. */
  network?(name: string): Address | undefined
  /** The port of a service; `undefined` where there is none of that name. */
  service?(name: string): number | undefined
  /** The 6 octets of a host's Ethernet address (ethers(5)); `undefined` where it is not known. */
  ether?(name: string): Uint8Array | undefined
}

/** Knows nothing: literal values only. */
export const NO_NAMES: FilterNames = { addresses: () => [] }

/** `8:0:20:f:b1:51`: six hexadecimal numbers, the first of them with any number of leading zeros. */
export function parseEther(text: string): Uint8Array | undefined {
  const parts = text.split(':')
  if (parts.length !== 6) return undefined
  const bytes = new Uint8Array(6)
  for (const [i, part] of parts.entries()) {
    if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined
    const value = Number.parseInt(part, 16)
    if (value > 0xff) return undefined
    bytes[i] = value
  }
  return bytes
}

/**
 * A network by its number, as Solaris has it: `172.16`, `172.16.0.0`; zeros at the end are not part of it. With
 * `length`, an address of either family and the length of its prefix.
 */
export function parseNetwork(text: string, length?: number): Prefix | undefined {
  const address = parseAddress(text)
  if (length !== undefined) {
    if (address === undefined || length > addressBits(address.family)) return undefined
    return { ...address, length }
  }
  if (address?.family === 'inet6') return { ...address, length: 128 }
  if (!/^[0-9]{1,3}(\.[0-9]{1,3}){0,3}$/.test(text)) return undefined
  const bytes = new Uint8Array(4)
  for (const [i, part] of text.split('.').entries()) {
    if (Number(part) > 255) return undefined
    bytes[i] = Number(part)
  }
  return networkOf({ family: 'inet', bytes }, text.split('.').length)
}

/** The octets of a network number up to the last that is not zero; `parts` are the ones that were given. */
export function networkOf(address: Address, parts = 4): Prefix {
  let octets = Math.min(parts, address.bytes.length)
  while (octets > 0 && address.bytes[octets - 1] === 0) octets--
  return { ...address, length: octets * 8 }
}
