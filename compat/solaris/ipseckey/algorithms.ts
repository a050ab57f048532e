/**
 * Algorithms and keys of a new SA: what must be there, what must not, and whether each key fits its algorithm.
 *
 * @module
 */
import { type Algorithm, FLAG_COMBINED, FLAG_COUNTER } from '../../../agent/model/algorithm.ts'
import type { SaProtocol, SecurityAssociation } from '../../../agent/model/association.ts'
import { ALGORITHM_NULL } from '../../../agent/model/default-algorithms.ts'
import { acceptsKeyBits } from '../../../agent/model/key-sizes.ts'
import type { EntryReader } from './entry.ts'
import type { Fields } from './extensions.ts'
import { correctParity, expectedKey, isWeakKey, type RawKey, saltBitsOf, secretOf } from './keys.ts'
import { pfkeyDiagnostic } from './pfkey-diagnostics.ts'
import type { Given } from './values.ts'

export type Authentication = Pick<SecurityAssociation, 'authAlgorithm' | 'authKey'>
export type Encryption = Pick<SecurityAssociation, 'encrAlgorithm' | 'encrKey' | 'saltBits'>

/** The cryptographic half of an SA. */
export interface Cryptography {
  readonly authentication: Authentication
  readonly encryption: Encryption
}

/** Checks and builds; `undefined` where something is wrong, all of which is then reported. */
export function cryptographyOf(
  reader: EntryReader,
  protocol: SaProtocol,
  fields: Fields,
): Cryptography | undefined {
  if (!checkPresence(reader, fields)) return undefined
  const authentication = checkAuthentication(reader, protocol, fields)
  const encryption = protocol === 'ah' ? checkNoEncryption(reader, fields) : checkEncryption(reader, fields)
  if (!authentication || !encryption) return undefined
  return { authentication, encryption }
}

function checkPresence(reader: EntryReader, fields: Fields): boolean {
  const hasAlgorithm = fields.authAlgorithm ?? fields.encrAlgorithm
  const hasKey = fields.authKey ?? fields.encrKey
  if (!hasAlgorithm)
    reader.error('Select at least one algorithm for this add.', undefined, 'auth_alg or encr_alg')
  if (!hasKey) reader.error('Must have at least one key for an add.', undefined, 'authkey or encrkey')
  return Boolean(hasAlgorithm && hasKey)
}

function checkAuthentication(
  reader: EntryReader,
  protocol: SaProtocol,
  { authAlgorithm, authKey, encrAlgorithm, encrKey }: Fields,
): Authentication | undefined {
  if (!authAlgorithm) {
    const isNull = !encrAlgorithm || encrAlgorithm.value.number === ALGORITHM_NULL
    if (authKey) {
      reader.error(
        pfkeyDiagnostic(36),
        authKey.token,
        undefined,
        'Say which algorithm the key is for: auth_alg.',
      )
    } else if (encrAlgorithm && isBareCounter(encrAlgorithm.value)) {
      const hint = 'RFC 3686: without authentication every bit of the text can be changed at will.'
      reader.error(pfkeyDiagnostic(40), encrAlgorithm.token, 'auth_alg and authkey', hint)
    } else if (protocol === 'ah' || (isNull && !encrKey)) {
      const hint = 'AH, and ESP that does not encrypt, need auth_alg and authkey: else nothing is protected.'
      reader.error(pfkeyDiagnostic(40), undefined, 'auth_alg', hint)
    }
    return { authAlgorithm: 0 }
  }
  if (encrAlgorithm && isCombined(encrAlgorithm.value)) {
    const hint = `"${encrAlgorithm.value.names[0]}" authenticates by itself: leave auth_alg and authkey out.`
    reader.error(pfkeyDiagnostic(40), authAlgorithm.token, undefined, hint)
    return undefined
  }
  if (!authKey) {
    reader.error(pfkeyDiagnostic(22), undefined, `authkey with ${expectedKey(authAlgorithm.value)}`)
    return undefined
  }
  if (!acceptsKeyBits(authAlgorithm.value.keySizes, authKey.value.bits)) {
    wrongSize(reader, 44, authKey, authAlgorithm.value)
    return undefined
  }
  warnOfZeros(reader, authKey)
  return { authAlgorithm: authAlgorithm.value.number, authKey: secretOf(authKey.value) }
}

function checkNoEncryption(
  reader: EntryReader,
  { encrAlgorithm, encrKey, saltBits }: Fields,
): Encryption | undefined {
  const surplus = encrAlgorithm ?? encrKey ?? saltBits
  if (surplus) reader.error('Cannot specify encryption with SA type ah.', surplus.token)
  return surplus ? undefined : { encrAlgorithm: 0, saltBits: 0 }
}

function checkEncryption(
  reader: EntryReader,
  { encrAlgorithm, encrKey, saltBits }: Fields,
): Encryption | undefined {
  if (!encrAlgorithm || encrAlgorithm.value.number === ALGORITHM_NULL) {
    const surplus = encrKey ?? (saltBits?.value ? saltBits : undefined)
    if (!surplus) return { encrAlgorithm: ALGORITHM_NULL, saltBits: 0 }
    const hint = encrAlgorithm ? undefined : 'Without encr_alg the algorithm is "null".'
    reader.error('Cannot specify a key with NULL encryption algorithm.', surplus.token, undefined, hint)
    return undefined
  }
  const algorithm = encrAlgorithm.value
  if (algorithm.flags & FLAG_COUNTER) {
    const message = `Using manual keying with a Counter mode algorithm such as "${algorithm.names[0]}" may be insecure!`
    reader.warnOnce(
      message,
      encrAlgorithm.token,
      'A counter that starts again under the same key gives the text away.',
    )
  }
  if (!encrKey) {
    reader.error(pfkeyDiagnostic(21), undefined, `encrkey with ${expectedKey(algorithm)}`)
    return undefined
  }
  if (!checkSalt(reader, algorithm, encrKey, saltBits)) return undefined
  return checkCipherKey(reader, algorithm, encrKey)
}

function isCombined(algorithm: Algorithm): boolean {
  return (algorithm.flags & FLAG_COMBINED) !== 0
}

/** A counter mode that does not authenticate by itself. */
function isBareCounter(algorithm: Algorithm): boolean {
  return (algorithm.flags & FLAG_COUNTER) !== 0 && !isCombined(algorithm)
}

/** `reserved_bits` may be left out where the key's length shows that the salt is at its end. */
function checkSalt(
  reader: EntryReader,
  algorithm: Algorithm,
  key: Given<RawKey>,
  given: Given<number> | undefined,
): boolean {
  const salt = saltBitsOf(algorithm)
  if (given && given.value !== salt) {
    const message = `The algorithm "${algorithm.names[0]}" does not have ${given.value} reserved bits.`
    reader.error(message, given.token, salt === 0 ? 'no reserved_bits' : `reserved_bits ${salt}`)
    return false
  }
  if (acceptsKeyBits(algorithm.keySizes, key.value.bits - salt)) return true
  const hint =
    salt > 0 && acceptsKeyBits(algorithm.keySizes, key.value.bits)
      ? `Add the ${salt / 4} hex digits of salt at the end of the key, and "reserved_bits ${salt}" before it.`
      : undefined
  wrongSize(reader, 45, key, algorithm, hint)
  return false
}

function checkCipherKey(
  reader: EntryReader,
  algorithm: Algorithm,
  key: Given<RawKey>,
): Encryption | undefined {
  warnOfZeros(reader, key)
  correctParity(algorithm.number, key.value.bytes)
  if (isWeakKey(algorithm.number, key.value.bytes)) {
    reader.error(pfkeyDiagnostic(47), key.token, 'a random key')
    return undefined
  }
  return { encrAlgorithm: algorithm.number, encrKey: secretOf(key.value), saltBits: saltBitsOf(algorithm) }
}

function wrongSize(
  reader: EntryReader,
  code: 44 | 45,
  key: Given<RawKey>,
  algorithm: Algorithm,
  hint?: string,
): void {
  const expected = `${expectedKey(algorithm)} for "${algorithm.names[0]}", not ${key.value.bits} bits`
  reader.error(pfkeyDiagnostic(code), key.token, expected, hint)
}

function warnOfZeros(reader: EntryReader, key: Given<RawKey>): void {
  if (key.value.bytes.every((byte) => byte === 0)) {
    reader.warn('WARNING: The key is all zeros, which anyone will try first.', key.token)
  }
}
