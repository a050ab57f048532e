/**
 * IPsec policy in the terms of Solaris `ipsecconf(8)`, with every name resolved: what a rule says, not how a
 * kernel stores it. Plain immutable values.
 *
 * @module
 */
import type { Prefix } from './address.ts'
import type { SaProtocol } from './association.ts'
import type { Span } from './diagnostic.ts'

export type Direction = 'in' | 'out' | 'both'

/** Inclusive range of ICMP types or codes; a single value has `from === to`. */
export interface IcmpRange {
  readonly from: number
  readonly to: number
}

/** IP protocols that have ports: TCP, UDP, DCCP, SCTP, UDP-Lite. A rule with a port but no protocol is about them all. */
export const PROTOCOLS_WITH_PORTS = [6, 17, 33, 132, 136] as const

/** One local/remote address combination of a rule. An absent side is every address of the family. */
export interface AddressPair {
  readonly local?: Prefix
  readonly remote?: Prefix
}

/** Which packets a rule is about, seen from this host: `local` is us in both directions. */
export interface Selector {
  /**
   * One entry for each same-family (local, remote) pair. An entry with neither side stands for both families:
   * it is what a rule without addresses has.
   */
  readonly pairs: readonly AddressPair[]
  /** IP protocol number; absent = any. */
  readonly protocol?: number
  /** A port without a protocol matches every protocol that has ports. */
  readonly localPort?: number
  readonly remotePort?: number
  readonly icmpType?: IcmpRange
  readonly icmpCode?: IcmpRange
}

/** An algorithm with the key lengths that a rule accepts. */
export interface AlgorithmRequirement {
  /** Number in the ipsecalgs table (PF_KEY/IANA); 0 = any algorithm. */
  readonly algorithm: number
  /** Inclusive, in bits. 0 and 65535 = no limit. */
  readonly minBits: number
  readonly maxBits: number
}

/** What an SA, or a pair of nested SAs, must offer to satisfy `ipsec {…}`. */
export interface Protection {
  /** `auth_algs`: an AH SA with this algorithm. */
  readonly ah?: AlgorithmRequirement
  /** `encr_algs` / `encr_auth_algs`: an ESP SA. Absent `authentication` = with or without authentication. */
  readonly esp?: {
    readonly encryption: AlgorithmRequirement
    readonly authentication?: AlgorithmRequirement
  }
  /** `sa unique`: an SA of its own for each 5-tuple. */
  readonly unique: boolean
}

export type Action =
  | { readonly kind: 'protect'; readonly protection: Protection }
  | { readonly kind: 'bypass' }
  | { readonly kind: 'drop' }

/** The alternatives that can come to pass: dropping always works, so none after it is ever reached. */
export function reachableActions(actions: readonly Action[]): readonly Exclude<Action, { kind: 'drop' }>[] {
  const reachable: Exclude<Action, { kind: 'drop' }>[] = []
  for (const action of actions) {
    if (action.kind === 'drop') break
    reachable.push(action)
  }
  return reachable
}

/** `tunnel NAME negotiate MODE`. */
export interface TunnelReference {
  readonly name: string
  readonly mode: 'tunnel' | 'transport'
}

/** One rule of an `ipsecinit.conf`, resolved and checked. */
export interface Rule {
  readonly selector: Selector
  readonly direction: Direction
  readonly tunnel?: TunnelReference
  /** Alternatives in order of preference; at least one. */
  readonly actions: readonly Action[]
  /** The rule as written, without comments, for views and messages. */
  readonly text: string
  readonly file: string
  readonly span: Span
}

/** The protocols of the SAs that rules ask for. */
export function protocolsOf(rules: readonly Rule[]): SaProtocol[] {
  const protections = rules
    .flatMap(({ actions }) => actions)
    .flatMap((action) => (action.kind === 'protect' ? [action.protection] : []))
  const needs: SaProtocol[] = []
  if (protections.some(({ esp }) => esp)) needs.push('esp')
  if (protections.some(({ ah }) => ah)) needs.push('ah')
  return needs
}
