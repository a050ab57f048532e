/**
 * Key values: `[0x]HEX[/BITS]` to bytes, and the checks that a key must pass for its algorithm. Nothing in here
 * puts a digit of a key into a message.
 *
 * @module
 */
import type { Algorithm, KeySizes } from '../../../agent/model/algorithm.ts'
import { allKeyBits } from '../../../agent/model/key-sizes.ts'
import { Secret } from '../../../agent/model/secret.ts'
import { isWeakDesKey, setOddParity } from './des.ts'
import { parseNumber } from './numbers.ts'

/** PF_KEY numbers of the ciphers whose keys have parity bits. */
const ENCR_DES = 2
const ENCR_3DES = 3

/** A key as written, before its algorithm is known. */
export interface RawKey {
  readonly bytes: Uint8Array
  readonly bits: number
  /** True where `/BITS` cut digits off. */
  readonly truncated: boolean
}

/** Why a key value cannot be used. */
export interface KeyProblem {
  readonly reason: string
  readonly hint?: string
}

/** Reads `[0x]HEX[/BITS]`: the first digit is the most significant; bits beyond the length are cleared. */
export function parseKey(text: string): RawKey | KeyProblem {
  const slash = text.indexOf('/')
  const hex = (slash < 0 ? text : text.slice(0, slash)).replace(/^0x/i, '')
  if (!/^[0-9a-f]+$/i.test(hex)) return { reason: 'the value is not a hex string' }
  const available = hex.length * 4
  const bits = slash < 0 ? available : parseNumber(text.slice(slash + 1))
  if (bits === undefined || bits === 0) return { reason: 'what stands after the "/" is not a bit specifier' }
  if (bits > available) return { reason: `bit length ${bits} is too big for ${hex.length} hex digits` }
  if (slash < 0 && hex.length % 2 === 1) {
    return {
      reason: `an odd number of hex digits (${hex.length})`,
      hint: `A digit may be missing. If the key really ends in half a byte, write its length: HEX/${available}.`,
    }
  }
  return { bytes: decode(hex, bits), bits, truncated: bits <= available - 4 }
}

/** Decodes by hand: a `Buffer` would leave a copy of the key in Node's shared pool. */
function decode(hex: string, bits: number): Uint8Array {
  // Not in the garbage collector's own heap, where small arrays move and leave traces.
  const bytes = new Uint8Array(new ArrayBuffer(Math.ceil(bits / 8)))
  for (let i = 0; i < 2 * bytes.length && i < hex.length; i++) {
    const digit = nibble(hex.charCodeAt(i))
    bytes[i >> 1] = (bytes[i >> 1] ?? 0) | (i % 2 === 0 ? digit << 4 : digit)
  }
  const spare = bytes.length * 8 - bits
  const last = bytes.length - 1
  bytes[last] = (bytes[last] ?? 0) & (0xff << spare)
  return bytes
}

function nibble(code: number): number {
  return code < 58 ? code - 48 : (code & 0x0f) + 9
}

/** The key sizes in words: `128, 192 or 256 bits`. */
export function describeKeySizes(sizes: KeySizes): string {
  const all = allKeyBits(sizes)
  const last = all.at(-1) ?? 0
  if (sizes.kind === 'range' && all.length > 4) return `${all[0]} to ${last} bits in steps of ${sizes.step}`
  return all.length < 2 ? `${last} bits` : `${all.slice(0, -1).join(', ')} or ${last} bits`
}

/** Salt at the end of a cipher's key (RFC 4106 section 8.1, RFC 4309 section 7.1), in bits. */
export function saltBitsOf(algorithm: Algorithm): number {
  return (algorithm.parameters?.salt ?? 0) * 8
}

/** What a key for this algorithm looks like, as a noun phrase. */
export function expectedKey(algorithm: Algorithm): string {
  const salt = saltBitsOf(algorithm)
  const sizes = describeKeySizes(algorithm.keySizes)
  return salt === 0 ? `a key of ${sizes}` : `a key of ${sizes} followed by its ${salt} bits of salt`
}

/** Sets the parity of a DES or 3DES key right. Changes `bytes` in place. */
export function correctParity(algorithm: number, bytes: Uint8Array): void {
  if (algorithm === ENCR_DES || algorithm === ENCR_3DES) setOddParity(bytes)
}

/** True for keys that the cipher is broken under. Parity must be right. */
export function isWeakKey(algorithm: number, bytes: Uint8Array): boolean {
  return (algorithm === ENCR_DES || algorithm === ENCR_3DES) && isWeakDesKey(bytes)
}

/** The key as a secret. The raw key must not be used afterwards. */
export function secretOf(raw: RawKey): Secret {
  return new Secret(raw.bytes, raw.bits)
}
