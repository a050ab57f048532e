/**
 * The outer IP header of tunnel mode: putting it on, and what of it passes to the inner one when it is taken off (RFC
 * 4301 section 5.1.2, RFC 6040, RFC 2983).
 *
 * @module
 */
import { decapsulatedEcn, ECN, ECN_DROP, type EcnMode, encapsulatedEcn, isSuspectEcn } from './ecn.ts'
import { type IpHeader, parseIp, refreshChecksum, setTrafficClass } from './ip-header.ts'
import { copy, write16, write32 } from './octets.ts'
import { DF, IPPROTO_IPIP, IPPROTO_IPV6, LONGEST, V4_LENGTH, V6_LENGTH } from './protocols.ts'

/** The outer "don't fragment" bit: `copy` takes it from an inner IPv4 packet, and sets it over an IPv6 one. */
export type DfBit = 'clear' | 'set' | 'copy'

/** What an SA says about its tunnel. */
export interface TunnelOptions {
  readonly ecn: EcnMode
  /** Whether the outer DSCP is that of the inner packet, or a number of its own (0 to 63). */
  readonly dscp: 'copy' | number
  /** Whether the inner DSCP becomes that of the outer header when it is taken off. */
  readonly decapsulatedDscp: 'keep' | 'copy'
  /** Where the outer packet is IPv4. */
  readonly dontFragment: DfBit
  readonly hopLimit: number
}

/** The ends of a tunnel. Addresses are the first 4 or all 16 bytes. */
export interface TunnelEnds {
  readonly version: 4 | 6
  readonly source: Uint8Array
  readonly destination: Uint8Array
}

/** Length of the outer header. */
export function outerLength(version: 4 | 6): number {
  return version === 4 ? V4_LENGTH : V6_LENGTH
}

/** The protocol number that says what kind of packet is inside. */
export function innerProtocol(version: 4 | 6): number {
  return version === 4 ? IPPROTO_IPIP : IPPROTO_IPV6
}

/** The outer traffic class over an inner one. */
function outerClass(inner: number, { ecn, dscp }: TunnelOptions): number {
  return (dscp === 'copy' ? inner & ~ECN : dscp << 2) | encapsulatedEcn(ecn, inner)
}

/**
 * Writes the outer header of the packet from `at` to `end`. Its flow label is 0, and its hop limit that of the options:
 * whoever forwarded the inner packet counted that hop there.
 *
 * @param inner header of the inner packet, as it was before anything was done to it
 * @param protocol what follows: ESP, AH or UDP, or the inner packet itself ({@link innerProtocol})
 * @param identification of an IPv4 header, 16 bits. It matters only without the "don't fragment" bit (RFC 6864)
 * @returns false where the packet is longer than its header can tell, with nothing written
 */
export function writeOuterHeader(
  bytes: Uint8Array,
  at: number,
  end: number,
  { version, source, destination }: TunnelEnds,
  options: TunnelOptions,
  inner: IpHeader,
  protocol: number,
  identification: number,
): boolean {
  const itsClass = outerClass(inner.trafficClass, options)
  if (version === 6) {
    if (end - at - V6_LENGTH > LONGEST) return false
    write32(bytes, at, (6 << 28) | (itsClass << 20))
    write16(bytes, at + 4, end - at - V6_LENGTH)
    bytes[at + 6] = protocol
    bytes[at + 7] = options.hopLimit
    copy(source, 0, 16, bytes, at + 8)
    copy(destination, 0, 16, bytes, at + 24)
    return true
  }
  if (end - at > LONGEST) return false
  const { dontFragment } = options
  write16(bytes, at, 0x4500 | itsClass)
  write16(bytes, at + 2, end - at)
  write16(bytes, at + 4, identification)
  write16(bytes, at + 6, dontFragment === 'set' || (dontFragment === 'copy' && inner.dontFragment) ? DF : 0)
  bytes[at + 8] = options.hopLimit
  bytes[at + 9] = protocol
  copy(source, 0, 4, bytes, at + 12)
  copy(destination, 0, 4, bytes, at + 16)
  refreshChecksum(bytes, at)
  return true
}

/** The outer header is off, and the inner packet good. */
export const TAKEN_OFF = 0
/** As {@link TAKEN_OFF}, and the ECN fields are a pair that should be told of ({@link isSuspectEcn}). */
export const TAKEN_OFF_SUSPECT = 1
/** To be dropped (RFC 6040 section 4.2): the outer header tells congestion, and the inner packet cannot. */
export const CONGESTED = -1
/** To be dropped: what is inside is no whole IP packet, or not of the kind that was announced. */
export const NOT_A_PACKET = -2

/**
 * Reads the inner packet from `at` on, and passes on to its header what the outer one has to say.
 *
 * @param end where the data ends; there may be padding behind the inner packet, whose own end is in `inner`
 * @param protocol what the header before it announced
 * @param outer traffic class of the outer header
 * @param inner becomes the header of the inner packet, as it is then
 * @returns one of the codes; where it is negative, the packet is unchanged
 */
export function takeOffOuter(
  bytes: Uint8Array,
  at: number,
  end: number,
  protocol: number,
  outer: number,
  options: TunnelOptions,
  inner: IpHeader,
): number {
  if (!parseIp(bytes, at, end, inner) || protocol !== innerProtocol(inner.version)) return NOT_A_PACKET
  const before = inner.trafficClass
  const ecn = decapsulatedEcn(options.ecn, before & ECN, outer & ECN)
  if (ecn === ECN_DROP) return CONGESTED
  const after = ((options.decapsulatedDscp === 'copy' ? outer : before) & ~ECN) | ecn
  if (after !== before) {
    setTrafficClass(bytes, at, after)
    inner.trafficClass = after
  }
  const isPropagated = options.ecn === 'copy' || options.ecn === 'compatible'
  return isPropagated && isSuspectEcn(before & ECN, outer & ECN) ? TAKEN_OFF_SUSPECT : TAKEN_OFF
}
