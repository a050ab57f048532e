/**
 * Whether a rule is about a packet, and if not, why not: ipsecconf(8), part by part.
 *
 * @module
 */
import { type Prefix, prefixContains } from '../model/address.ts'
import type { AddressPair, IcmpRange, Rule, Selector } from '../model/policy.ts'
import { hasPorts, isIcmp, type OpenPart, type PartialPacket } from './packet.ts'

/** The part of a rule that is not about the packet. */
export type Mismatch =
  | { readonly part: 'direction'; readonly rule: 'in' | 'out' }
  | { readonly part: 'local' | 'remote'; readonly rule: Prefix }
  | { readonly part: 'protocol'; readonly rule: number }
  /** The rule names a port, and the packet's protocol has none. */
  | { readonly part: 'ports' }
  | { readonly part: 'localPort' | 'remotePort'; readonly rule: number }
  | { readonly part: 'type' | 'code'; readonly rule: IcmpRange }

export type Match =
  | { readonly kind: 'yes' }
  /** It is about some of the packets that were asked about: those with these parts. */
  | { readonly kind: 'some'; readonly open: readonly OpenPart[] }
  /** @property why - the first part that is of other packets */
  | { readonly kind: 'no'; readonly why: Mismatch }

const YES: Match = { kind: 'yes' }

/** A number that stands for all types or codes (ipsecconf(8)). */
export const ICMP_ANY = 255

/** Holds one address pair of a rule against a packet. */
export function matchRule(rule: Rule, pair: AddressPair, packet: PartialPacket, way: 'in' | 'out'): Match {
  if (rule.direction !== 'both' && rule.direction !== way)
    return no({ part: 'direction', rule: rule.direction })
  if (pair.local && !prefixContains(pair.local, packet.local)) return no({ part: 'local', rule: pair.local })
  if (pair.remote && !prefixContains(pair.remote, packet.remote)) {
    return no({ part: 'remote', rule: pair.remote })
  }
  return matchUpperLayer(rule.selector, packet)
}

function no(why: Mismatch): Match {
  return { kind: 'no', why }
}

/** Protocol, ports, and type and code of ICMP. */
function matchUpperLayer(selector: Selector, packet: PartialPacket): Match {
  const { protocol, localPort, remotePort, icmpType, icmpCode } = selector
  const open: OpenPart[] = []
  if (protocol !== undefined && packet.protocol === undefined) open.push('protocol')
  else if (protocol !== undefined && protocol !== packet.protocol)
    return no({ part: 'protocol', rule: protocol })
  for (const [part, wanted] of [
    ['localPort', localPort],
    ['remotePort', remotePort],
  ] as const) {
    if (!wanted) continue
    const known = packet.protocol ?? protocol
    if (known !== undefined && !hasPorts(known)) return no({ part: 'ports' })
    if (packet.protocol === undefined && !open.includes('protocol')) open.push('protocol')
    if (packet[part] === undefined) open.push(part)
    else if (packet[part] !== wanted) return no({ part, rule: wanted })
  }
  for (const [part, range] of [
    ['type', icmpType],
    ['code', icmpCode],
  ] as const) {
    if (!range || range.from === ICMP_ANY) continue
    const value = packet[part]
    if (value === undefined) open.push(part)
    else if (value < range.from || value > range.to) return no({ part, rule: range })
  }
  if ((icmpType || icmpCode) && packet.protocol !== undefined && !isIcmp(packet.protocol)) {
    return no({ part: 'protocol', rule: protocol ?? 1 })
  }
  return open.length > 0 ? { kind: 'some', open } : YES
}
