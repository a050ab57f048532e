import { randomBytes } from 'node:crypto'
import type { AlgorithmAttributes } from '../../../../../agent/datapath/software/crypto/keying.ts'

/** One combination of algorithms for ESP, with the key lengths to try. */
export interface Sample {
  readonly title: string
  readonly attributes: AlgorithmAttributes
}

function crypt(name: string, keyBytes: number): AlgorithmAttributes {
  return {
    alg_crypt: { alg_name: name, alg_key_len: keyBytes * 8, alg_key: new Uint8Array(randomBytes(keyBytes)) },
  }
}

function auth(name: string, keyBytes: number, icvBits: number): AlgorithmAttributes {
  const alg_key = new Uint8Array(randomBytes(keyBytes))
  return { alg_auth_trunc: { alg_name: name, alg_key_len: keyBytes * 8, alg_key, alg_trunc_len: icvBits } }
}

function aead(name: string, keyBytes: number, icvBits: number): AlgorithmAttributes {
  const alg_key = new Uint8Array(randomBytes(keyBytes))
  return { alg_aead: { alg_name: name, alg_key_len: keyBytes * 8, alg_key, alg_icv_len: icvBits } }
}

const ciphers: readonly (readonly [string, number])[] = [
  ['ecb(cipher_null)', 0],
  ['cbc(aes)', 16],
  ['cbc(aes)', 24],
  ['cbc(aes)', 32],
  ['cbc(des)', 8],
  ['cbc(des3_ede)', 24],
  ['cbc(blowfish)', 16],
  ['cbc(camellia)', 32],
  ['rfc3686(ctr(aes))', 20],
  ['rfc3686(ctr(aes))', 36],
]

/** Integrity algorithms: name, bytes of key, bits of ICV. */
export const macSamples: readonly (readonly [string, number, number])[] = [
  ['hmac(md5)', 16, 96],
  ['hmac(sha1)', 20, 96],
  ['hmac(sha256)', 32, 128],
  ['hmac(sha384)', 48, 192],
  ['hmac(sha512)', 64, 256],
  ['xcbc(aes)', 16, 96],
  ['cmac(aes)', 16, 96],
]

/** AH's attributes for one of {@link macSamples}. */
export function authAttributes([name, bytes, bits]: readonly [string, number, number]): AlgorithmAttributes {
  return auth(name, bytes, bits)
}

/** Every cipher with one MAC, every MAC with one cipher, and every combined mode. */
export const espSamples: readonly Sample[] = [
  ...ciphers.map(([name, bytes]) => ({
    title: `${name} ${bytes * 8} hmac(sha256)`,
    attributes: { ...crypt(name, bytes), ...auth('hmac(sha256)', 32, 128) },
  })),
  ...macSamples.map(([name, bytes, bits]) => ({
    title: `cbc(aes) ${name}`,
    attributes: { ...crypt('cbc(aes)', 16), ...auth(name, bytes, bits) },
  })),
  { title: 'cbc(aes) without integrity', attributes: crypt('cbc(aes)', 16) },
  ...[64, 96, 128].flatMap((icv) => [
    { title: `gcm ${icv}`, attributes: aead('rfc4106(gcm(aes))', 20, icv) },
    { title: `ccm ${icv}`, attributes: aead('rfc4309(ccm(aes))', 19, icv) },
  ]),
  { title: 'gcm 192-bit key', attributes: aead('rfc4106(gcm(aes))', 28, 128) },
  { title: 'gcm 256-bit key', attributes: aead('rfc4106(gcm(aes))', 36, 128) },
  { title: 'ccm 256-bit key', attributes: aead('rfc4309(ccm(aes))', 35, 128) },
  { title: 'gmac', attributes: aead('rfc4543(gcm(aes))', 20, 128) },
  { title: 'chacha20-poly1305', attributes: aead('rfc7539esp(chacha20,poly1305)', 36, 128) },
]
