/**
 * What a rule asks for as proposals of strongSwan (swanctl.conf(5)): every combination of algorithms that would do, and no
 * other.
 *
 * @module
 */
import {
  type Algorithm,
  type AlgorithmTable,
  FLAG_COMBINED,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../agent/model/algorithm.ts'
import { allKeyBits } from '../../../agent/model/key-sizes.ts'
import type { AlgorithmRequirement, Protection } from '../../../agent/model/policy.ts'
import { kernelAlgorithmOf } from '../../../agent/translate/kernel-algorithms.ts'

/** Names by number of ipsecalgs(8); `#` stands for the bits of the key. */
const CIPHERS: Readonly<Record<number, string>> = {
  2: 'des',
  3: '3des',
  6: 'cast#',
  7: 'blowfish#',
  11: 'null',
  12: 'aes#',
  13: 'aes#ctr',
  14: 'aes#ccm8',
  15: 'aes#ccm12',
  16: 'aes#ccm16',
  18: 'aes#gcm8',
  19: 'aes#gcm12',
  20: 'aes#gcm16',
  22: 'camellia#',
  23: 'aes#gmac',
  28: 'chacha20poly1305',
  252: 'serpent#',
  253: 'twofish#',
}

/** Key lengths that have names. */
const NAMED_BITS: Readonly<Record<number, readonly number[]>> = {
  6: [128],
  252: [128, 192, 256],
  253: [128, 192, 256],
}
const USUAL_BITS = [128, 192, 256]

const INTEGRITY: Readonly<Record<number, string>> = {
  2: 'md5',
  3: 'sha1',
  5: 'sha256',
  6: 'sha384',
  7: 'sha512',
  9: 'aesxcbc',
  250: 'aescmac',
}

/** NULL and AES-GMAC do not encrypt, and `any` asks for encryption. */
const NOT_ENCRYPTING = [11, 23]

export interface Proposals {
  readonly kind: 'esp' | 'ah'
  /** In the order of preference. */
  readonly list: readonly string[]
  /** What would do as well but has no name. */
  readonly nameless: readonly string[]
}

/** @returns why there are none, where there are none */
export function proposalsOf(protection: Protection, table: AlgorithmTable): Proposals | string {
  const { ah, esp, unique } = protection
  if (unique) return 'strongSwan makes no SA of its own for each connection (sa unique)'
  if (ah && esp) return 'strongSwan protects by ESP or by AH, never by both'
  const nameless: string[] = []
  const found = esp ? espProposals(esp, table, nameless) : ahProposals(ah, table, nameless)
  const list = found.filter((one) => one !== '')
  if (list.length === 0) return 'strongSwan has no names for these algorithms'
  return { kind: esp ? 'esp' : 'ah', list, nameless: [...new Set(nameless)] }
}

function ahProposals(
  requirement: AlgorithmRequirement | undefined,
  table: AlgorithmTable,
  nameless: string[],
): string[] {
  return requirement ? [integrityWords(requirement, table, nameless).join('-')] : []
}

function espProposals(
  { encryption, authentication }: NonNullable<Protection['esp']>,
  table: AlgorithmTable,
  nameless: string[],
): string[] {
  const rows = rowsOf(PROTOCOL_ESP, encryption, table).filter(
    ({ number }) => encryption.algorithm !== 0 || !NOT_ENCRYPTING.includes(number),
  )
  const isCombined = ({ flags }: Algorithm) => (flags & FLAG_COMBINED) !== 0
  const words = (some: Algorithm[]) => some.flatMap((row) => cipherWords(row, encryption, nameless))
  const combined =
    !authentication || authentication.algorithm === 0 ? words(rows.filter(isCombined)).join('-') : ''
  const plain = words(rows.filter((row) => !isCombined(row))).join('-')
  if (plain === '') return [combined]
  const integrity = integrityWords(
    authentication ?? { algorithm: 0, minBits: 0, maxBits: 65535 },
    table,
    nameless,
  )
  const both = integrity.length === 0 ? '' : `${plain}-${integrity.join('-')}`
  return authentication ? [both, combined] : [both, combined, plain]
}

function rowsOf(
  wanted: number,
  { algorithm }: AlgorithmRequirement,
  { algorithms }: AlgorithmTable,
): Algorithm[] {
  return algorithms.filter(
    ({ protocol, number }) => protocol === wanted && (algorithm === 0 || number === algorithm),
  )
}

function bitsOf({ keySizes }: Algorithm, { minBits, maxBits }: AlgorithmRequirement): number[] {
  const sizes = allKeyBits(keySizes)
  return (sizes.length === 0 ? [0] : sizes).filter((bits) => bits >= minBits && bits <= maxBits)
}

function cipherWords(row: Algorithm, requirement: AlgorithmRequirement, nameless: string[]): string[] {
  const name = kernelAlgorithmOf(row) && CIPHERS[row.number]
  const named = NAMED_BITS[row.number] ?? USUAL_BITS
  return bitsOf(row, requirement).flatMap((bits) => {
    if (name !== undefined && (!name.includes('#') || named.includes(bits)))
      return [name.replace('#', String(bits))]
    nameless.push(row.names[0] ?? String(row.number))
    return []
  })
}

function integrityWords(
  requirement: AlgorithmRequirement,
  table: AlgorithmTable,
  nameless: string[],
): string[] {
  return rowsOf(PROTOCOL_AH, requirement, table).flatMap((row) => {
    if (bitsOf(row, requirement).length === 0) return []
    const name = kernelAlgorithmOf(row) && INTEGRITY[row.number]
    if (name !== undefined) return [name]
    nameless.push(row.names[0] ?? String(row.number))
    return []
  })
}
