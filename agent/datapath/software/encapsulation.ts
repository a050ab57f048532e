/**
 * Puts the protection of one SA around a packet: ESP or AH, in transport or tunnel mode, in UDP where the SA says so.
 *
 * @module
 */
import { family as af, extraFlag, proto, stateFlag } from '../../../netlink/xfrm/constants.ts'
import { checksum, pseudoHeaderSum } from '../../packet/checksum.ts'
import { type IpHeader, parseIp, setLength } from '../../packet/ip-header.ts'
import type { Packet } from '../../packet/packet.ts'
import { IPPROTO_UDP, UDP_HEADER_LENGTH } from '../../packet/protocols.ts'
import { innerProtocol, outerLength, type TunnelOptions, writeOuterHeader } from '../../packet/tunnel.ts'
import { ahLength, sealAh } from './ah.ts'
import { espHeaderLength, espOverhead, sealEsp } from './esp.ts'
import type { State } from './state/state.ts'
import type { Counter } from './state/statistics.ts'

const DEFAULT_HOP_LIMIT = 64

/** Bytes that an SA adds to a packet with a payload of this length behind its IP header. */
export function overheadOf(state: State, packetLength: number, payload: number): number {
  const { body, isTunnel } = state
  const outer = isTunnel ? outerLength(body.family === af.INET ? 4 : 6) : 0
  const inside = isTunnel ? packetLength : payload
  const header = body.id.proto === proto.AH ? ahLength(state) : espOverhead(state, inside)
  return outer + header + (state.attributes.encap ? UDP_HEADER_LENGTH : 0)
}

/** How an SA's tunnel treats what it carries: the flags of XFRM. */
export function tunnelOptionsOf({ body, attributes }: State): TunnelOptions {
  const extra = attributes.sa_extra_flags ?? 0
  return {
    ecn: body.flags & stateFlag.NOECN ? 'clear' : 'copy',
    dscp: extra & extraFlag.DONT_ENCAP_DSCP ? 0 : 'copy',
    decapsulatedDscp: body.flags & stateFlag.DECAP_DSCP ? 'copy' : 'keep',
    dontFragment: body.flags & stateFlag.NOPMTUDISC ? 'clear' : 'copy',
    hopLimit: DEFAULT_HOP_LIMIT,
  }
}

let identification = 0

/**
 * Protects the packet in place.
 *
 * @param ip its parsed header; parsed anew for the packet that comes out
 * @returns why it cannot be; the packet is then of no use any more
 */
export function encapsulate(state: State, packet: Packet, ip: IpHeader): Counter | undefined {
  const failure = state.isTunnel ? addTunnel(state, packet, ip) : addTransport(state, packet, ip)
  if (failure) return failure
  return parseIp(packet.arena.bytes, packet.at, packet.end, ip) ? undefined : 'XfrmOutError'
}

function addTransport(state: State, packet: Packet, ip: IpHeader): Counter | undefined {
  const { bytes } = packet.arena
  const isAh = state.body.id.proto === proto.AH
  const encap = state.attributes.encap
  const room = isAh ? ahLength(state) : espHeaderLength(state) + (encap ? UDP_HEADER_LENGTH : 0)
  const { upperAt, protocol } = ip
  const nextHeaderAt = ip.nextHeaderAt - room
  bytes.copyWithin(packet.at - room, packet.at, upperAt)
  packet.at -= room
  bytes[nextHeaderAt] = encap ? IPPROTO_UDP : state.body.id.proto
  if (isAh) {
    nameIfNameless(packet, ip.version)
    setLength(bytes, packet.at, packet.end)
    return addAh(state, packet, upperAt - room, protocol)
  }
  const failure = addEsp(state, packet, upperAt, protocol)
  if (failure) return failure
  setLength(bytes, packet.at, packet.end)
  if (encap) writeUdpHeader(state, packet, upperAt - room)
  return undefined
}

/** An identification of 0 the kernel replaces when it sends the packet; but AH covers it. */
function nameIfNameless({ arena: { view }, at }: Packet, version: 4 | 6): void {
  if (version === 6 || view.getUint16(at + 4) !== 0) return
  identification = (identification % 0xffff) + 1
  view.setUint16(at + 4, identification)
}

function addTunnel(state: State, packet: Packet, inner: IpHeader): Counter | undefined {
  const { bytes } = packet.arena
  const { body, attributes } = state
  const innerAt = packet.at
  const protocol = innerProtocol(inner.version)
  const version = body.family === af.INET ? 4 : 6
  const isAh = body.id.proto === proto.AH
  const { encap } = attributes
  const room = isAh ? ahLength(state) : espHeaderLength(state) + (encap ? UDP_HEADER_LENGTH : 0)
  const headerAt = innerAt - room
  packet.at = headerAt - outerLength(version)
  if (!isAh) {
    const failure = addEsp(state, packet, innerAt, protocol)
    if (failure) return failure
  }
  const ends = { version, source: body.saddr, destination: body.id.daddr } as const
  const options = tunnelOptionsOf(state)
  const outerProtocol = encap ? IPPROTO_UDP : body.id.proto
  identification = (identification % 0xffff) + 1
  const { at, end } = packet
  if (!writeOuterHeader(bytes, at, end, ends, options, inner, outerProtocol, identification))
    return 'XfrmOutError'
  if (isAh) return addAh(state, packet, headerAt, protocol)
  if (encap) writeUdpHeader(state, packet, headerAt)
  return undefined
}

function addEsp(state: State, packet: Packet, payloadAt: number, protocol: number): Counter | undefined {
  const tfcTo = state.attributes.tfcpad ?? 0
  const end = sealEsp(state, packet.arena, payloadAt, packet.end, protocol, tfcTo)
  if (end === 0) return 'XfrmOutStateSeqError'
  packet.end = end
  return undefined
}

function addAh(state: State, packet: Packet, ahAt: number, protocol: number): Counter | undefined {
  const outcome = sealAh(state, packet.arena, packet.at, ahAt, packet.end, protocol)
  if (outcome === 'sealed') return undefined
  return outcome === 'exhausted' ? 'XfrmOutStateSeqError' : 'XfrmOutStateProtoError'
}

/** RFC 3948 section 2.1: no checksum, but over IPv6, where there must be one. */
function writeUdpHeader(
  { attributes: { encap }, body }: State,
  { arena, at, end }: Packet,
  udpAt: number,
): void {
  if (!encap) return
  const { view, bytes } = arena
  view.setUint16(udpAt, encap.encap_sport)
  view.setUint16(udpAt + 2, encap.encap_dport)
  view.setUint16(udpAt + 4, end - udpAt)
  view.setUint16(udpAt + 6, 0)
  if (body.family === af.INET) return
  const sum = pseudoHeaderSum(bytes, at + 8, 32, IPPROTO_UDP, end - udpAt)
  view.setUint16(udpAt + 6, checksum(bytes, udpAt, end, sum) || 0xffff)
}
