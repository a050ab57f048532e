/**
 * The two codes that are made of AES in CBC mode: AES-CMAC (RFC 4493) and AES-XCBC-MAC (RFC 3566). OpenSSL has the
 * first itself; `node:crypto` has neither.
 *
 * @module
 */
import { type Arena, allocateArena } from '../../../../netlink/libc/arena.ts'
import type { Cipher, Mac } from './backend.ts'
import { COPY, COPY_SIZE, NONCE, scratch } from './scratch.ts'

const BLOCK = 16

/** AES-CMAC over an AES-CBC encryption with the key. */
export function cmacOver(cbc: Cipher | undefined): Mac | undefined {
  if (!cbc) return undefined
  const ofZeros = encryptBlock(cbc, new Uint8Array(BLOCK))
  const whole = doubled(ofZeros)
  const padded = doubled(whole)
  return lastBlockOf(cbc, whole, padded, () => {
    whole.fill(0)
    padded.fill(0)
  })
}

/**
 * AES-XCBC-MAC: three keys are derived from the one given (RFC 3566 section 4).
 *
 * @param encryptWith makes an AES-128-CBC encryption with a key
 */
export function xcbc(encryptWith: (key: Uint8Array) => Cipher | undefined, key: Uint8Array): Mac | undefined {
  const deriving = encryptWith(key)
  if (!deriving) return undefined
  const [first, whole, padded] = [1, 2, 3].map((byte) =>
    encryptBlock(deriving, new Uint8Array(BLOCK).fill(byte)),
  ) as [Uint8Array, Uint8Array, Uint8Array]
  deriving.destroy()
  const cbc = encryptWith(first)
  first.fill(0)
  if (!cbc) return undefined
  return lastBlockOf(cbc, whole, padded, () => {
    whole.fill(0)
    padded.fill(0)
  })
}

/**
 * CBC encryption from a zero vector; the code is the last block, before which a key is added to the data: one to a
 * whole block, another to one that had to be padded with a 1 bit and zeros.
 */
function lastBlockOf(cbc: Cipher, whole: Uint8Array, padded: Uint8Array, wipe: () => void): Mac {
  return {
    compute: (data, at, length, out, outAt) => {
      const work = workArea(data, at, length)
      const end = Math.max(BLOCK, Math.ceil(length / BLOCK) * BLOCK)
      const { bytes } = work
      const key = length === end ? whole : padded
      if (key === padded) {
        bytes[length] = 0x80
        bytes.fill(0, length + 1, end)
      }
      for (let i = 0; i < BLOCK; i++) bytes[end - BLOCK + i] = (bytes[end - BLOCK + i] ?? 0) ^ (key[i] ?? 0)
      scratch().bytes.fill(0, NONCE, NONCE + BLOCK)
      cbc.apply(work, 0, end)
      for (let i = 0; i < BLOCK; i++) out.bytes[outAt + i] = bytes[end - BLOCK + i] ?? 0
    },
    destroy: () => {
      cbc.destroy()
      wipe()
    },
  }
}

let own: Arena | undefined

/** A copy of the data. AH's data stands in the common working memory already, so this is another. */
function workArea(data: Arena, at: number, length: number): Arena {
  own ??= allocateArena(COPY_SIZE + BLOCK)
  own.bytes.set(data.bytes.subarray(at, at + length))
  return own
}

function encryptBlock(cbc: Cipher, block: Uint8Array): Uint8Array {
  const work = scratch()
  work.bytes.fill(0, NONCE, NONCE + BLOCK)
  work.bytes.set(block, COPY)
  cbc.apply(work, COPY, BLOCK)
  const result = work.bytes.slice(COPY, COPY + BLOCK)
  work.bytes.fill(0, COPY, COPY + BLOCK)
  return result
}

/** Multiplication by x in GF(2^128) (RFC 4493 section 2.3). */
function doubled(block: Uint8Array): Uint8Array {
  const result = block.map((byte, i) => ((byte << 1) | ((block[i + 1] ?? 0) >> 7)) & 0xff)
  if ((block[0] ?? 0) & 0x80) result[BLOCK - 1] = (result[BLOCK - 1] ?? 0) ^ 0x87
  return result
}
