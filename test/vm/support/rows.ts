/**
 * The algorithm table as SAs: one transform for each row and key size.
 *
 * @module
 */
import { type Algorithm, FLAG_COMBINED, PROTOCOL_AH, PROTOCOL_ESP } from '../../../agent/model/algorithm.ts'
import { ALGORITHM_NULL, defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { allKeyBits } from '../../../agent/model/key-sizes.ts'
import type { Cipher, Integrity, Transform } from './keys.ts'

/** The SAs that protect one packet, innermost first, and what a rule that asks for exactly that says. */
export interface Row {
  readonly transforms: readonly Transform[]
  readonly properties: string
}

const SHA256: Integrity = { name: 'sha256', bits: 256 }
const AES: Cipher = { name: 'aes', bits: 128 }

const of = (protocol: number) => defaultAlgorithmTable.algorithms.filter((row) => row.protocol === protocol)

const integrities: readonly Integrity[] = of(PROTOCOL_AH).flatMap((row) =>
  allKeyBits(row.keySizes).map((bits) => ({ name: row.names[0] ?? '', bits })),
)

const ciphers: readonly { cipher: Cipher; combined: boolean }[] = of(PROTOCOL_ESP).flatMap((row) =>
  keyBits(row).map((bits) => {
    const salt = (row.parameters?.salt ?? 0) * 8
    const cipher = { name: row.names[0] ?? '', bits, ...(salt > 0 && { salt }) }
    return { cipher, combined: (row.flags & FLAG_COMBINED) !== 0 }
  }),
)

function keyBits({ number, keySizes }: Algorithm): readonly number[] {
  return number === ALGORITHM_NULL ? [0] : allKeyBits(keySizes)
}

/** ESP with each cipher and key size (and SHA-256 where it needs a partner), and AES with each integrity. */
export const espRows: readonly Row[] = [
  ...ciphers.map(({ cipher, combined }) =>
    rowOf({ protocol: 'esp', cipher, ...(!combined && { integrity: SHA256 }) }),
  ),
  ...integrities
    .filter(({ name }) => name !== 'hmac-sha256')
    .map((integrity) => rowOf({ protocol: 'esp', cipher: AES, integrity })),
]

/** AH with each integrity algorithm. */
export const ahRows: readonly Row[] = integrities.map((integrity) => rowOf({ protocol: 'ah', integrity }))

const GCM: Transform = { protocol: 'esp', cipher: { name: 'aes-gcm', bits: 256, salt: 32 } }
const AES_SHA256: Transform = { protocol: 'esp', cipher: AES, integrity: SHA256 }
const NULL_SHA256: Transform = { protocol: 'esp', cipher: { name: 'null', bits: 0 }, integrity: SHA256 }

/** A selection of AH around ESP. */
export const ahEspRows: readonly Row[] = [
  rowOf(AES_SHA256, { protocol: 'ah', integrity: SHA256 }),
  rowOf(GCM, { protocol: 'ah', integrity: { name: 'hmac-sha512', bits: 512 } }),
  rowOf(NULL_SHA256, { protocol: 'ah', integrity: { name: 'hmac-sha1', bits: 160 } }),
]

function rowOf(...transforms: Transform[]): Row {
  return { transforms, properties: transforms.map(propertiesOf).join(' ') }
}

function propertiesOf({ protocol, cipher, integrity }: Transform): string {
  if (protocol === 'ah') return `auth_algs ${integrity?.name}`
  const encryption = cipher && `encr_algs ${cipher.name}${cipher.bits > 0 ? `(${cipher.bits})` : ''}`
  return `${encryption}${integrity ? ` encr_auth_algs ${integrity.name}` : ''}`
}
