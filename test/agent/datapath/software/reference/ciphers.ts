/**
 * The ciphers of ESP, by the kernel's names, from `@noble/ciphers`: each seals and opens the part of a packet that is
 * encrypted. Block ciphers that it lacks come from `node:crypto`.
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { cbc, ctr, gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { equalBytes } from '@noble/ciphers/utils.js'
import { ccmDecrypt, ccmEncrypt } from './ccm.ts'

/** Key, salt and IV of one operation. */
export interface Keyed {
  readonly key: Uint8Array
  readonly salt: Uint8Array
  readonly iv: Uint8Array
}

export interface PlainCipher {
  readonly ivLength: number
  readonly blockSize: number
  readonly saltLength: number
  encrypt(keyed: Keyed, clear: Uint8Array): Uint8Array
  decrypt(keyed: Keyed, sealed: Uint8Array): Uint8Array
}

export interface CombinedCipher {
  readonly saltLength: number
  /** Ciphertext with the ICV behind it. `header` is what stands before the IV: SPI and whole sequence number. */
  seal(keyed: Keyed, header: Uint8Array, clear: Uint8Array, icv: number): Uint8Array
  /** @returns `undefined` where the ICV is wrong */
  open(keyed: Keyed, header: Uint8Array, sealed: Uint8Array, icv: number): Uint8Array | undefined
}

const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

function ofNode(blockSize: number, nameOf: (key: Uint8Array) => string, keyOf = (key: Uint8Array) => key) {
  return {
    ivLength: blockSize,
    blockSize,
    saltLength: 0,
    encrypt: ({ key, iv }, clear) =>
      new Uint8Array(createCipheriv(nameOf(key), keyOf(key), iv).setAutoPadding(false).update(clear)),
    decrypt: ({ key, iv }, sealed) =>
      new Uint8Array(createDecipheriv(nameOf(key), keyOf(key), iv).setAutoPadding(false).update(sealed)),
  } satisfies PlainCipher
}

/** RFC 3686 section 4: nonce, IV and a counter from 1 on. */
const counterBlock = ({ salt, iv }: Keyed) => join(salt, iv, Uint8Array.of(0, 0, 0, 1))

const plain = {
  'ecb(cipher_null)': {
    ivLength: 0,
    blockSize: 1,
    saltLength: 0,
    encrypt: (_, clear) => clear,
    decrypt: (_, sealed) => sealed,
  },
  'cbc(aes)': {
    ivLength: 16,
    blockSize: 16,
    saltLength: 0,
    encrypt: ({ key, iv }, clear) => cbc(key, iv, { disablePadding: true }).encrypt(clear),
    decrypt: ({ key, iv }, sealed) => cbc(key, iv, { disablePadding: true }).decrypt(sealed),
  },
  'rfc3686(ctr(aes))': {
    ivLength: 8,
    blockSize: 1,
    saltLength: 4,
    encrypt: (keyed, clear) => ctr(keyed.key, counterBlock(keyed)).encrypt(clear),
    decrypt: (keyed, sealed) => ctr(keyed.key, counterBlock(keyed)).decrypt(sealed),
  },
  'cbc(des)': ofNode(
    8,
    () => 'des-ede3-cbc',
    (key) => join(key, key, key),
  ),
  'cbc(des3_ede)': ofNode(8, () => 'des-ede3-cbc'),
  'cbc(camellia)': ofNode(16, (key) => `camellia-${key.length * 8}-cbc`),
} satisfies Record<string, PlainCipher>

const nonceOf = ({ salt, iv }: Keyed) => join(salt, iv)

const combined = {
  // RFC 4106; the ICV is the tag's beginning.
  'rfc4106(gcm(aes))': {
    saltLength: 4,
    seal: (keyed, header, clear, icv) =>
      gcm(keyed.key, nonceOf(keyed), header)
        .encrypt(clear)
        .slice(0, clear.length + icv),
    open: (keyed, header, sealed, icv) => {
      // A cut tag cannot be given to GCM: its counter mode, which begins with 2, and the whole of it once more.
      const counter = join(nonceOf(keyed), Uint8Array.of(0, 0, 0, 2))
      const clear = ctr(keyed.key, counter).decrypt(sealed.slice(0, sealed.length - icv))
      const again = gcm(keyed.key, nonceOf(keyed), header).encrypt(clear)
      return equalBytes(again.slice(0, sealed.length), sealed) ? clear : undefined
    },
  },
  // RFC 4543: all is additional data, the IV too.
  'rfc4543(gcm(aes))': {
    saltLength: 4,
    seal: (keyed, header, clear) =>
      join(clear, gcm(keyed.key, nonceOf(keyed), join(header, keyed.iv, clear)).encrypt(new Uint8Array(0))),
    open: (keyed, header, sealed, icv) => {
      const clear = sealed.slice(0, sealed.length - icv)
      const tag = gcm(keyed.key, nonceOf(keyed), join(header, keyed.iv, clear)).encrypt(new Uint8Array(0))
      return equalBytes(tag, sealed.slice(clear.length)) ? clear : undefined
    },
  },
  'rfc4309(ccm(aes))': {
    saltLength: 3,
    seal: (keyed, header, clear, icv) => ccmEncrypt(keyed.key, nonceOf(keyed), header, clear, icv),
    open: (keyed, header, sealed, icv) => ccmDecrypt(keyed.key, nonceOf(keyed), header, sealed, icv),
  },
  'rfc7539esp(chacha20,poly1305)': {
    saltLength: 4,
    seal: (keyed, header, clear) => chacha20poly1305(keyed.key, nonceOf(keyed), header).encrypt(clear),
    open: (keyed, header, sealed) => {
      try {
        return chacha20poly1305(keyed.key, nonceOf(keyed), header).decrypt(sealed)
      } catch {
        return undefined
      }
    },
  },
} satisfies Record<string, CombinedCipher>

export type PlainName = keyof typeof plain
export type CombinedName = keyof typeof combined

export const plainCipher = (name: PlainName): PlainCipher => plain[name]
export const combinedCipher = (name: CombinedName): CombinedCipher => combined[name]
