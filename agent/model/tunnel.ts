/**
 * Tunnel interfaces as a configuration describes them.
 *
 * @module
 */
import type { Address, Prefix } from './address.ts'

/** Kinds of Linux tunnel interfaces that rules can be about. */
export const TUNNEL_KINDS = ['ipip', 'ip6tnl', 'gre', 'ip6gre'] as const
export type TunnelKind = (typeof TUNNEL_KINDS)[number]

/** Modules of the kernel, by what they make. */
export const tunnelModules: Readonly<Record<TunnelKind, string>> = {
  ipip: 'ipip',
  ip6tnl: 'ip6_tunnel',
  gre: 'ip_gre',
  ip6gre: 'ip6_gre',
}

export interface TunnelInterface {
  readonly name: string
  readonly kind: TunnelKind
  /** Outer addresses, both of the family that the kind has. */
  readonly local: Address
  readonly remote: Address
  /** Addresses of the interface itself; host bits are kept. */
  readonly addresses: readonly Prefix[]
  /** Bytes; absent: what the kernel finds. */
  readonly mtu?: number
  /** Where a document describes it. */
  readonly line?: number
}

/** One that solipsec has made, as it is to be. Only these are changed or removed. */
export interface OwnTunnel extends Omit<TunnelInterface, 'line'> {
  /** Its number: an interface with another one is somebody else's, whatever its name. */
  readonly ifindex: number
}
