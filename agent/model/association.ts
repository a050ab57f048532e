/**
 * A security association in the terms of Solaris `ipseckey(8)` (RFC 2367, RFC 4301 section 4.4.2), with names
 * resolved. Plain immutable values; key material only as `Secret`.
 *
 * @module
 */
import type { Address, Prefix } from './address.ts'
import type { Secret } from './secret.ts'

export type SaProtocol = 'ah' | 'esp'

/** An SPI as it is shown: `0x00001000`. */
export function formatSpi(spi: number): string {
  return `0x${spi.toString(16).padStart(8, '0')}`
}

/** Upper limits of an SA. 0 = no limit, everywhere (as in PF_KEY, unlike XFRM). */
export interface Lifetime {
  readonly allocations: bigint
  readonly bytes: bigint
  /** Seconds since the SA was added. */
  readonly addTime: bigint
  /** Seconds since the SA was first used. */
  readonly useTime: bigint
}

/** `idle_addtime`, `idle_usetime`: seconds without traffic. */
export interface IdleLifetime {
  readonly addTime: bigint
  readonly useTime: bigint
}

export interface Identity {
  /** PF_KEY identity type number (1 prefix, 2 fqdn, 3 user_fqdn, Solaris: 4 der_dn, 5 der_gn…). */
  readonly type: number
  readonly value: string
}

/** NAT traversal: ESP in UDP (RFC 3948). */
export interface UdpEncapsulation {
  readonly local?: Address
  readonly remote?: Address
  /** Default 4500. */
  readonly localPort: number
  readonly remotePort: number
}

/** What the packets inside a tunnel-mode SA must look like. */
export interface InnerSelector {
  readonly source: Prefix
  readonly destination: Prefix
  /** 0 = any. */
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
}

/** Names one SA: what `delete` and `get` need. */
export interface SaIdentifier {
  readonly protocol: SaProtocol
  readonly spi: number
  readonly destination: Address
}

export interface SecurityAssociation extends SaIdentifier {
  /** Unspecified address of the destination's family where the SA has no source. */
  readonly source: Address
  /** Upper protocol and ports that a transport-mode SA is restricted to; 0 = any. */
  readonly upperProtocol: number
  readonly sourcePort: number
  readonly destinationPort: number
  /** Present = tunnel mode. */
  readonly inner?: InnerSelector
  /** Number in ipsecalgs protocol 2; 0 = none. */
  readonly authAlgorithm: number
  readonly authKey?: Secret
  /** Number in ipsecalgs protocol 3; 11 = NULL; 0 = none (AH). */
  readonly encrAlgorithm: number
  /** Cipher key; for combined and counter modes the salt is its last `saltBits` bits. */
  readonly encrKey?: Secret
  readonly saltBits: number
  readonly soft: Lifetime
  readonly hard: Lifetime
  readonly idle: IdleLifetime
  /** Anti-replay window in packets; 0 = no replay check. */
  readonly replayWindow: number
  /** Last sequence number used (outbound) or seen (inbound). */
  readonly replayValue: bigint
  /** The flag words `inbound` / `outbound`; absent = derive from the addresses. */
  readonly direction?: 'in' | 'out'
  /** SPI of the other half of a pair. */
  readonly pairSpi?: number
  readonly encapsulation?: UdpEncapsulation
  readonly sourceIdentity?: Identity
  readonly destinationIdentity?: Identity
}

/** RFC 2367 section 2.3.1, `sadb_sa_state`. */
export type SaState = 'larval' | 'mature' | 'dying' | 'dead'

/** An SA as the kernel has it now: the association, and what only time and traffic can tell. */
export interface AssociationStatus extends SecurityAssociation {
  readonly state: SaState
  /** Counters; `addTime` and `useTime` are seconds since 1970, 0 = never used. */
  readonly current: Lifetime
}

/** An SA that the kernel wants, and what is known of the traffic that it is wanted for. */
export interface Acquire {
  readonly protocol: SaProtocol
  readonly source: Address
  readonly destination: Address
  readonly upperProtocol: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly inner?: InnerSelector
}

/** Which SA a command is about, and facts that narrow the choice where several have the same identifier. */
export interface SaTarget extends SaIdentifier {
  readonly source?: Address
  /** 0 = not given. */
  readonly upperProtocol: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly direction?: 'in' | 'out'
}

/** What an update changes. An absent field stays as it is; a lifetime of 0 takes the limit away. */
export interface SaChanges {
  readonly state?: SaState
  readonly soft?: Partial<Lifetime>
  readonly hard?: Partial<Lifetime>
  readonly idle?: Partial<IdleLifetime>
  readonly replayWindow?: number
  readonly replayValue?: bigint
  readonly pairSpi?: number
  readonly encapsulation?: UdpEncapsulation
  readonly sourceIdentity?: Identity
  readonly destinationIdentity?: Identity
}
