/**
 * From an SA's algorithm attributes, as XFRM carries them, to keyed transforms.
 *
 * @module
 */
import type { Algo, AlgoAead, AlgoAuth, XfrmAttributes } from '../../../../netlink/xfrm/attributes.ts'
import { aeadAlgorithm, cipherAlgorithm, macAlgorithm } from './algorithms.ts'
import type { Backend, Direction } from './backend.ts'
import { combined, type EspTransform, type KeyedCipher, type KeyedMac, separate } from './esp-transform.ts'

export type AlgorithmAttributes = Pick<
  XfrmAttributes,
  'alg_auth' | 'alg_auth_trunc' | 'alg_crypt' | 'alg_aead' | 'alg_comp'
>

/** Algorithms that cannot be had: unknown, not in the library, or not with this length of key. */
export class UnsupportedAlgorithmError extends Error {
  readonly algorithm: string

  constructor(algorithm: string, why: string) {
    super(`${algorithm}: ${why}`)
    this.name = 'UnsupportedAlgorithmError'
    this.algorithm = algorithm
  }
}

const UNKNOWN = 'the software data path does not have this algorithm'

/**
 * The transform of an ESP SA. The keys are taken in: the attributes may be wiped after.
 *
 * @throws UnsupportedAlgorithmError
 */
export function espTransform(
  attributes: AlgorithmAttributes,
  direction: Direction,
  backend: Backend,
): EspTransform {
  if (attributes.alg_aead) return keyAead(attributes.alg_aead, direction, backend)
  const cipher = keyCipher(attributes.alg_crypt ?? NULL_CIPHER, direction, backend)
  return separate(cipher, keyMac(attributes, backend))
}

const NULL_CIPHER: Algo = { alg_name: 'ecb(cipher_null)', alg_key_len: 0, alg_key: new Uint8Array(0) }

/**
 * The integrity code of an AH SA, or of an ESP SA with a separate one; `undefined` where the SA has none.
 *
 * @throws UnsupportedAlgorithmError
 */
export function keyMac(
  { alg_auth, alg_auth_trunc }: AlgorithmAttributes,
  backend: Backend,
): KeyedMac | undefined {
  const attribute = alg_auth_trunc ?? (alg_auth && withDefaultIcv(alg_auth))
  if (!attribute || attribute.alg_name === 'digest_null') return undefined
  const { alg_name, alg_key_len, alg_key, alg_trunc_len } = attribute
  const algorithm = macAlgorithm(alg_name)
  if (!algorithm) throw new UnsupportedAlgorithmError(alg_name, UNKNOWN)
  const icvLength = alg_trunc_len / 8
  if (!Number.isInteger(icvLength) || icvLength < 4 || icvLength > algorithm.length) {
    throw new UnsupportedAlgorithmError(alg_name, `an ICV of ${alg_trunc_len} bits is not possible`)
  }
  const mac = algorithm.make(backend, wholeBytes(alg_name, alg_key, alg_key_len))
  if (!mac) throw notWithThisKey(alg_name, alg_key_len)
  return { mac, icvLength }
}

function withDefaultIcv(attribute: Algo): AlgoAuth {
  const alg_trunc_len = macAlgorithm(attribute.alg_name)?.defaultIcvBits ?? 96
  return { ...attribute, alg_trunc_len }
}

function keyCipher({ alg_name, alg_key, alg_key_len }: Algo, direction: Direction, backend: Backend) {
  const algorithm = cipherAlgorithm(alg_name)
  if (!algorithm) throw new UnsupportedAlgorithmError(alg_name, UNKNOWN)
  const [key, salt] = splitSalt(alg_name, alg_key, alg_key_len, algorithm.saltLength)
  const cipher = algorithm.make(backend, key, direction)
  if (!cipher) throw notWithThisKey(alg_name, alg_key_len)
  return { algorithm, cipher, salt } satisfies KeyedCipher
}

function keyAead(attribute: AlgoAead, direction: Direction, backend: Backend): EspTransform {
  const { alg_name, alg_key, alg_key_len, alg_icv_len } = attribute
  const algorithm = aeadAlgorithm(alg_name)
  if (!algorithm) throw new UnsupportedAlgorithmError(alg_name, UNKNOWN)
  const icvLength = alg_icv_len / 8
  if (!isAeadIcv(alg_name, icvLength)) {
    throw new UnsupportedAlgorithmError(alg_name, `an ICV of ${alg_icv_len} bits is not possible`)
  }
  const [key, salt] = splitSalt(alg_name, alg_key, alg_key_len, algorithm.saltLength)
  const aead = algorithm.make(backend, key, icvLength, direction)
  if (!aead) throw notWithThisKey(alg_name, alg_key_len)
  return combined(algorithm, aead, salt, icvLength)
}

/** RFC 4106 and 4309 know 8, 12 and 16 bytes; RFC 4543 and 7634 only 16. */
function isAeadIcv(name: string, icv: number): boolean {
  const isFixed = name.startsWith('rfc4543') || name.startsWith('rfc7539')
  return isFixed ? icv === 16 : [8, 12, 16].includes(icv)
}

function splitSalt(
  name: string,
  material: Uint8Array,
  bits: number,
  saltLength: number,
): [key: Uint8Array, salt: Uint8Array] {
  const bytes = wholeBytes(name, material, bits)
  if (bytes.length < saltLength) throw notWithThisKey(name, bits)
  const end = bytes.length - saltLength
  return [bytes.subarray(0, end), bytes.slice(end)]
}

function wholeBytes(name: string, key: Uint8Array, bits: number): Uint8Array {
  if (bits % 8 !== 0 || key.length < bits / 8) throw notWithThisKey(name, bits)
  return key.subarray(0, bits / 8)
}

function notWithThisKey(name: string, bits: number): UnsupportedAlgorithmError {
  return new UnsupportedAlgorithmError(name, `not available with a key of ${bits} bits (salt included)`)
}
