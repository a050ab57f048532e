/**
 * IP headers of packets whose socket gives the payload, and what stood before it beside that.
 *
 * @module
 */
import type { MessageVector } from '../../../../../netlink/libc/message-vector.ts'
import { AF_INET } from '../../../../../netlink/libc/socket.ts'
import {
  IP_PKTINFO,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_DSTOPTS,
  IPV6_HOPLIMIT,
  IPV6_HOPOPTS,
  IPV6_PKTINFO,
  IPV6_RTHDR,
  IPV6_TCLASS,
} from '../../../../../netlink/libc/socket-options.ts'
import { refreshChecksum } from '../../../../packet/ip-header.ts'
import { HEADROOM } from '../../../../packet/packet.ts'
import {
  DF,
  ESP_HEADER_LENGTH,
  IPPROTO_DSTOPTS,
  IPPROTO_ESP,
  IPPROTO_HOPOPTS,
  IPPROTO_ROUTING,
  V4_LENGTH,
  V6_LENGTH,
} from '../../../../packet/protocols.ts'
import type { UdpPort } from './sockets.ts'

/** Puts the IP header in front of what a socket gave, in the headroom. @returns where the packet begins, or -1 */
export type HeaderMaker = (vector: MessageVector, slot: number, at: number, length: number) => number

/** A raw IPv4 socket gives whole packets, put together again from their fragments. */
export const asItIs: HeaderMaker = (_vector, _slot, at) => at

/** ESP in UDP (RFC 3948 section 2): a keepalive is one byte, and what begins with four zeros is IKE. */
export function udpHeaderMaker({ family }: UdpPort): HeaderMaker {
  const makeHeader = family === AF_INET ? makeHeader4 : headerMaker6(IPPROTO_ESP)
  return (vector, slot, at, length) => {
    if (length <= ESP_HEADER_LENGTH) return -1
    return vector.arena.view.getUint32(at) === 0 ? -1 : makeHeader(vector, slot, at, length)
  }
}

const makeHeader4: HeaderMaker = (vector, slot, at, length) => {
  const { bytes, view } = vector.arena
  const info = vector.controlOf(slot, IPPROTO_IP, IP_PKTINFO)
  if (info === 0) return -1
  const ttl = vector.controlOf(slot, IPPROTO_IP, IP_TTL)
  const tos = vector.controlOf(slot, IPPROTO_IP, IP_TOS)
  const begin = at - V4_LENGTH
  bytes.fill(0, begin, at)
  bytes[begin] = 0x45
  bytes[begin + 1] = tos === 0 ? 0 : (bytes[tos] ?? 0)
  view.setUint16(begin + 2, V4_LENGTH + length)
  // Nobody tells whether it said so; but it is whole, and its identification means nothing any more.
  view.setUint16(begin + 6, DF)
  bytes[begin + 8] = ttl === 0 ? 64 : (bytes[ttl] ?? 0)
  bytes[begin + 9] = IPPROTO_ESP
  bytes.copyWithin(begin + 12, vector.nameAt(slot) + 4, vector.nameAt(slot) + 8)
  // in_pktinfo: interface, local address, destination of the header
  bytes.copyWithin(begin + 16, info + 8, info + 12)
  refreshChecksum(bytes, begin)
  return begin
}

/** Extension headers in the order in which they stand, with the number that names each. */
const EXTENSIONS: readonly (readonly [control: number, protocol: number])[] = [
  [IPV6_HOPOPTS, IPPROTO_HOPOPTS],
  [IPV6_DSTOPTS, IPPROTO_DSTOPTS],
  [IPV6_RTHDR, IPPROTO_ROUTING],
]

/** The IPv6 header as it was, from what the kernel tells of it; the flow label is not among that. */
export function headerMaker6(protocol: number): HeaderMaker {
  return (vector, slot, at, length) => {
    const { bytes, view } = vector.arena
    const info = vector.controlOf(slot, IPPROTO_IPV6, IPV6_PKTINFO)
    if (info === 0) return -1
    let begin = at
    let next = protocol
    for (const [control, number] of EXTENSIONS.toReversed()) {
      const extension = vector.controlOf(slot, IPPROTO_IPV6, control)
      if (extension === 0) continue
      const size = vector.controlLength(extension)
      if (begin - size - V6_LENGTH < at - HEADROOM) return -1
      begin -= size
      bytes.copyWithin(begin, extension, extension + size)
      bytes[begin] = next
      next = number
    }
    const hopLimit = vector.controlOf(slot, IPPROTO_IPV6, IPV6_HOPLIMIT)
    const trafficClass = vector.controlOf(slot, IPPROTO_IPV6, IPV6_TCLASS)
    const itsClass = trafficClass === 0 ? 0 : (bytes[trafficClass] ?? 0)
    begin -= V6_LENGTH
    view.setUint32(begin, (6 << 28) | (itsClass << 20))
    view.setUint16(begin + 4, at + length - begin - V6_LENGTH)
    bytes[begin + 6] = next
    bytes[begin + 7] = hopLimit === 0 ? 64 : (bytes[hopLimit] ?? 0)
    bytes.copyWithin(begin + 8, vector.nameAt(slot) + 8, vector.nameAt(slot) + 24)
    bytes.copyWithin(begin + 24, info, info + 16)
    return begin
  }
}
