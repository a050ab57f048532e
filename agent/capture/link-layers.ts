/**
 * What stands in front of an IP packet in a capture, by the link types of capture files
 * (https://www.tcpdump.org/linktypes.html).
 *
 * @module
 */
import { read16, write16, write32 } from '../packet/octets.ts'
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, isVlanTag, VLAN_TAG_LENGTH } from './ethertypes.ts'
import type { LinkLayer } from './frame.ts'

/** Headers with an Ethernet type: where it stands, and where the packet begins that it announces. */
export const TYPED_HEADERS = {
  ethernet: { typeAt: 12, length: 14 },
  cooked: { typeAt: 14, length: 16 },
  cooked2: { typeAt: 0, length: 20 },
} as const

export const COOKED2_LENGTH = TYPED_HEADERS.cooked2.length
const FAMILY_LENGTH = 4
const AF_INET = 2
/** Linux, and the BSDs, which do not agree. */
const AF_INET6: ReadonlySet<number> = new Set([10, 24, 28, 30])
/** What most readers take for IPv6. */
const AF_INET6_WRITTEN = 30

const LINK_TYPES: ReadonlyMap<number, LinkLayer> = new Map([
  [0, 'null'],
  [1, 'ethernet'],
  [12, 'raw'], // DLT_RAW in files of programs that do not translate it
  [14, 'raw'], // the same on OpenBSD
  [101, 'raw'],
  [108, 'null'], // LINKTYPE_LOOP: the family is in network byte order
  [113, 'cooked'],
  [228, 'raw'], // LINKTYPE_IPV4
  [229, 'raw'], // LINKTYPE_IPV6
  [276, 'cooked2'],
])

const WRITTEN_AS = { null: 0, ethernet: 1, raw: 101, cooked: 113, cooked2: 276 } as const

/** @param linkType number of a capture file, which may have the length of a checksum in its upper bits */
export function linkLayerOf(linkType: number): LinkLayer | undefined {
  return LINK_TYPES.get(linkType & 0xffff)
}

/** The number under which a capture file has it. */
export function linkTypeOf(link: LinkLayer): number {
  return WRITTEN_AS[link]
}

/** @returns where the IP header begins in a frame of `end` bytes, or -1 where there is none */
export function findIp(bytes: Uint8Array, end: number, link: LinkLayer): number {
  if (link === 'raw') return isIp(bytes, 0, end, 0) ? 0 : -1
  if (link === 'null') return familyOf(bytes, end) !== 0 && isIp(bytes, 4, end, 0) ? FAMILY_LENGTH : -1
  const { typeAt, length } = TYPED_HEADERS[link]
  if (end < length) return -1
  let type = read16(bytes, typeAt)
  let at: number = length
  while (isVlanTag(type)) {
    if (at + VLAN_TAG_LENGTH > end) return -1
    type = read16(bytes, at + 2)
    at += VLAN_TAG_LENGTH
  }
  if (type !== ETHERTYPE_IPV4 && type !== ETHERTYPE_IPV6) return -1
  return isIp(bytes, at, end, type) ? at : -1
}

function isIp(bytes: Uint8Array, at: number, end: number, type: number): boolean {
  if (at >= end) return false
  const version = (bytes[at] ?? 0) >> 4
  return (version === 4 && type !== ETHERTYPE_IPV6) || (version === 6 && type !== ETHERTYPE_IPV4)
}

/** 4 or 6, or 0 for anything else. Which byte order it has nobody tells: that of the host that captured. */
function familyOf(bytes: Uint8Array, end: number): 0 | 4 | 6 {
  if (end < FAMILY_LENGTH) return 0
  const high = read16(bytes, 0)
  const low = read16(bytes, 2)
  const family = high === 0 ? low : low === 0 ? ((high & 0xff) << 8) | (high >> 8) : 0
  return family === AF_INET ? 4 : AF_INET6.has(family) ? 6 : 0
}

/**
 * Says in the link layer's header that another IP version follows: the inner packet of a tunnel.
 *
 * @param ipAt where that packet begins; the header, VLAN tags included, stands before it
 */
export function announceVersion(bytes: Uint8Array, ipAt: number, link: LinkLayer, version: 4 | 6): void {
  if (link === 'raw') return
  if (link === 'null') {
    const isBig = read16(bytes, ipAt - 4) === 0
    const family = version === 4 ? AF_INET : AF_INET6_WRITTEN
    write32(bytes, ipAt - 4, isBig ? family : family << 24)
    return
  }
  const { typeAt, length } = TYPED_HEADERS[link]
  const type = version === 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6
  // Of a cooked header, the type stands in it; the tags follow, the last of which has the type of the packet.
  const first = read16(bytes, ipAt - length + typeAt)
  const isTagged = link === 'ethernet' || !(first === ETHERTYPE_IPV4 || first === ETHERTYPE_IPV6)
  write16(bytes, isTagged ? ipAt - 2 : ipAt - length + typeAt, type)
}
