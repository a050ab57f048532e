/**
 * Rule selectors as XFRM selectors (xfrm_selector): which packets, seen from the packet's source and
 * destination instead of from this host.
 *
 * @module
 */

import { fromXfrmAddress, toXfrmAddress } from '../../netlink/xfrm/address.ts'
import { family as af } from '../../netlink/xfrm/constants.ts'
import type { Selector as XfrmSelector } from '../../netlink/xfrm/structs.ts'
import { type Address, anyPrefix, type Family, maskPrefix, type Prefix } from '../model/address.ts'
import { type AddressPair, type IcmpRange, PROTOCOLS_WITH_PORTS, type Selector } from '../model/policy.ts'

const PROTOCOL_ICMP = 1
const PROTOCOL_ICMPV6 = 58

/** Type or code number that stands for all of them (ipsecconf(8)). */
const ICMP_ANY = 255

/** A 16-bit value under a mask: how XFRM selects ports, and ICMP types and codes. */
export interface MaskedPort {
  readonly value: number
  readonly mask: number
}

const ANY_PORT: MaskedPort = { value: 0, mask: 0 }

/** The same traffic in both directions. */
export interface SelectorPair {
  readonly out: XfrmSelector
  readonly in: XfrmSelector
}

/** The selectors of one address pair of a rule in one family; several where XFRM cannot say it in one. */
export function selectorPairs(selector: Selector, pair: AddressPair, family: Family): SelectorPair[] {
  const local = pair.local ? maskPrefix(pair.local) : anyPrefix(family)
  const remote = pair.remote ? maskPrefix(pair.remote) : anyPrefix(family)
  return upperLayers(selector).map((upper) => makePair(local, remote, upper))
}

/** What is above IP, as XFRM selects it. For ICMP, `local` is the type and `remote` the code, in both directions. */
interface UpperLayer {
  readonly protocol: number
  readonly local: MaskedPort
  readonly remote: MaskedPort
}

/** What most rules are about; shared by them all. */
const ANYTHING: readonly UpperLayer[] = [{ protocol: 0, local: ANY_PORT, remote: ANY_PORT }]

function upperLayers(selector: Selector): readonly UpperLayer[] {
  const { protocol = 0, icmpType, icmpCode, localPort, remotePort } = selector
  if (icmpType || icmpCode) return icmpLayers(protocol, icmpType, icmpCode)
  if (protocol === 0 && !localPort && !remotePort) return ANYTHING
  const local = exactPort(localPort)
  const remote = exactPort(remotePort)
  // Protocol 0 with a port would also match ICMP types and GRE keys, which share the field.
  const needsProtocol = protocol === 0 && (local.mask !== 0 || remote.mask !== 0)
  return (needsProtocol ? PROTOCOLS_WITH_PORTS : [protocol]).map((number) => ({
    protocol: number,
    local,
    remote,
  }))
}

function exactPort(port: number | undefined): MaskedPort {
  return port ? { value: port, mask: 0xffff } : ANY_PORT
}

function icmpLayers(
  protocol: number,
  type: IcmpRange | undefined,
  code: IcmpRange | undefined,
): UpperLayer[] {
  const layers: UpperLayer[] = []
  for (const local of icmpBlocks(type)) {
    for (const remote of icmpBlocks(code)) layers.push({ protocol, local, remote })
  }
  return layers
}

function icmpBlocks(range: IcmpRange | undefined): MaskedPort[] {
  if (!range || range.from === ICMP_ANY) return [ANY_PORT]
  return alignedBlocks(range.from, Math.min(range.to, 255))
}

/** Covers an inclusive range of 8-bit numbers with the fewest value/mask pairs. */
export function alignedBlocks(from: number, to: number): MaskedPort[] {
  const blocks: MaskedPort[] = []
  let start = from
  while (start <= to) {
    let size = start === 0 ? 256 : start & -start
    while (start + size - 1 > to) size >>= 1
    blocks.push({ value: start, mask: 0x10000 - size })
    start += size
  }
  return blocks
}

function makePair(local: Prefix, remote: Prefix, upper: UpperLayer): SelectorPair {
  const isIcmp = upper.protocol === PROTOCOL_ICMP || upper.protocol === PROTOCOL_ICMPV6
  const out = makeSelector(local, remote, upper.protocol, upper.local, upper.remote)
  const [sport, dport] = isIcmp ? [upper.local, upper.remote] : [upper.remote, upper.local]
  return {
    out,
    in: {
      daddr: out.saddr,
      saddr: out.daddr,
      dport: dport.value,
      dport_mask: dport.mask,
      sport: sport.value,
      sport_mask: sport.mask,
      family: out.family,
      prefixlen_d: out.prefixlen_s,
      prefixlen_s: out.prefixlen_d,
      proto: out.proto,
      ifindex: out.ifindex,
      user: out.user,
    },
  }
}

/** One XFRM selector from its parts. `ifindex` 0 = any interface. */
export function makeSelector(
  source: Prefix,
  destination: Prefix,
  protocol = 0,
  sourcePort: MaskedPort = ANY_PORT,
  destinationPort: MaskedPort = ANY_PORT,
  ifindex = 0,
): XfrmSelector {
  return {
    daddr: toXfrmAddress(destination.bytes),
    saddr: toXfrmAddress(source.bytes),
    dport: destinationPort.value,
    dport_mask: destinationPort.mask,
    sport: sourcePort.value,
    sport_mask: sourcePort.mask,
    family: familyNumber(source.family),
    prefixlen_d: destination.length,
    prefixlen_s: source.length,
    proto: protocol,
    ifindex,
    user: 0,
  }
}

/** AF_INET or AF_INET6. */
export function familyNumber(family: Family): number {
  return family === 'inet' ? af.INET : af.INET6
}

/** An address out of an xfrm_address_t. */
export function readAddress(bytes: Uint8Array, family: number): Address {
  return { family: family === af.INET ? 'inet' : 'inet6', bytes: fromXfrmAddress(bytes, family) }
}
