/**
 * AES-CCM (RFC 3610) made of plain AES, since `@noble/ciphers` has none.
 *
 * @module
 */
import { cbc, ctr, ecb } from '@noble/ciphers/aes.js'
import { equalBytes } from '@noble/ciphers/utils.js'

const BLOCK = 16
const bare = { disablePadding: true } as const

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function toWholeBlocks(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / BLOCK) * BLOCK)
  padded.set(bytes)
  return padded
}

/**
 * The authentication field T before it is encrypted (section 2.2). Only for additional data below 65280 bytes, and clear
 * text below 65536, which is enough here.
 */
function authentication(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, clear: Uint8Array, tag: number) {
  const lengthBytes = BLOCK - 1 - nonce.length
  const first = new Uint8Array(BLOCK)
  first[0] = (aad.length > 0 ? 64 : 0) + 8 * ((tag - 2) / 2) + (lengthBytes - 1)
  first.set(nonce, 1)
  new DataView(first.buffer).setUint16(BLOCK - 2, clear.length)
  const aadLength = Uint8Array.of(aad.length >> 8, aad.length & 255)
  const covered = aad.length > 0 ? toWholeBlocks(join(aadLength, aad)) : aad
  const blocks = join(first, covered, toWholeBlocks(clear))
  return cbc(key, new Uint8Array(BLOCK), bare).encrypt(blocks).slice(-BLOCK).slice(0, tag)
}

/** The counter block A₁, and what A₀ encrypts to (section 2.3). */
function counters(key: Uint8Array, nonce: Uint8Array): { first: Uint8Array; forTag: Uint8Array } {
  const block = new Uint8Array(BLOCK)
  block[0] = BLOCK - 2 - nonce.length
  block.set(nonce, 1)
  const forTag = ecb(key, bare).encrypt(block)
  block[BLOCK - 1] = 1
  return { first: block, forTag }
}

const xor = (a: Uint8Array, b: Uint8Array) => a.map((byte, i) => byte ^ (b[i] ?? 0))

/** Ciphertext with the tag behind it. */
export function ccmEncrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  clear: Uint8Array,
  tag: number,
): Uint8Array {
  const { first, forTag } = counters(key, nonce)
  return join(ctr(key, first).encrypt(clear), xor(authentication(key, nonce, aad, clear, tag), forTag))
}

/** @returns the clear text; `undefined` where the tag is wrong */
export function ccmDecrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
  tag: number,
): Uint8Array | undefined {
  const { first } = counters(key, nonce)
  const clear = ctr(key, first).decrypt(sealed.slice(0, sealed.length - tag))
  return equalBytes(ccmEncrypt(key, nonce, aad, clear, tag), sealed) ? clear : undefined
}
