/**
 * What is converted to the languages of other tools: checked rules and SAs, and what is known of the host.
 *
 * @module
 */
import type { Address } from '../../agent/model/address.ts'
import type { AlgorithmTable } from '../../agent/model/algorithm.ts'
import type { Rule } from '../../agent/model/policy.ts'
import type { Tunnel } from '../../agent/translate/tunnels.ts'
import type { PlacedAssociation, Unsaid } from './unsaid.ts'

export interface ForeignInput {
  readonly algorithms: AlgorithmTable
  readonly rules: readonly Rule[]
  readonly associations: readonly PlacedAssociation[]
}

/** The host that the output is for. */
export interface ForeignHost {
  readonly localAddresses: readonly Address[]
  /** By name: those of the host, and those that the document describes. */
  readonly tunnels: ReadonlyMap<string, Tunnel>
  /** Mark bits that nothing else looks at; 0 = none. */
  readonly markMask: number
  readonly forwards: boolean
}

export interface ForeignText {
  /** Lines of the output, without its head and what it could not say. */
  readonly lines: readonly string[]
  readonly unsaid: readonly Unsaid[]
  /** What holds otherwise than here, as sentences: never less protection than was asked for. */
  readonly remarks: readonly string[]
}
