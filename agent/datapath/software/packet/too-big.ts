/**
 * The ICMP error that tells a sender which packets fit (RFC 1191, RFC 8201; RFC 4301 section 8.2.1).
 *
 * @module
 */
import type { Arena } from '../../../../netlink/libc/arena.ts'
import { checksum, pseudoHeaderSum } from './checksum.ts'
import { IPPROTO_ICMP, IPPROTO_ICMPV6, type IpHeader, refreshChecksum } from './ip-header.ts'
import type { Packet } from './packet.ts'

const ICMP_HEADER = 8
const V4_LENGTH = 20
const V6_LENGTH = 40
/** RFC 1812 section 4.3.2.3, RFC 4443 section 3.2: the error as a whole is not longer. */
const V4_LIMIT = 576
const V6_LIMIT = 1280
const UNREACHABLE = 3
const FRAGMENTATION_NEEDED = 4
const PACKET_TOO_BIG = 2

/** ICMP messages that are errors themselves: no error is sent about them. */
function isError(bytes: Uint8Array, { protocol, upperAt, end }: IpHeader): boolean {
  if (upperAt >= end) return false
  const type = bytes[upperAt] ?? 0
  if (protocol === IPPROTO_ICMP) return [3, 4, 5, 11, 12].includes(type)
  return protocol === IPPROTO_ICMPV6 && type < 128
}

/**
 * Writes the error about a packet to `room`, as if it came from the packet's destination: to the host itself, a packet
 * from one of its own addresses would be a forgery.
 *
 * @param ip the packet's parsed header
 * @returns the error; `undefined` where none may be sent
 */
export function tooBig({ arena, at }: Packet, ip: IpHeader, mtu: number, room: Arena): Packet | undefined {
  if (ip.fragmentOffset > 0 || isError(arena.bytes, ip)) return undefined
  return ip.version === 4 ? tooBig4(arena.bytes, at, ip, mtu, room) : tooBig6(arena.bytes, at, ip, mtu, room)
}

function tooBig4(bytes: Uint8Array, at: number, ip: IpHeader, mtu: number, room: Arena): Packet {
  const quoted = Math.min(ip.end - at, V4_LIMIT - V4_LENGTH - ICMP_HEADER)
  const end = V4_LENGTH + ICMP_HEADER + quoted
  const { bytes: out, view } = room
  out.fill(0, 0, V4_LENGTH + ICMP_HEADER)
  out[0] = 0x45
  view.setUint16(2, end)
  out[8] = 64
  out[9] = IPPROTO_ICMP
  out.set(bytes.subarray(ip.destinationAt, ip.destinationAt + 4), 12)
  out.set(bytes.subarray(ip.sourceAt, ip.sourceAt + 4), 16)
  refreshChecksum(out, 0)
  out[V4_LENGTH] = UNREACHABLE
  out[V4_LENGTH + 1] = FRAGMENTATION_NEEDED
  view.setUint16(V4_LENGTH + 6, mtu)
  out.set(bytes.subarray(at, at + quoted), V4_LENGTH + ICMP_HEADER)
  view.setUint16(V4_LENGTH + 2, checksum(out, V4_LENGTH, end, 0))
  return { arena: room, at: 0, end }
}

function tooBig6(bytes: Uint8Array, at: number, ip: IpHeader, mtu: number, room: Arena): Packet {
  const quoted = Math.min(ip.end - at, V6_LIMIT - V6_LENGTH - ICMP_HEADER)
  const length = ICMP_HEADER + quoted
  const end = V6_LENGTH + length
  const { bytes: out, view } = room
  out.fill(0, 0, V6_LENGTH + ICMP_HEADER)
  out[0] = 0x60
  view.setUint16(4, length)
  out[6] = IPPROTO_ICMPV6
  out[7] = 64
  out.set(bytes.subarray(ip.destinationAt, ip.destinationAt + 16), 8)
  out.set(bytes.subarray(ip.sourceAt, ip.sourceAt + 16), 24)
  out[V6_LENGTH] = PACKET_TOO_BIG
  view.setUint32(V6_LENGTH + 4, mtu)
  out.set(bytes.subarray(at, at + quoted), V6_LENGTH + ICMP_HEADER)
  view.setUint16(
    V6_LENGTH + 2,
    checksum(out, V6_LENGTH, end, pseudoHeaderSum(out, 8, 32, IPPROTO_ICMPV6, length)),
  )
  return { arena: room, at: 0, end }
}
