/**
 * The integrity algorithms of XFRM, by the kernel's names, from `@noble`.
 *
 * @module
 */
import { cbc, cmac, ecb } from '@noble/ciphers/aes.js'
import { hmac } from '@noble/hashes/hmac.js'
import { md5, ripemd160, sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'

const BLOCK = 16
const bare = { disablePadding: true } as const

/** RFC 3566 section 4, written as it stands there. */
function xcbc(key: Uint8Array, message: Uint8Array): Uint8Array {
  const derived = (n: number) => ecb(key, bare).encrypt(new Uint8Array(BLOCK).fill(n))
  const isWhole = message.length > 0 && message.length % BLOCK === 0
  const padded = new Uint8Array(isWhole ? message.length : (Math.floor(message.length / BLOCK) + 1) * BLOCK)
  padded.set(message)
  if (!isWhole) padded[message.length] = 0x80
  const mask = derived(isWhole ? 2 : 3)
  const lastAt = padded.length - BLOCK
  padded.set(
    padded.slice(lastAt).map((byte, i) => byte ^ (mask[i] ?? 0)),
    lastAt,
  )
  return cbc(derived(1), new Uint8Array(BLOCK), bare).encrypt(padded).slice(-BLOCK)
}

const codes = {
  'hmac(md5)': (key: Uint8Array, data: Uint8Array) => hmac(md5, key, data),
  'hmac(sha1)': (key: Uint8Array, data: Uint8Array) => hmac(sha1, key, data),
  'hmac(sha256)': (key: Uint8Array, data: Uint8Array) => hmac(sha256, key, data),
  'hmac(sha384)': (key: Uint8Array, data: Uint8Array) => hmac(sha384, key, data),
  'hmac(sha512)': (key: Uint8Array, data: Uint8Array) => hmac(sha512, key, data),
  'hmac(rmd160)': (key: Uint8Array, data: Uint8Array) => hmac(ripemd160, key, data),
  'cmac(aes)': (key: Uint8Array, data: Uint8Array) => cmac(data, key),
  'xcbc(aes)': xcbc,
} as const

export type MacName = keyof typeof codes

/** An integrity algorithm with its lengths in bytes. */
export interface MacShape {
  readonly name: MacName
  readonly keyLength: number
  readonly icvLength: number
}

/** RFC 2403, 2404, 2857, 4868, 3566, 4494, and the 96 bits of SHA-256 that old kernels had. */
export const macShapes: readonly MacShape[] = [
  { name: 'hmac(md5)', keyLength: 16, icvLength: 12 },
  { name: 'hmac(sha1)', keyLength: 20, icvLength: 12 },
  { name: 'hmac(sha256)', keyLength: 32, icvLength: 16 },
  { name: 'hmac(sha256)', keyLength: 32, icvLength: 12 },
  { name: 'hmac(sha384)', keyLength: 48, icvLength: 24 },
  { name: 'hmac(sha512)', keyLength: 64, icvLength: 32 },
  { name: 'hmac(rmd160)', keyLength: 20, icvLength: 12 },
  { name: 'cmac(aes)', keyLength: 16, icvLength: 12 },
  { name: 'xcbc(aes)', keyLength: 16, icvLength: 12 },
]

/** A keyed integrity algorithm. */
export interface MacSuite extends MacShape {
  readonly key: Uint8Array
}

/** The code over all the parts, cut to the length of the ICV. */
export function icvOf({ name, key, icvLength }: MacSuite, ...parts: readonly Uint8Array[]): Uint8Array {
  return codes[name](key, new Uint8Array(Buffer.concat(parts))).slice(0, icvLength)
}
