/**
 * Cutting a packet that is too long for its way into fragments (RFC 791 section 3.2, RFC 8200 section 4.5).
 *
 * @module
 */
import type { Arena } from '../../../../netlink/libc/arena.ts'
import { IPPROTO_FRAGMENT, type IpHeader, refreshChecksum, setLength } from './ip-header.ts'
import type { Packet } from './packet.ts'

const MF = 0x2000
const OFFSET = 0x1fff
const V4_LENGTH = 20
const FRAGMENT_HEADER_LENGTH = 8
/** Options of IPv4 with this bit stand in every fragment, the others in the first only. */
const COPIED = 0x80

/**
 * Cuts a packet and hands each fragment out, good during the call.
 *
 * @param ip its parsed header; of IPv6, `upperAt` is where the part begins that is cut
 * @param room where fragments are put together: as long as the MTU
 * @param identification for IPv6, whose header has none
 * @returns false where that is not possible: the headers alone are too long
 */
export function fragmentPacket(
  { arena, at, end }: Packet,
  ip: IpHeader,
  mtu: number,
  room: Arena,
  identification: number,
  emit: (fragment: Packet) => void,
): boolean {
  const cut = ip.version === 4 ? cutV4 : cutV6
  return cut(arena, at, end, ip, mtu, room, identification, emit)
}

type Cut = (
  arena: Arena,
  at: number,
  end: number,
  ip: IpHeader,
  mtu: number,
  room: Arena,
  identification: number,
  emit: (fragment: Packet) => void,
) => boolean

const cutV4: Cut = ({ bytes, view }, at, end, ip, mtu, room, _identification, emit) => {
  const dataAt = at + ((bytes[at] ?? 0) & 15) * 4
  const field = view.getUint16(at + 6)
  const firstOffset = field & OFFSET
  const space = (mtu - (dataAt - at)) & ~7
  if (space < 8) return false
  for (let from = dataAt; from < end; from += space) {
    const to = Math.min(from + space, end)
    const isFirst = from === dataAt
    const headerLength = isFirst
      ? copyHeader(bytes, at, dataAt, room.bytes)
      : copyCopied(bytes, at, dataAt, room.bytes)
    room.bytes.set(bytes.subarray(from, to), headerLength)
    const more = to < end || (field & MF) !== 0 ? MF : 0
    room.view.setUint16(6, (field & ~(MF | OFFSET)) | more | (firstOffset + (from - dataAt) / 8))
    setLength(room.bytes, 0, headerLength + to - from)
    emit({ arena: room, at: 0, end: headerLength + to - from })
  }
  return ip.version === 4
}

function copyHeader(bytes: Uint8Array, at: number, end: number, to: Uint8Array): number {
  to.set(bytes.subarray(at, end))
  return end - at
}

/** The header for fragments behind the first. */
function copyCopied(bytes: Uint8Array, at: number, end: number, to: Uint8Array): number {
  to.set(bytes.subarray(at, at + V4_LENGTH))
  let length = V4_LENGTH
  for (let option = at + V4_LENGTH; option < end; ) {
    const type = bytes[option] ?? 0
    if (type === 0) break
    const size = type === 1 ? 1 : Math.max(2, bytes[option + 1] ?? 2)
    if (type & COPIED && option + size <= end) {
      to.set(bytes.subarray(option, option + size), length)
      length += size
    }
    option += size
  }
  while (length % 4 !== 0) to[length++] = 0
  to[0] = 0x40 | (length / 4)
  refreshChecksum(to, 0)
  return length
}

const cutV6: Cut = ({ bytes }, at, end, ip, mtu, room, identification, emit) => {
  const { upperAt, nextHeaderAt, protocol } = ip
  const headers = upperAt - at
  const space = (mtu - headers - FRAGMENT_HEADER_LENGTH) & ~7
  if (space < 8) return false
  for (let from = upperAt; from < end; from += space) {
    const to = Math.min(from + space, end)
    room.bytes.set(bytes.subarray(at, upperAt))
    room.bytes[nextHeaderAt - at] = IPPROTO_FRAGMENT
    room.bytes[headers] = protocol
    room.bytes[headers + 1] = 0
    room.view.setUint16(headers + 2, (from - upperAt) | (to < end ? 1 : 0))
    room.view.setUint32(headers + 4, identification)
    const dataAt = headers + FRAGMENT_HEADER_LENGTH
    room.bytes.set(bytes.subarray(from, to), dataAt)
    setLength(room.bytes, 0, dataAt + to - from)
    emit({ arena: room, at: 0, end: dataAt + to - from })
  }
  return true
}
