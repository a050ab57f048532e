/**
 * What is measured of the codec: ESP with each algorithm that the data path has, and what `openssl speed` has to say
 * about the same work.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { AlgorithmAttributes } from '../../agent/datapath/software/crypto/keying.ts'

/** One combination of algorithms for ESP. */
export interface Transform {
  readonly what: string
  readonly attributes: AlgorithmAttributes
  /** Options of openssl-speed(1); the times of several add up. */
  readonly openssl: readonly (readonly string[])[]
  /** At most so many times what OpenSSL takes is wanted. */
  readonly target?: number
}

function crypt(name: string, bytes: number): AlgorithmAttributes {
  return {
    alg_crypt: { alg_name: name, alg_key_len: bytes * 8, alg_key: new Uint8Array(randomBytes(bytes)) },
  }
}

function auth(name: string, bytes: number, icvBits: number): AlgorithmAttributes {
  const alg_key = new Uint8Array(randomBytes(bytes))
  return { alg_auth_trunc: { alg_name: name, alg_key_len: bytes * 8, alg_key, alg_trunc_len: icvBits } }
}

function aead(name: string, bytes: number): AlgorithmAttributes {
  const alg_key = new Uint8Array(randomBytes(bytes))
  return { alg_aead: { alg_name: name, alg_key_len: bytes * 8, alg_key, alg_icv_len: 128 } }
}

const NULL_CIPHER = crypt('ecb(cipher_null)', 0)

function integrity(
  what: string,
  name: string,
  bytes: number,
  icvBits: number,
  ...openssl: string[]
): Transform {
  return { what, attributes: { ...NULL_CIPHER, ...auth(name, bytes, icvBits) }, openssl: [openssl] }
}

function cipher(what: string, name: string, bytes: number, evp: string): Transform {
  return { what, attributes: crypt(name, bytes), openssl: [['-evp', evp]] }
}

function combined(what: string, name: string, bytes: number, evp: string, target?: number): Transform {
  return { what, attributes: aead(name, bytes), openssl: [['-evp', evp]], ...(target && { target }) }
}

/** Each cipher and each code by itself, and the combined modes; at last one pair as it is used. */
export const transforms: readonly Transform[] = [
  combined('AES-128-GCM', 'rfc4106(gcm(aes))', 20, 'aes-128-gcm', 2),
  combined('AES-256-GCM', 'rfc4106(gcm(aes))', 36, 'aes-256-gcm', 2),
  combined('AES-128-CCM', 'rfc4309(ccm(aes))', 19, 'aes-128-ccm'),
  combined('ChaCha20-Poly1305', 'rfc7539esp(chacha20,poly1305)', 36, 'chacha20-poly1305'),
  combined('AES-128-GMAC', 'rfc4543(gcm(aes))', 20, 'aes-128-gcm'),
  cipher('AES-128-CBC', 'cbc(aes)', 16, 'aes-128-cbc'),
  cipher('AES-256-CBC', 'cbc(aes)', 32, 'aes-256-cbc'),
  cipher('AES-128-CTR', 'rfc3686(ctr(aes))', 20, 'aes-128-ctr'),
  cipher('3DES-CBC', 'cbc(des3_ede)', 24, 'des-ede3-cbc'),
  integrity('HMAC-MD5-96', 'hmac(md5)', 16, 96, '-hmac', 'md5'),
  integrity('HMAC-SHA-1-96', 'hmac(sha1)', 20, 96, '-hmac', 'sha1'),
  integrity('HMAC-SHA-256-128', 'hmac(sha256)', 32, 128, '-hmac', 'sha256'),
  integrity('HMAC-SHA-384-192', 'hmac(sha384)', 48, 192, '-hmac', 'sha384'),
  integrity('HMAC-SHA-512-256', 'hmac(sha512)', 64, 256, '-hmac', 'sha512'),
  integrity('AES-CMAC-96', 'cmac(aes)', 16, 96, '-cmac', 'aes-128-cbc'),
  integrity('AES-XCBC-96', 'xcbc(aes)', 16, 96, '-cmac', 'aes-128-cbc'),
  {
    what: 'AES-128-CBC, HMAC-SHA-256-128',
    attributes: { ...crypt('cbc(aes)', 16), ...auth('hmac(sha256)', 32, 128) },
    openssl: [
      ['-evp', 'aes-128-cbc'],
      ['-hmac', 'sha256'],
    ],
  },
]
