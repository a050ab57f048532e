/**
 * Keyed ciphers and codes, as two libraries offer them. Data lies in an {@link Arena} and is worked on in place.
 * Nonces and initialization vectors are read from {@link scratch} at `NONCE`.
 *
 * @module
 */
import type { Arena } from '../../../../netlink/libc/arena.ts'

/** A cipher without integrity of its own: CBC over whole blocks, or a stream. One object serves one direction. */
export interface Cipher {
  /** Encrypts or decrypts `length` bytes from `at` on; of a block cipher, whole blocks. */
  apply(data: Arena, at: number, length: number): void
  destroy(): void
}

/** A cipher with integrity (RFC 5116). One object serves one direction. */
export interface Aead {
  /** Encrypts in place and writes the ICV behind the data. */
  seal(aad: Arena, aadAt: number, aadLength: number, data: Arena, at: number, length: number): void
  /** Decrypts in place. False where the ICV behind the data is wrong: the data is then meaningless. */
  open(aad: Arena, aadAt: number, aadLength: number, data: Arena, at: number, length: number): boolean
  destroy(): void
}

/** A message authentication code. */
export interface Mac {
  /** Writes the whole, untruncated code of a stretch of data to `out`. */
  compute(data: Arena, at: number, length: number, out: Arena, outAt: number): void
  destroy(): void
}

export type Direction = 'encrypt' | 'decrypt'

/** How many bytes of nonce and ICV an {@link Aead} uses. */
export interface AeadSizes {
  readonly nonce: number
  readonly icv: number
}

/**
 * A library of ciphers. Names are those of OpenSSL. `undefined` stands for what the library does not have, with this
 * key length; the key is copied or taken in, and stays the caller's to wipe.
 */
export interface Backend {
  readonly name: 'openssl' | 'node'
  /** @param name a CBC or CTR cipher: `AES-128-CBC` */
  cipher(name: string, key: Uint8Array, direction: Direction): Cipher | undefined
  /** @param name `AES-128-GCM`, `AES-128-CCM`, `ChaCha20-Poly1305` */
  aead(name: string, key: Uint8Array, sizes: AeadSizes, direction: Direction): Aead | undefined
  /** @param digest `SHA256` */
  hmac(digest: string, key: Uint8Array): Mac | undefined
  /** @param cipher `AES-128-CBC` */
  cmac(cipher: string, key: Uint8Array): Mac | undefined
}
