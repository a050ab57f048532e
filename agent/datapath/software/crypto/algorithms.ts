/**
 * The algorithms of XFRM, by the kernel's names, and how the libraries call them.
 *
 * @module
 */
import type { Aead, Backend, Cipher, Direction, Mac } from './backend.ts'
import { xcbc } from './cmac.ts'

/** A cipher of ESP that needs an integrity algorithm beside it. */
export interface CipherAlgorithm {
  /** Bytes that stand in front of the data in each packet. */
  readonly ivLength: number
  /** The clear text's length is made a multiple of this. */
  readonly blockSize: number
  /** Bytes at the end of the key material that are not key but nonce. */
  readonly saltLength: number
  /** CBC vectors must be unpredictable; a stream's must only never repeat. */
  readonly mode: 'cbc' | 'ctr' | 'null'
  make(backend: Backend, key: Uint8Array, direction: Direction): Cipher | undefined
}

/** A cipher of ESP with integrity of its own. */
export interface AeadAlgorithm {
  readonly saltLength: number
  /** RFC 4543: everything is authenticated, nothing encrypted. */
  readonly isGmac: boolean
  make(backend: Backend, key: Uint8Array, icv: number, direction: Direction): Aead | undefined
}

/** An integrity algorithm of AH and ESP. */
export interface MacAlgorithm {
  /** ICV length in bits where `XFRMA_ALG_AUTH` is used, which does not say it (net/xfrm/xfrm_algo.c). */
  readonly defaultIcvBits: number
  /** Length of the whole code in bytes. */
  readonly length: number
  make(backend: Backend, key: Uint8Array): Mac | undefined
}

const aesBits = (key: Uint8Array) => key.length * 8

function cbc(blockSize: number, nameOf: (key: Uint8Array) => string): CipherAlgorithm {
  return {
    ivLength: blockSize,
    blockSize,
    saltLength: 0,
    mode: 'cbc',
    make: (backend, key, direction) => backend.cipher(nameOf(key), key, direction),
  }
}

/** A single DES is a triple one with the same key three times; newer libraries have only that. */
const des: CipherAlgorithm = {
  ...cbc(8, () => 'DES-EDE3-CBC'),
  make: (backend, key, direction) => {
    const three = Uint8Array.of(...key, ...key, ...key)
    const cipher = key.length === 8 ? backend.cipher('DES-EDE3-CBC', three, direction) : undefined
    three.fill(0)
    return cipher
  },
}

const nothing: Cipher = { apply: () => {}, destroy: () => {} }

const ciphers: Readonly<Record<string, CipherAlgorithm>> = {
  'ecb(cipher_null)': {
    ivLength: 0,
    blockSize: 1,
    saltLength: 0,
    mode: 'null',
    make: (_, key) => (key.length === 0 ? nothing : undefined),
  },
  'cbc(aes)': cbc(16, (key) => `AES-${aesBits(key)}-CBC`),
  'cbc(camellia)': cbc(16, (key) => `CAMELLIA-${aesBits(key)}-CBC`),
  'cbc(des)': des,
  'cbc(des3_ede)': cbc(8, () => 'DES-EDE3-CBC'),
  'cbc(blowfish)': cbc(8, () => 'BF-CBC'),
  'cbc(cast5)': cbc(8, () => 'CAST5-CBC'),
  'rfc3686(ctr(aes))': {
    ivLength: 8,
    blockSize: 1,
    saltLength: 4,
    mode: 'ctr',
    // A stream is decrypted as it was encrypted.
    make: (backend, key) => backend.cipher(`AES-${aesBits(key)}-CTR`, key, 'encrypt'),
  },
}

function aead(nameOf: (key: Uint8Array) => string, saltLength: number, isGmac = false): AeadAlgorithm {
  return {
    saltLength,
    isGmac,
    make: (backend, key, icv, direction) =>
      backend.aead(nameOf(key), key, { nonce: saltLength + 8, icv }, direction),
  }
}

const aeads: Readonly<Record<string, AeadAlgorithm>> = {
  'rfc4106(gcm(aes))': aead((key) => `AES-${aesBits(key)}-GCM`, 4),
  'rfc4543(gcm(aes))': aead((key) => `AES-${aesBits(key)}-GCM`, 4, true),
  'rfc4309(ccm(aes))': aead((key) => `AES-${aesBits(key)}-CCM`, 3),
  'rfc7539esp(chacha20,poly1305)': aead(() => 'ChaCha20-Poly1305', 4),
}

function hmac(digest: string, length: number, defaultIcvBits: number): MacAlgorithm {
  return { defaultIcvBits, length, make: (backend, key) => backend.hmac(digest, key) }
}

const aesCbc = (key: Uint8Array) => `AES-${aesBits(key)}-CBC`

const macs: Readonly<Record<string, MacAlgorithm>> = {
  'hmac(md5)': hmac('MD5', 16, 96),
  'hmac(sha1)': hmac('SHA1', 20, 96),
  'hmac(sha256)': hmac('SHA256', 32, 96),
  'hmac(sha384)': hmac('SHA384', 48, 192),
  'hmac(sha512)': hmac('SHA512', 64, 256),
  'hmac(rmd160)': hmac('RIPEMD160', 20, 96),
  'xcbc(aes)': {
    defaultIcvBits: 96,
    length: 16,
    make: (backend, key) =>
      key.length === 16 ? xcbc((own) => backend.cipher(aesCbc(own), own, 'encrypt'), key) : undefined,
  },
  'cmac(aes)': { defaultIcvBits: 96, length: 16, make: (backend, key) => backend.cmac(aesCbc(key), key) },
}

/** The kernel also takes names without the wrapper: `aes` for `cbc(aes)`. */
const aliases: Readonly<Record<string, string>> = {
  aes: 'cbc(aes)',
  des: 'cbc(des)',
  des3_ede: 'cbc(des3_ede)',
  blowfish: 'cbc(blowfish)',
  cast5: 'cbc(cast5)',
  camellia: 'cbc(camellia)',
  cipher_null: 'ecb(cipher_null)',
  md5: 'hmac(md5)',
  sha1: 'hmac(sha1)',
  sha256: 'hmac(sha256)',
  rmd160: 'hmac(rmd160)',
}

/** A plain cipher by its kernel name. */
export function cipherAlgorithm(name: string): CipherAlgorithm | undefined {
  return ciphers[aliases[name] ?? name]
}

/** A combined-mode cipher by its kernel name. */
export function aeadAlgorithm(name: string): AeadAlgorithm | undefined {
  return aeads[name]
}

/** An integrity algorithm by its kernel name. */
export function macAlgorithm(name: string): MacAlgorithm | undefined {
  return macs[aliases[name] ?? name]
}
