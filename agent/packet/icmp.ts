/**
 * ICMP errors about a packet (RFC 792, RFC 1122 section 3.2.2, RFC 1812 section 4.3.2, RFC 4443), as whole IP packets.
 *
 * @module
 */
import { checksum, pseudoHeaderSum } from './checksum.ts'
import { type IpHeader, refreshChecksum } from './ip-header.ts'
import { copy, write16, write32 } from './octets.ts'
import { IPPROTO_ICMP, IPPROTO_ICMPV6, V4_LENGTH, V6_LENGTH } from './protocols.ts'

/** A type and a code of ICMP (`…4`) or ICMPv6 (`…6`). */
export interface IcmpKind {
  readonly version: 4 | 6
  readonly type: number
  readonly code: number
}

const kind4 = (type: number, code: number): IcmpKind => ({ version: 4, type, code })
const kind6 = (type: number, code: number): IcmpKind => ({ version: 6, type, code })

/** From RFCs 792, 1122 and 1812, and 4443. `tooBig` also tells which length would fit. */
export const icmpKinds = {
  netUnreachable4: kind4(3, 0),
  hostUnreachable4: kind4(3, 1),
  protocolUnreachable4: kind4(3, 2),
  portUnreachable4: kind4(3, 3),
  tooBig4: kind4(3, 4),
  sourceRouteFailed4: kind4(3, 5),
  netProhibited4: kind4(3, 9),
  hostProhibited4: kind4(3, 10),
  prohibited4: kind4(3, 13),
  hopLimitExceeded4: kind4(11, 0),
  reassemblyTimeExceeded4: kind4(11, 1),
  noRoute6: kind6(1, 0),
  prohibited6: kind6(1, 1),
  beyondScope6: kind6(1, 2),
  addressUnreachable6: kind6(1, 3),
  portUnreachable6: kind6(1, 4),
  sourcePolicy6: kind6(1, 5),
  tooBig6: kind6(2, 0),
  hopLimitExceeded6: kind6(3, 0),
  reassemblyTimeExceeded6: kind6(3, 1),
} as const satisfies Record<string, IcmpKind>

/** What an error's own IP header says. */
export interface IcmpSender {
  /** Holds the address that the error comes from: 4 or 16 bytes from `sourceAt` on. */
  readonly source: Uint8Array
  readonly sourceAt: number
  readonly hopLimit: number
  /** Of an IPv4 header: 16 bits. */
  readonly identification: number
}

/** No error may be sent about that packet, or it is not of the kind's family. */
export const ICMP_NOT_ALLOWED = -1
/** `out` is too short. 576 bytes suffice for IPv4, 1280 for IPv6. */
export const ICMP_NO_ROOM = -2

const ICMP_HEADER = 8
/** RFC 1812 section 4.3.2.3, RFC 4443 section 3: the error as a whole is not longer. */
const LONGEST_V4 = 576
const LONGEST_V6 = 1280
/** Precedence "internetwork control", as RFC 1812 section 4.3.2.5 wants for errors. */
const ERROR_TOS = 0xc0
const REDIRECT_6 = 137

/**
 * Writes the error about a packet to `out`: IP header, ICMP header, and as much of the packet as may be quoted.
 *
 * @param ip the packet's parsed header
 * @param mtu which length would fit, where the kind is `tooBig`; 0 elsewhere
 * @param out not the memory of the packet
 * @returns where the error ends in `out`, or one of the codes
 */
export function writeIcmpError(
  bytes: Uint8Array,
  ip: IpHeader,
  kind: IcmpKind,
  mtu: number,
  sender: IcmpSender,
  out: Uint8Array,
  outAt: number,
): number {
  if (kind.version !== ip.version || !mayReport(bytes, ip, kind)) return ICMP_NOT_ALLOWED
  const header = (ip.version === 4 ? V4_LENGTH : V6_LENGTH) + ICMP_HEADER
  const longest = ip.version === 4 ? LONGEST_V4 : LONGEST_V6
  const quoted = Math.min(ip.end - ip.at, longest - header)
  const end = outAt + header + quoted
  if (end > out.length) return ICMP_NO_ROOM
  const icmpAt = outAt + header - ICMP_HEADER
  out[icmpAt] = kind.type
  out[icmpAt + 1] = kind.code
  write16(out, icmpAt + 2, 0)
  write32(out, icmpAt + 4, mtu)
  copy(bytes, ip.at, ip.at + quoted, out, outAt + header)
  if (ip.version === 4) {
    writeHeader4(bytes, ip, sender, out, outAt, end)
    write16(out, icmpAt + 2, checksum(out, icmpAt, end, 0))
  } else {
    writeHeader6(bytes, ip, sender, out, outAt, end)
    const pseudo = pseudoHeaderSum(out, outAt + 8, 32, IPPROTO_ICMPV6, end - icmpAt)
    write16(out, icmpAt + 2, checksum(out, icmpAt, end, pseudo))
  }
  return end
}

function writeHeader4(
  bytes: Uint8Array,
  { sourceAt }: IpHeader,
  sender: IcmpSender,
  out: Uint8Array,
  at: number,
  end: number,
): void {
  write16(out, at, 0x4500 | ERROR_TOS)
  write16(out, at + 2, end - at)
  write16(out, at + 4, sender.identification)
  write16(out, at + 6, 0)
  out[at + 8] = sender.hopLimit
  out[at + 9] = IPPROTO_ICMP
  copy(sender.source, sender.sourceAt, sender.sourceAt + 4, out, at + 12)
  copy(bytes, sourceAt, sourceAt + 4, out, at + 16)
  refreshChecksum(out, at)
}

function writeHeader6(
  bytes: Uint8Array,
  { sourceAt }: IpHeader,
  sender: IcmpSender,
  out: Uint8Array,
  at: number,
  end: number,
): void {
  write32(out, at, 6 << 28)
  write16(out, at + 4, end - at - V6_LENGTH)
  out[at + 6] = IPPROTO_ICMPV6
  out[at + 7] = sender.hopLimit
  copy(sender.source, sender.sourceAt, sender.sourceAt + 16, out, at + 8)
  copy(bytes, sourceAt, sourceAt + 16, out, at + 24)
}

/**
 * Whether an error may be sent about a packet: not about ICMP errors, nor about fragments but the first, nor about
 * packets to many or from nobody in particular (RFC 1122 section 3.2.2, RFC 4443 section 2.4 e). Only "packet too big"
 * answers multicast, and only over IPv6. Broadcast addresses of a link or subnet are the caller's to know.
 */
function mayReport(bytes: Uint8Array, ip: IpHeader, kind: IcmpKind): boolean {
  if (ip.fragmentOffset > 0 || isIcmpError(bytes, ip)) return false
  if (ip.version === 4) {
    return isSingle4(bytes, ip.sourceAt) && !isMany4(bytes[ip.destinationAt] ?? 0)
  }
  const isToMany = bytes[ip.destinationAt] === 0xff
  return isSingle6(bytes, ip.sourceAt) && (!isToMany || kind.type === icmpKinds.tooBig6.type)
}

/** An error, a redirect, or cut off before its type. */
function isIcmpError(bytes: Uint8Array, { version, transportProtocol, transportAt, end }: IpHeader): boolean {
  if (transportProtocol !== (version === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) return false
  if (transportAt >= end) return true
  const type = bytes[transportAt] ?? 0
  if (version === 6) return type < 128 || type === REDIRECT_6
  // Unreachable, source quench, redirect, time exceeded, parameter problem.
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12
}

/** Multicast, and the reserved class E with the limited broadcast address in it. */
function isMany4(first: number): boolean {
  return first >= 224
}

/** Not 0.0.0.0/8, which is never a source that can be answered, nor loopback, multicast or class E. */
function isSingle4(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at] ?? 0
  return first !== 0 && first !== 127 && !isMany4(first)
}

/** Neither unspecified nor multicast. */
function isSingle6(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] === 0xff) return false
  for (let i = 0; i < 16; i++) if (bytes[at + i] !== 0) return true
  return false
}
