/**
 * The packet that is asked about.
 *
 * @module
 */
import { type Address, type Family, isLoopback, sameAddress } from '../model/address.ts'
import { PROTOCOLS_WITH_PORTS } from '../model/policy.ts'
import type { Tunnel } from '../translate/tunnels.ts'

export const PROTOCOL_ICMP = 1
export const PROTOCOL_ICMPV6 = 58

/** One packet, seen from this host. */
export interface Packet {
  readonly family: Family
  /** This host's end in either direction. Of a packet that is passed on: its source on the way out. */
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

/** What of a packet need not be said: it then stands for every value. */
const OPEN_PARTS = ['protocol', 'localPort', 'remotePort', 'type', 'code'] as const
export type OpenPart = (typeof OPEN_PARTS)[number]

/** A packet of which parts may be left open. */
export type PartialPacket = Omit<Packet, OpenPart> & Partial<Pick<Packet, OpenPart>>

/** Which way a packet goes. */
export interface Passage {
  readonly way: 'in' | 'out'
  /** Neither from this host nor for it. */
  readonly isForwarded: boolean
  /** The tunnel interface that it is routed into, or came out of. */
  readonly tunnel?: Tunnel
  /** Index of the interface that it leaves by; 0 = unknown, or on its way in. */
  readonly ifindex: number
}

export function hasPorts(protocol: number): boolean {
  return PROTOCOLS_WITH_PORTS.some((one) => one === protocol)
}

export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6
}

/** The parts of a packet that are left open, and matter for its protocol. */
export function openParts(packet: PartialPacket): OpenPart[] {
  const { protocol } = packet
  if (protocol === undefined) {
    return OPEN_PARTS.filter((part) => packet[part] === undefined)
  }
  const relevant: readonly OpenPart[] = hasPorts(protocol)
    ? ['localPort', 'remotePort']
    : isIcmp(protocol)
      ? ['type', 'code']
      : []
  return relevant.filter((part) => packet[part] === undefined)
}

/** True where both ends are addresses of this host. */
export function isWithItself(
  { local, remote }: Pick<Packet, 'local' | 'remote'>,
  ownAddresses: readonly Address[],
): boolean {
  const isOwn = (address: Address) =>
    isLoopback(address) || ownAddresses.some((own) => sameAddress(own, address))
  return isOwn(local) && isOwn(remote)
}

/** The packet that carries another through a tunnel interface. */
export function outerPacket({ family }: PartialPacket, { endpoints, protocols }: Tunnel): Packet {
  const { local, remote } = endpoints
  // IPv4 in IP is 4, IPv6 is 41; an interface of another kind sends one protocol for both.
  const wanted = family === 'inet' ? 4 : 41
  const protocol = protocols.find((one) => one === wanted) ?? protocols[0] ?? wanted
  return {
    family: local.family,
    local,
    remote,
    protocol,
    localPort: 0,
    remotePort: 0,
    type: 0,
    code: 0,
  }
}
