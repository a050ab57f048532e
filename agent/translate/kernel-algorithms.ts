/**
 * The algorithm table's numbers in the terms of Linux XFRM, and back.
 *
 * ICV lengths are those of the RFCs (RFC 2403, 2404, 4868, 3566, 4494, 4106, 4309, 4543, 7634). They are always
 * said explicitly, by `XFRMA_ALG_AUTH_TRUNC`: with the older `XFRMA_ALG_AUTH` the kernel cuts HMAC-SHA-256 to 96
 * bits instead of RFC 4868's 128, and no conforming peer can talk to it.
 *
 * @module
 */
import type { XfrmAttributes } from '../../netlink/xfrm/attributes.ts'
import type { Algorithm } from '../model/algorithm.ts'
import { PROTOCOL_AH, PROTOCOL_ESP } from '../model/algorithm.ts'

/** How the kernel takes an algorithm: one kind, one attribute. */
export type KernelAlgorithmKind = 'auth' | 'crypt' | 'aead'

/** One algorithm as the kernel knows it. */
export interface KernelAlgorithm {
  /** Key into the algorithm table. */
  readonly protocol: number
  readonly number: number
  readonly kind: KernelAlgorithmKind
  /** `alg_name` in the attribute. */
  readonly name: string
  /** `CKM_…` of the algorithm table; a row that names another mechanism is not this algorithm. */
  readonly mechanism: string
  /** ICV length: `alg_trunc_len` (auth), `alg_icv_len` (aead); 0 for a plain cipher. */
  readonly icvBits: number
  /** Bits of salt or nonce at the end of the key that `alg_key_len` counts too. */
  readonly saltBits: number
  /**
   * The kernel's own PF_KEY number. For an `auth` algorithm 1 << pfkeyId is its bit in a template's `aalgos`;
   * AEADs and AES-CMAC have none and count as bit 0.
   */
  readonly pfkeyId: number
}

const algorithms: readonly KernelAlgorithm[] = [
  auth(2, 'hmac(md5)', 'CKM_MD5_HMAC_GENERAL', 96),
  auth(3, 'hmac(sha1)', 'CKM_SHA_1_HMAC_GENERAL', 96),
  auth(5, 'hmac(sha256)', 'CKM_SHA256_HMAC_GENERAL', 128),
  auth(6, 'hmac(sha384)', 'CKM_SHA384_HMAC_GENERAL', 192),
  auth(7, 'hmac(sha512)', 'CKM_SHA512_HMAC_GENERAL', 256),
  auth(8, 'hmac(rmd160)', 'CKM_RIPEMD160_HMAC_GENERAL', 96),
  auth(9, 'xcbc(aes)', 'CKM_AES_XCBC_MAC_96', 96),
  auth(250, 'cmac(aes)', 'CKM_AES_CMAC_GENERAL', 96, 0),
  crypt(2, 'cbc(des)', 'CKM_DES_CBC'),
  crypt(3, 'cbc(des3_ede)', 'CKM_DES3_CBC'),
  crypt(6, 'cbc(cast5)', 'CKM_CAST128_CBC'),
  crypt(7, 'cbc(blowfish)', 'CKM_BLOWFISH_CBC'),
  crypt(11, 'ecb(cipher_null)', ''),
  crypt(12, 'cbc(aes)', 'CKM_AES_CBC'),
  crypt(13, 'rfc3686(ctr(aes))', 'CKM_AES_CTR', 32),
  crypt(22, 'cbc(camellia)', 'CKM_CAMELLIA_CBC'),
  crypt(252, 'cbc(serpent)', 'CKM_SERPENT_CBC'),
  crypt(253, 'cbc(twofish)', 'CKM_TWOFISH_CBC'),
  aead(14, 'rfc4309(ccm(aes))', 'CKM_AES_CCM', 64, 24),
  aead(15, 'rfc4309(ccm(aes))', 'CKM_AES_CCM', 96, 24),
  aead(16, 'rfc4309(ccm(aes))', 'CKM_AES_CCM', 128, 24),
  aead(18, 'rfc4106(gcm(aes))', 'CKM_AES_GCM', 64, 32),
  aead(19, 'rfc4106(gcm(aes))', 'CKM_AES_GCM', 96, 32),
  aead(20, 'rfc4106(gcm(aes))', 'CKM_AES_GCM', 128, 32),
  aead(23, 'rfc4543(gcm(aes))', 'CKM_AES_GMAC', 128, 32),
  aead(28, 'rfc7539esp(chacha20,poly1305)', 'CKM_CHACHA20_POLY1305', 128, 32),
]

function auth(
  number: number,
  name: string,
  mechanism: string,
  icvBits: number,
  pfkeyId = number,
): KernelAlgorithm {
  return { protocol: PROTOCOL_AH, number, kind: 'auth', name, mechanism, icvBits, saltBits: 0, pfkeyId }
}

function crypt(number: number, name: string, mechanism: string, saltBits = 0): KernelAlgorithm {
  const icvBits = 0
  return {
    protocol: PROTOCOL_ESP,
    number,
    kind: 'crypt',
    name,
    mechanism,
    icvBits,
    saltBits,
    pfkeyId: number,
  }
}

function aead(
  number: number,
  name: string,
  mechanism: string,
  icvBits: number,
  saltBits: number,
): KernelAlgorithm {
  return { protocol: PROTOCOL_ESP, number, kind: 'aead', name, mechanism, icvBits, saltBits, pfkeyId: 0 }
}

/**
 * The XFRM attribute that gives an SA this algorithm.
 *
 * @param key with the salt, if any, at its end; not copied
 */
export function algorithmAttribute(
  algorithm: KernelAlgorithm,
  key: Uint8Array,
): Pick<XfrmAttributes, 'alg_auth_trunc' | 'alg_crypt' | 'alg_aead'> {
  const head = { alg_name: algorithm.name, alg_key_len: key.length * 8, alg_key: key }
  if (algorithm.kind === 'auth') return { alg_auth_trunc: { ...head, alg_trunc_len: algorithm.icvBits } }
  if (algorithm.kind === 'aead') return { alg_aead: { ...head, alg_icv_len: algorithm.icvBits } }
  return { alg_crypt: head }
}

const byNumber = new Map(algorithms.map((entry) => [numberKey(entry.protocol, entry.number), entry]))

function numberKey(protocol: number, number: number): number {
  return protocol * 256 + number
}

/** The kernel's side of one number; `undefined` where XFRM has nothing of the kind. */
export function kernelAlgorithm(protocol: number, number: number): KernelAlgorithm | undefined {
  return byNumber.get(numberKey(protocol, number))
}

/**
 * The kernel's side of one row of an algorithm table; `undefined` where it has none. A row that gives a known
 * number to another mechanism, or asks for an ICV or salt that the kernel's algorithm does not have, has none:
 * programming the number's usual meaning would not be what the table says.
 */
export function kernelAlgorithmOf(entry: Algorithm): KernelAlgorithm | undefined {
  const kernel = kernelAlgorithm(entry.protocol, entry.number)
  if (!kernel || kernel.mechanism !== entry.mechanism) return undefined
  if (kernel.kind === 'auth') {
    return entry.blockOrMacSizes.includes(kernel.icvBits / 8) ? kernel : undefined
  }
  if ((entry.parameters?.salt ?? 0) * 8 !== kernel.saltBits) return undefined
  if ((entry.parameters?.icv ?? 0) * 8 !== kernel.icvBits) return undefined
  return kernel
}

/** A kernel algorithm found in an SA, and how it was used there. */
export interface IdentifiedAlgorithm {
  readonly algorithm: KernelAlgorithm
  /** Without the salt. */
  readonly keyBits: number
  /**
   * False where the ICV has another length than the table's: `hmac(sha256)` cut to 96 bits bears the number 5,
   * but is weaker than what that number promises, and does not satisfy a policy that asks for it.
   */
  readonly standardIcv: boolean
}

/**
 * Names what an SA's attribute holds, for listings and for checking it against policy.
 *
 * @param keyBits `alg_key_len`, the salt counted
 * @param icvBits `alg_trunc_len` or `alg_icv_len`; ignored for a plain cipher
 * @returns `undefined` for an algorithm that the table has no number for
 */
export function identify(
  kind: KernelAlgorithmKind,
  name: string,
  keyBits: number,
  icvBits: number,
): IdentifiedAlgorithm | undefined {
  const candidates = algorithms.filter((entry) => entry.kind === kind && entry.name === name)
  const exact = candidates.find((entry) => kind === 'crypt' || entry.icvBits === icvBits)
  // An AEAD's number says its ICV, so another length has no number; a MAC has one number whatever the length.
  const algorithm = exact ?? (kind === 'auth' ? candidates[0] : undefined)
  if (!algorithm) return undefined
  return { algorithm, keyBits: keyBits - algorithm.saltBits, standardIcv: exact !== undefined }
}
