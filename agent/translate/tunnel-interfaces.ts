/**
 * Tunnel interfaces as rtnetlink tells of them.
 *
 * @module
 */
import { linkFlag } from '../../netlink/route/constants.ts'
import { type RouteMessage, tunnelOf } from '../../netlink/route/messages.ts'
import { type Address, isUnspecified, type Prefix } from '../model/address.ts'
import { TUNNEL_KINDS, type TunnelInterface, type TunnelKind } from '../model/tunnel.ts'
import type { Tunnel } from './tunnels.ts'

/** The IP protocols that a tunnel interface of each kind sends: IPv4 4, IPv6 41, GRE 47. */
const ENCAPSULATION: Readonly<Record<string, readonly number[]>> = {
  ipip: [4],
  sit: [41, 4],
  ip6tnl: [41, 4],
  gre: [47],
  ip6gre: [47],
}

/** The tunnel that a message is about; `undefined` where it is none, or one without two ends. */
export function readTunnel(message: RouteMessage): Tunnel | undefined {
  if (message.name !== 'NEWLINK') return undefined
  const { ifname } = message.attributes
  const info = tunnelOf(message.attributes)
  const protocols = info && ENCAPSULATION[info.kind]
  if (!ifname || !info?.local || !info.remote || !protocols) return undefined
  const endpoints = { local: toAddress(info.local), remote: toAddress(info.remote) }
  if (isUnspecified(endpoints.local) || isUnspecified(endpoints.remote)) return undefined
  const skipsPolicy = info.kind === 'sit'
  return { name: ifname, ifindex: message.body.ifi_index, endpoints, protocols, skipsPolicy }
}

/** The kinds that configurations know. */
const KINDS: readonly string[] = TUNNEL_KINDS

/** An interface of this host, as far as tunnels are concerned. */
export interface HostLink {
  readonly name: string
  readonly ifindex: number
  readonly isUp: boolean
  readonly mtu: number
  /** Absent where it is no tunnel of a kind that configurations know. */
  readonly tunnel?: Pick<TunnelInterface, 'kind' | 'local' | 'remote'>
  readonly addresses: readonly Prefix[]
}

/** An interface with all but its addresses; `undefined` where the message is about something else. */
export function readLink(message: RouteMessage): Omit<HostLink, 'addresses'> | undefined {
  if (message.name !== 'NEWLINK') return undefined
  const { body, attributes } = message
  const { ifname: name = '', mtu = 0 } = attributes
  const kind = attributes.linkinfo?.kind ?? ''
  const { local, remote } = readTunnel(message)?.endpoints ?? {}
  return {
    name,
    ifindex: body.ifi_index,
    isUp: (body.ifi_flags & linkFlag.UP) !== 0,
    mtu,
    ...(local && remote && isKind(kind) && { tunnel: { kind, local, remote } }),
  }
}

function isKind(kind: string): kind is TunnelKind {
  return KINDS.includes(kind)
}

/** A tunnel that a configuration describes, before it has a number. @param ifindex stands for it */
export function describedTunnel(
  { name, kind, local, remote }: Pick<TunnelInterface, 'name' | 'kind' | 'local' | 'remote'>,
  ifindex: number,
): Tunnel {
  return {
    name,
    ifindex,
    endpoints: { local, remote },
    protocols: ENCAPSULATION[kind] ?? [],
    skipsPolicy: false,
  }
}

/** @param bytes 4 or 16; copied */
export function toAddress(bytes: Uint8Array): Address {
  return { family: bytes.length === 4 ? 'inet' : 'inet6', bytes: new Uint8Array(bytes) }
}
