/**
 * The algorithm table that holds where no `/etc/inet/ipsecalgs` says otherwise: the rows that a Solaris host is
 * delivered with, then the algorithms that have come since.
 *
 * Key sizes are those of the key proper. The salt of a counter mode is not counted in them; it is in
 * `parameters.salt`.
 *
 * @module
 */
import type {
  Algorithm,
  AlgorithmProtocol,
  AlgorithmTable,
  CombinedParameters,
  KeySizes,
} from './algorithm.ts'
import {
  FLAG_CCM,
  FLAG_COMBINED,
  FLAG_COUNTER,
  FLAG_GCM,
  FLAG_VALID,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from './algorithm.ts'

/** Number of ESP's NULL encryption (RFC 2410) in every numbering there is. */
export const ALGORITHM_NULL = 11

const COMBINED = FLAG_VALID | FLAG_COUNTER | FLAG_COMBINED
const AES_SIZES: KeySizes = { kind: 'range', default: 128, min: 128, max: 256, step: 64 }

const protocols: readonly AlgorithmProtocol[] = [
  { number: PROTOCOL_AH, name: 'PROTO_IPSEC_AH', mode: 'sync' },
  { number: PROTOCOL_ESP, name: 'PROTO_IPSEC_ESP', mode: 'sync' },
]

const solaris: readonly Algorithm[] = [
  authentication(2, 'hmac-md5,md5', 'CKM_MD5_HMAC_GENERAL', 128, 12),
  authentication(3, 'hmac-sha1,sha,sha1,sha-1,hmac-sha,hmac-sha-1', 'CKM_SHA_1_HMAC_GENERAL', 160, 12),
  authentication(5, 'hmac-sha256,sha256,sha-256,hmac-sha-256', 'CKM_SHA256_HMAC_GENERAL', 256, 16),
  authentication(6, 'hmac-sha384,sha384,sha-384,hmac-sha-384', 'CKM_SHA384_HMAC_GENERAL', 384, 24),
  authentication(7, 'hmac-sha512,sha512,sha-512,hmac-sha-512', 'CKM_SHA512_HMAC_GENERAL', 512, 32),
  cipher(2, 'des-cbc,des', 'CKM_DES_CBC', fixed(64), 8),
  cipher(3, '3des-cbc,3des', 'CKM_DES3_CBC', fixed(192), 8),
  cipher(7, 'blowfish-cbc,blowfish', 'CKM_BLOWFISH_CBC', fixed(128), 8),
  cipher(ALGORITHM_NULL, 'null', '', fixed(), undefined),
  cipher(12, 'aes-cbc,aes', 'CKM_AES_CBC', AES_SIZES, 16),
  aes(14, 'aes-ccm8', 'CKM_AES_CCM', { iv: 8, icv: 8, salt: 3 }, FLAG_CCM),
  aes(15, 'aes-ccm12', 'CKM_AES_CCM', { iv: 8, icv: 12, salt: 3 }, FLAG_CCM),
  aes(16, 'aes-ccm,aes-ccm16', 'CKM_AES_CCM', { iv: 8, icv: 16, salt: 3 }, FLAG_CCM),
  aes(18, 'aes-gcm8', 'CKM_AES_GCM', { iv: 8, icv: 8, salt: 4 }, FLAG_GCM),
  aes(19, 'aes-gcm12', 'CKM_AES_GCM', { iv: 8, icv: 12, salt: 4 }, FLAG_GCM),
  aes(20, 'aes-gcm,aes-gcm16', 'CKM_AES_GCM', { iv: 8, icv: 16, salt: 4 }, FLAG_GCM),
]

/*
 * Numbers of the additions. A number is one byte in PF_KEY, and must mean nothing else to Solaris or to Linux.
 *
 * - AES-XCBC-MAC 9, AES-CTR 13, AES-GMAC 23: what Linux's PF_KEY has always called them; unused on Solaris.
 * - ChaCha20-Poly1305 28: it has no PF_KEY number anywhere. 28 is its IKEv2 transform (RFC 7634), and neither
 *   Solaris (up to 20) nor Linux (up to 24, then 252 and 253) uses it for another cipher.
 * - AES-CMAC 250: no PF_KEY number either, and its IKEv2 transform, 8, is RIPEMD-160 to Linux. The IPsec DOI
 *   leaves 249-255 of the AH transforms to private use; Linux takes only 251 of them.
 */
const additions: readonly Algorithm[] = [
  authentication(9, 'aes-xcbc-mac,aes-xcbc', 'CKM_AES_XCBC_MAC_96', 128, 12),
  authentication(250, 'aes-cmac', 'CKM_AES_CMAC_GENERAL', 128, 12),
  // Counter mode without integrity of its own: not a combined mode (RFC 3686).
  {
    ...cipher(13, 'aes-ctr', 'CKM_AES_CTR', AES_SIZES, 16),
    parameters: { iv: 8, icv: 0, salt: 4 },
    flags: FLAG_VALID | FLAG_COUNTER,
  },
  // Integrity only, in ESP's place for a cipher (RFC 4543): the payload stays readable, as the first name says.
  aes(23, 'null-aes-gmac,aes-gmac', 'CKM_AES_GMAC', { iv: 8, icv: 16, salt: 4 }, FLAG_GCM),
  {
    ...cipher(28, 'chacha20-poly1305,chacha20poly1305', 'CKM_CHACHA20_POLY1305', fixed(256), 64),
    parameters: { iv: 8, icv: 16, salt: 4 },
    flags: COMBINED,
  },
]

/** The built-in table; AH's rows first, each protocol in the order of its numbers. */
export const defaultAlgorithmTable: AlgorithmTable = {
  protocols,
  algorithms: [...solaris, ...additions].sort((a, b) => a.protocol - b.protocol || a.number - b.number),
}

function authentication(
  number: number,
  names: string,
  mechanism: string,
  keyBits: number,
  icvBytes: number,
): Algorithm {
  return {
    protocol: PROTOCOL_AH,
    number,
    names: names.split(','),
    mechanism,
    keySizes: fixed(keyBits),
    blockOrMacSizes: [icvBytes],
    flags: 0,
  }
}

function cipher(
  number: number,
  names: string,
  mechanism: string,
  keySizes: KeySizes,
  block: number | undefined,
): Algorithm {
  return {
    protocol: PROTOCOL_ESP,
    number,
    names: names.split(','),
    mechanism,
    keySizes,
    blockOrMacSizes: block === undefined ? [] : [block],
    flags: 0,
  }
}

function aes(
  number: number,
  names: string,
  mechanism: string,
  parameters: CombinedParameters,
  mode: number,
): Algorithm {
  return { ...cipher(number, names, mechanism, AES_SIZES, 16), parameters, flags: COMBINED | mode }
}

function fixed(...sizes: number[]): KeySizes {
  return { kind: 'list', sizes }
}
