/**
 * A packet as both simulators see it, and the SAs that may protect it.
 *
 * @module
 */
import type { Address, Family } from '../../../../agent/model/address.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'

export interface Packet {
  readonly family: Family
  /** This host's end in either direction. For a forwarded packet: its source. */
  readonly local: Address
  readonly remote: Address
  readonly protocol: number
  /** 0 for protocols without ports. */
  readonly localPort: number
  readonly remotePort: number
  /** ICMP only. */
  readonly type: number
  readonly code: number
}

/** The SAs that protect a packet: at most one ESP, and around it at most one AH. `{}` is clear text. */
export interface Wrapping {
  readonly esp?: SecurityAssociation
  readonly ah?: SecurityAssociation
}

/** What becomes of an outbound packet. */
export type Departure = { readonly kind: 'sent'; readonly wrapping: Wrapping } | { readonly kind: 'held' }

const ICMP = [1, 58]

export function isIcmp(protocol: number): boolean {
  return ICMP.includes(protocol)
}
