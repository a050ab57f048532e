/**
 * What an SA must be to serve a rule, and whether a given SA is that.
 *
 * Linux templates check neither cipher nor key length, on output not even the integrity algorithm; all that a
 * template really binds is the reqid. So the check is made here, once, when an SA or a policy is installed, and
 * the outcome is expressed as a protection class (`classes.ts`).
 *
 * @module
 */
import { type Address, formatAddress, sameAddress } from '../model/address.ts'
import type { SaProtocol } from '../model/association.ts'
import type { AlgorithmRequirement, Protection } from '../model/policy.ts'

/** Ciphers of the ipsecalgs table that do not encrypt: NULL (RFC 2410) and AES-GMAC (RFC 4543). */
const NOT_ENCRYPTING = new Set([11, 23])

/** The outer addresses of a tunnel, from this host's point of view. */
export interface TunnelEndpoints {
  readonly local: Address
  readonly remote: Address
}

/** One SA's worth of a rule's alternative: what a single AH or ESP header must offer. */
export interface Requirement {
  readonly protocol: SaProtocol
  /** ESP only. */
  readonly encryption?: AlgorithmRequirement
  /** AH: always present. ESP: absent = with or without authentication. */
  readonly authentication?: AlgorithmRequirement
  /** The SA must be bound to one 5-tuple. */
  readonly unique: boolean
  /** Present = a tunnel-mode SA between these addresses; absent = transport mode. */
  readonly tunnel?: TunnelEndpoints
  /** Present = the SA must be of this kind in all; what stands above says no more than that. */
  readonly kind?: SaKind
  /** Canonical text: equal requirements have equal keys. Stable across versions, because reqids derive from it. */
  readonly key: string
}

/** What matters of an SA when it is held against requirements. */
export interface SaContent {
  readonly protocol: SaProtocol
  /** Number in ipsecalgs protocol 3; 0 for AH; negative for one that has no number: it satisfies nothing. */
  readonly encrAlgorithm: number
  /** Cipher key length in bits, without salt. */
  readonly encrBits: number
  /** Number in ipsecalgs protocol 2; 0 = none, or part of a combined-mode cipher. */
  readonly authAlgorithm: number
  readonly authBits: number
  /** The cipher authenticates by itself (GCM, CCM, ChaCha20-Poly1305). */
  readonly combined: boolean
  /** Bound to one 5-tuple (or at least to an upper protocol). */
  readonly unique: boolean
  readonly mode: 'transport' | 'tunnel'
  readonly source: Address
  readonly destination: Address
}

/** What an SA is, in all that tells it from others but keys, SPI and, in transport mode, hosts. */
export type SaKind = Omit<SaContent, 'mode' | 'source' | 'destination'> & {
  /** Present = tunnel mode. */
  readonly tunnel?: TunnelEndpoints
}

/**
 * The requirements that one alternative makes, innermost header first: ESP, then AH around it (RFC 4301
 * appendix E order, and the only one that Linux can receive in transport mode).
 */
export function requirementsOf(protection: Protection, tunnel?: TunnelEndpoints): Requirement[] {
  const { ah, esp, unique } = protection
  const list: Requirement[] = []
  if (esp) list.push(makeRequirement('esp', unique, tunnel, esp.encryption, esp.authentication))
  if (ah) list.push(makeRequirement('ah', unique, esp ? undefined : tunnel, undefined, ah))
  return list
}

function makeRequirement(
  protocol: SaProtocol,
  unique: boolean,
  tunnel: TunnelEndpoints | undefined,
  encryption: AlgorithmRequirement | undefined,
  authentication: AlgorithmRequirement | undefined,
): Requirement {
  const key = [
    protocol,
    encryption ? `encr ${formatRequirement(encryption)}` : '',
    authentication ? `auth ${formatRequirement(authentication)}` : '',
    unique ? 'unique' : '',
    tunnel ? `tunnel ${formatAddress(tunnel.local)}-${formatAddress(tunnel.remote)}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
  return {
    protocol,
    ...(encryption && { encryption }),
    ...(authentication && { authentication }),
    unique,
    ...(tunnel && { tunnel }),
    key,
  }
}

function formatRequirement({ algorithm, minBits, maxBits }: AlgorithmRequirement): string {
  return `${algorithm}(${minBits}..${maxBits})`
}

/** True where an SA of this content satisfies the requirement. */
export function satisfies(sa: SaContent, requirement: Requirement): boolean {
  if (sa.protocol !== requirement.protocol) return false
  if (sa.encrAlgorithm < 0 || sa.authAlgorithm < 0) return false
  if (requirement.kind) return isOfKind(sa, requirement.kind) && satisfiesMode(sa, requirement)
  if (requirement.unique && !sa.unique) return false
  return satisfiesMode(sa, requirement) && satisfiesAlgorithms(sa, requirement)
}

function isOfKind(sa: SaContent, kind: SaKind): boolean {
  return (
    sa.encrAlgorithm === kind.encrAlgorithm &&
    sa.encrBits === kind.encrBits &&
    sa.authAlgorithm === kind.authAlgorithm &&
    sa.authBits === kind.authBits &&
    sa.unique === kind.unique
  )
}

function satisfiesMode(sa: SaContent, { tunnel }: Requirement): boolean {
  if (!tunnel) return sa.mode === 'transport'
  if (sa.mode !== 'tunnel') return false
  return (
    (sameAddress(sa.source, tunnel.local) && sameAddress(sa.destination, tunnel.remote)) ||
    (sameAddress(sa.source, tunnel.remote) && sameAddress(sa.destination, tunnel.local))
  )
}

function satisfiesAlgorithms(sa: SaContent, { encryption, authentication }: Requirement): boolean {
  if (encryption) {
    const { algorithm } = encryption
    // `encr_algs any` asks for encryption.
    if (algorithm === 0 ? NOT_ENCRYPTING.has(sa.encrAlgorithm) : sa.encrAlgorithm !== algorithm) return false
    if (sa.encrBits < encryption.minBits || sa.encrBits > encryption.maxBits) return false
  }
  if (authentication) {
    // A combined-mode cipher authenticates, but has no algorithm of its own to name.
    if (authentication.algorithm === 0 && sa.combined) return true
    if (sa.authAlgorithm === 0) return false
    if (authentication.algorithm !== 0 && sa.authAlgorithm !== authentication.algorithm) return false
    if (sa.authBits < authentication.minBits || sa.authBits > authentication.maxBits) return false
  }
  return true
}
