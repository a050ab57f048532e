/**
 * Requests that make, change and remove tunnel interfaces.
 *
 * @module
 */
import type { AttributeSet, AttributesValue, Definitions } from '../codec/attributes.ts'
import { memoryOf } from '../codec/memory.ts'
import { AF_INET, AF_INET6 } from '../libc/socket.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../socket/message.ts'
import * as a from './attributes.ts'
import { ip6TunnelFlag, linkFlag } from './constants.ts'
import { defaultLink } from './defaults.ts'
import type { RouteMessage } from './messages.ts'

/** A message, and the `NLM_F_` flags that it needs beside those of every request. */
export interface RouteRequest {
  readonly message: RouteMessage
  readonly flags: number
}

/** What a tunnel is made of. */
export interface TunnelForm {
  readonly kind: 'ipip' | 'ip6tnl' | 'gre' | 'ip6gre'
  /** 4 or 16 bytes each, as the kind has them. */
  readonly local: Uint8Array
  readonly remote: Uint8Array
}

/** Hop limit of the outer packets, as on Solaris (`hoplimit` of dladm). */
const HOP_LIMIT = 64

/** IFLA_INFO_DATA: ends, hop limit, and nothing between the outer header and what is inside but GRE's own. */
function dataOf({ kind, local, remote }: TunnelForm): Uint8Array {
  const ends = { local, remote, ttl: HOP_LIMIT }
  const flags = ip6TunnelFlag.IGN_ENCAP_LIMIT
  switch (kind) {
    case 'ipip':
      return bytesOf(a.iptunAttributes, { ...ends, pmtudisc: 1 })
    case 'ip6tnl':
      return bytesOf(a.ip6tnlAttributes, { ...ends, flags, proto: 0 })
    case 'gre':
      return bytesOf(a.greAttributes, { ...ends, pmtudisc: 1 })
    case 'ip6gre':
      return bytesOf(a.ip6greAttributes, { ...ends, flags })
  }
}

function bytesOf<D extends Definitions>(set: AttributeSet<D>, value: AttributesValue<D>): Uint8Array {
  const bytes = new Uint8Array(set.sizeOf(value))
  set.set(memoryOf(bytes), 0, value)
  return bytes
}

/**
 * Makes a tunnel interface, which is down.
 *
 * @param ifindex its number, which is free
 * @param mtu bytes; absent: what the kernel finds
 */
export function createTunnel(name: string, ifindex: number, form: TunnelForm, mtu?: number): RouteRequest {
  const linkinfo = { kind: form.kind, data: dataOf(form) }
  return {
    message: {
      name: 'NEWLINK',
      body: { ...defaultLink(), ifi_index: ifindex, ifi_change: linkFlag.UP },
      attributes: { ifname: name, ...(mtu !== undefined && { mtu }), linkinfo },
    },
    flags: NLM_F_CREATE | NLM_F_EXCL,
  }
}

/** Gives a tunnel of the same kind other ends. */
export function changeTunnel(ifindex: number, form: TunnelForm): RouteRequest {
  const attributes = { linkinfo: { kind: form.kind, data: dataOf(form) } }
  return {
    message: { name: 'NEWLINK', body: { ...defaultLink(), ifi_index: ifindex }, attributes },
    flags: 0,
  }
}

export function setMtu(ifindex: number, mtu: number): RouteRequest {
  const body = { ...defaultLink(), ifi_index: ifindex }
  return { message: { name: 'NEWLINK', body, attributes: { mtu } }, flags: 0 }
}

/** Sets an interface up or down. */
export function setUp(ifindex: number, isUp: boolean): RouteRequest {
  const { UP } = linkFlag
  const body = { ...defaultLink(), ifi_index: ifindex, ifi_flags: isUp ? UP : 0, ifi_change: UP }
  return { message: { name: 'NEWLINK', body, attributes: {} }, flags: 0 }
}

export function deleteLink(ifindex: number): RouteRequest {
  const body = { ...defaultLink(), ifi_index: ifindex }
  return { message: { name: 'DELLINK', body, attributes: {} }, flags: 0 }
}

/**
 * Gives an interface an address.
 *
 * @param bytes 4 or 16
 * @param prefixLength in bits
 */
export function addAddress(ifindex: number, bytes: Uint8Array, prefixLength: number): RouteRequest {
  const [body, attributes] = addressParts(ifindex, bytes, prefixLength)
  return { message: { name: 'NEWADDR', body, attributes }, flags: NLM_F_CREATE | NLM_F_EXCL }
}

/** Takes an address from an interface. */
export function deleteAddress(ifindex: number, bytes: Uint8Array, prefixLength: number): RouteRequest {
  const [body, attributes] = addressParts(ifindex, bytes, prefixLength)
  return { message: { name: 'DELADDR', body, attributes }, flags: 0 }
}

function addressParts(ifindex: number, bytes: Uint8Array, prefixLength: number) {
  const body = {
    ifa_family: bytes.length === 4 ? AF_INET : AF_INET6,
    ifa_prefixlen: prefixLength,
    ifa_flags: 0,
    ifa_scope: 0,
    ifa_index: ifindex,
  }
  return [body, { local: bytes, address: bytes }] as const
}
