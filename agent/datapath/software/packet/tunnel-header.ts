/**
 * The outer IP header of tunnel mode, and what of it passes to the inner one (RFC 4301 section 5.1.2, RFC 6040).
 *
 * @module
 */
import { refreshChecksum } from './ip-header.ts'

const V4_LENGTH = 20
const V6_LENGTH = 40
const ECN = 0b11
const NOT_ECT = 0b00
const ECT1 = 0b01
const ECT0 = 0b10
const CE = 0b11

/** How the outer header is made. */
export interface TunnelOptions {
  /** `copy`: the outer ECN field is the inner one, and congestion on the way is passed on (RFC 6040). `clear`: neither. */
  readonly ecn: 'copy' | 'clear'
  /** Whether the outer DSCP is that of the inner packet, or 0. */
  readonly dscp: 'copy' | 'clear'
  /** Whether the inner DSCP becomes that of the outer header when it is taken off (RFC 2983, uniform model). */
  readonly decapsulatedDscp: 'keep' | 'copy'
  /** The outer "don't fragment" bit, where the outer packet is IPv4. */
  readonly dontFragment: 'copy' | 'set' | 'clear'
  readonly hopLimit: number
}

/** Length of the outer header. */
export function outerLength(version: 4 | 6): number {
  return version === 4 ? V4_LENGTH : V6_LENGTH
}

/** Type of service (IPv4) or traffic class (IPv6). */
export function trafficClass(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  const second = bytes[at + 1] ?? 0
  return first >> 4 === 4 ? second : ((first & 15) << 4) | (second >> 4)
}

function setTrafficClass(bytes: Uint8Array, at: number, value: number): void {
  const first = bytes[at] ?? 0
  if (first >> 4 === 4) {
    bytes[at + 1] = value
    refreshChecksum(bytes, at)
    return
  }
  bytes[at] = 0x60 | (value >> 4)
  bytes[at + 1] = ((value & 15) << 4) | ((bytes[at + 1] ?? 0) & 15)
}

/** The outer class for an inner packet. */
export function outerClass(inner: number, { ecn, dscp }: TunnelOptions): number {
  return (dscp === 'copy' ? inner & ~ECN : 0) | (ecn === 'copy' ? inner & ECN : 0)
}

/** True where a packet must not be fragmented; IPv6 never is on the way. */
export function isUnfragmentable(bytes: Uint8Array, at: number): boolean {
  return (bytes[at] ?? 0) >> 4 === 6 || ((bytes[at + 6] ?? 0) & 0x40) !== 0
}

/** What an outer header says besides {@link TunnelOptions}. Addresses are the first 4 or all 16 bytes. */
export interface OuterHeader {
  readonly version: 4 | 6
  readonly source: Uint8Array
  readonly destination: Uint8Array
}

/**
 * Writes the outer header of the packet from `at` to `end`.
 *
 * @param innerClass traffic class of the inner packet
 * @param unfragmentable whether the inner packet is
 * @param protocol what follows: ESP, AH or UDP
 * @param identification of an IPv4 packet that may be fragmented (RFC 6864)
 */
export function writeOuterHeader(
  bytes: Uint8Array,
  at: number,
  end: number,
  { version, source, destination }: OuterHeader,
  options: TunnelOptions,
  innerClass: number,
  unfragmentable: boolean,
  protocol: number,
  identification: number,
): void {
  const itsClass = outerClass(innerClass, options)
  if (version === 6) {
    bytes[at] = 0x60 | (itsClass >> 4)
    bytes[at + 1] = (itsClass & 15) << 4
    bytes[at + 2] = 0
    bytes[at + 3] = 0
    bytes[at + 4] = (end - at - V6_LENGTH) >>> 8
    bytes[at + 5] = end - at - V6_LENGTH
    bytes[at + 6] = protocol
    bytes[at + 7] = options.hopLimit
    for (let i = 0; i < 16; i++) bytes[at + 8 + i] = source[i] ?? 0
    for (let i = 0; i < 16; i++) bytes[at + 24 + i] = destination[i] ?? 0
    return
  }
  const { dontFragment } = options
  bytes[at] = 0x45
  bytes[at + 1] = itsClass
  bytes[at + 2] = (end - at) >>> 8
  bytes[at + 3] = end - at
  bytes[at + 4] = identification >>> 8
  bytes[at + 5] = identification
  bytes[at + 6] = dontFragment === 'set' || (dontFragment === 'copy' && unfragmentable) ? 0x40 : 0
  bytes[at + 7] = 0
  bytes[at + 8] = options.hopLimit
  bytes[at + 9] = protocol
  for (let i = 0; i < 4; i++) bytes[at + 12 + i] = source[i] ?? 0
  for (let i = 0; i < 4; i++) bytes[at + 16 + i] = destination[i] ?? 0
  refreshChecksum(bytes, at)
}

/**
 * Passes on to the inner header at `at` what the outer one has to say.
 *
 * @param outer traffic class of the outer header
 * @returns false where the packet has to be dropped: congestion was met by a packet that cannot carry the news
 */
export function propagate(bytes: Uint8Array, at: number, outer: number, options: TunnelOptions): boolean {
  const inner = trafficClass(bytes, at)
  const ecn = options.ecn === 'copy' ? decapsulatedEcn(inner & ECN, outer & ECN) : inner & ECN
  if (ecn === undefined) return false
  const dscp = (options.decapsulatedDscp === 'copy' ? outer : inner) & ~ECN
  if ((dscp | ecn) !== inner) setTrafficClass(bytes, at, dscp | ecn)
  return true
}

/** The table of RFC 6040 section 4.2; `undefined` stands for "drop". */
export function decapsulatedEcn(inner: number, outer: number): number | undefined {
  if (outer === CE) return inner === NOT_ECT ? undefined : CE
  if (outer === ECT1 && inner === ECT0) return ECT1
  return inner
}
