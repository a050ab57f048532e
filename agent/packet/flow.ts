/**
 * What policies and SAs are looked up by: the addresses, protocol and ports of a packet, as XFRM's flow key has them.
 *
 * @module
 */
import { family as af } from '../../netlink/xfrm/constants.ts'
import type { Selector } from '../../netlink/xfrm/structs.ts'

/** One packet's key. Reused from packet to packet, so that a lookup needs no memory. */
export interface Flow {
  /** `AF_INET` or `AF_INET6`. */
  family: number
  /** 16 bytes; an IPv4 address is the first four, the rest zero. */
  readonly source: Uint8Array
  readonly destination: Uint8Array
  protocol: number
  /** Of ICMP the type; of fragments and protocols without ports 0. */
  sport: number
  /** Of ICMP the code. */
  dport: number
  /** The device that the packet is routed to, or was received from; 0 = any. */
  ifindex: number
}

export function newFlow(): Flow {
  return {
    family: af.INET,
    source: new Uint8Array(16),
    destination: new Uint8Array(16),
    protocol: 0,
    sport: 0,
    dport: 0,
    ifindex: 0,
  }
}

/** Makes `to` the same as `from`. */
export function copyFlow(from: Flow, to: Flow): void {
  to.family = from.family
  to.source.set(from.source)
  to.destination.set(from.destination)
  to.protocol = from.protocol
  to.sport = from.sport
  to.dport = from.dport
  to.ifindex = from.ifindex
}

export function sameFlow(a: Flow, b: Flow): boolean {
  if (a.protocol !== b.protocol || a.sport !== b.sport || a.dport !== b.dport) return false
  if (a.family !== b.family || a.ifindex !== b.ifindex) return false
  const length = a.family === af.INET ? 4 : 16
  for (let i = 0; i < length; i++) if (a.source[i] !== b.source[i]) return false
  for (let i = 0; i < length; i++) if (a.destination[i] !== b.destination[i]) return false
  return true
}

/** A number that is the same for the same flow. */
export function hashFlow({ family, source, destination, protocol, sport, dport, ifindex }: Flow): number {
  let hash = (protocol << 24) ^ (sport << 16) ^ dport ^ Math.imul(ifindex, 0x9e3779b1)
  const length = family === af.INET ? 4 : 16
  for (let i = 0; i < length; i++) {
    hash = Math.imul(hash ^ (source[i] ?? 0), 0x01000193)
    hash = Math.imul(hash ^ (destination[i] ?? 0), 0x01000193)
  }
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Whether a selector covers a flow. */
export function selectorMatches(sel: Selector, flow: Flow): boolean {
  return (
    sel.family === flow.family &&
    (sel.proto === 0 || sel.proto === flow.protocol) &&
    ((flow.sport ^ sel.sport) & sel.sport_mask) === 0 &&
    ((flow.dport ^ sel.dport) & sel.dport_mask) === 0 &&
    (sel.ifindex === 0 || sel.ifindex === flow.ifindex) &&
    samePrefix(sel.daddr, flow.destination, sel.prefixlen_d) &&
    samePrefix(sel.saddr, flow.source, sel.prefixlen_s)
  )
}

/** An SA's selector may be left unspecified: it then covers everything (`AF_UNSPEC`). */
export function stateSelectorMatches(sel: Selector, flow: Flow): boolean {
  return sel.family === af.UNSPEC || selectorMatches(sel, flow)
}

function samePrefix(a: Uint8Array, b: Uint8Array, length: number): boolean {
  const whole = length >> 3
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false
  const rest = length & 7
  return rest === 0 || (((a[whole] ?? 0) ^ (b[whole] ?? 0)) & (0xff00 >> rest) & 0xff) === 0
}
