/**
 * The algorithm table of `ipsecalgs(8)`: names and numbers of what IPsec can use.
 *
 * @module
 */

/** Protocol numbers of the IPsec DOI (RFC 2407): 2 = AH (and ESP authentication), 3 = ESP encryption. */
export const PROTOCOL_AH = 2
export const PROTOCOL_ESP = 3

/** Key sizes in bits: a list (the first is the default), or a range with a step. */
export type KeySizes =
  | { readonly kind: 'list'; readonly sizes: readonly number[] }
  | {
      readonly kind: 'range'
      readonly default: number
      readonly min: number
      readonly max: number
      readonly step: number
    }

/** Parameters of combined-mode algorithms, in bytes. */
export interface CombinedParameters {
  readonly iv: number
  readonly icv: number
  readonly salt: number
}

export const FLAG_VALID = 1
export const FLAG_COUNTER = 2
export const FLAG_COMBINED = 4
export const FLAG_CCM = 8
export const FLAG_GCM = 16

/** One `ALG|…` line. */
export interface Algorithm {
  /** {@link PROTOCOL_AH} or {@link PROTOCOL_ESP}, or a protocol that the table defines. */
  readonly protocol: number
  readonly number: number
  /** The first is the canonical name. */
  readonly names: readonly string[]
  /** Cryptographic-framework mechanism, `CKM_…`; empty for NULL. */
  readonly mechanism: string
  readonly keySizes: KeySizes
  /** Block sizes (ciphers) or ICV sizes (authentication), in bytes. */
  readonly blockOrMacSizes: readonly number[]
  readonly parameters?: CombinedParameters
  readonly flags: number
}

export type ExecutionMode = 'sync' | 'async'

/** One `PROTO|…` line. */
export interface AlgorithmProtocol {
  readonly number: number
  readonly name: string
  readonly mode: ExecutionMode
}

/** A whole table, in file order. */
export interface AlgorithmTable {
  readonly protocols: readonly AlgorithmProtocol[]
  readonly algorithms: readonly Algorithm[]
}

/**
 * A table with what another has besides. Rules and SAs that are in force keep their meaning when their algorithm is
 * taken out of the file that it came from.
 */
export function joinTables(table: AlgorithmTable, others: AlgorithmTable): AlgorithmTable {
  const missing = others.algorithms.filter(
    ({ protocol, number }) => !algorithmByNumber(table, protocol, number),
  )
  return { protocols: table.protocols, algorithms: [...table.algorithms, ...missing] }
}

/** Looks an algorithm up by name, case-insensitively, aliases included. */
export function algorithmByName(
  table: AlgorithmTable,
  protocol: number,
  name: string,
): Algorithm | undefined {
  const wanted = name.toLowerCase()
  return table.algorithms.find(
    (entry) => entry.protocol === protocol && entry.names.some((known) => known.toLowerCase() === wanted),
  )
}

/** Looks an algorithm up by number. */
export function algorithmByNumber(
  table: AlgorithmTable,
  protocol: number,
  number: number,
): Algorithm | undefined {
  return table.algorithms.find((entry) => entry.protocol === protocol && entry.number === number)
}
