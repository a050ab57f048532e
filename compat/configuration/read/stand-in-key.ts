/**
 * Keys in place of those that cannot be read here: whatever else an SA says can be checked without its key.
 *
 * @module
 */
import {
  type AlgorithmTable,
  algorithmByName,
  algorithmByNumber,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../agent/model/algorithm.ts'
import { defaultKeyBits } from '../../../agent/model/key-sizes.ts'
import { saltBitsOf } from '../../solaris/ipseckey/keys.ts'

/**
 * Hexadecimal digits that an algorithm takes for a key, with its salt. They are no secret, and nothing may be protected by
 * them.
 *
 * @param isCipher false: the algorithm is one of authentication
 * @param word name or number of the algorithm; of one that is not known, any digits will do
 */
export function standInKey(table: AlgorithmTable, isCipher: boolean, word: string): string {
  const protocol = isCipher ? PROTOCOL_ESP : PROTOCOL_AH
  const algorithm = algorithmByName(table, protocol, word) ?? algorithmByNumber(table, protocol, Number(word))
  const bits = algorithm ? Math.max(8, defaultKeyBits(algorithm.keySizes) + saltBitsOf(algorithm)) : 8
  // No two bytes are the same: 3DES refuses keys of equal parts.
  const bytes = Uint8Array.from({ length: Math.ceil(bits / 8) }, (_, index) => 37 * index + 1)
  return `${Buffer.from(bytes).toString('hex')}/${bits}`
}
