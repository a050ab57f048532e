/**
 * Reads and writes capture files: enough to tell which IP packets were on the wire, without the seconds that tshark takes
 * to start under emulation. For what lies inside ESP there is `tshark`.
 *
 * @module
 */
import { isIPv6 } from 'node:net'

/** One IP packet as it was on the wire. */
export interface Packet {
  readonly family: 4 | 6
  readonly source: string
  readonly destination: string
  /** IPv4 protocol or IPv6 next header: 50 ESP, 51 AH, 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6. */
  readonly protocol: number
  /** What follows the IP header (of IPv6: the fixed one). */
  readonly payload: Buffer
  /** The whole packet, IP header included. */
  readonly bytes: Buffer
}

/** Link-layer header lengths by the file's link type: Ethernet, raw IP, Linux cooked v1 and v2. */
const linkHeader = new Map([
  [1, 14],
  [101, 0],
  [113, 16],
  [276, 20],
])

const address4 = (bytes: Buffer): string => bytes.join('.')

/** RFC 5952 text, by way of the URL parser. */
function address6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16)).join(':')
  return isIPv6(groups) ? new URL(`http://[${groups}]`).hostname.slice(1, -1) : groups
}

/** An IP packet from its bytes; `undefined` if they are none (ARP, cut off). */
export function parsePacket(bytes: Buffer): Packet | undefined {
  const version = bytes.length > 0 ? bytes.readUInt8() >> 4 : 0
  if (version === 4 && bytes.length >= 20) {
    const header = (bytes.readUInt8() & 15) * 4
    return {
      family: 4,
      source: address4(bytes.subarray(12, 16)),
      destination: address4(bytes.subarray(16, 20)),
      protocol: bytes.readUInt8(9),
      payload: bytes.subarray(header, bytes.readUInt16BE(2)),
      bytes,
    }
  }
  if (version === 6 && bytes.length >= 40)
    return {
      family: 6,
      source: address6(bytes.subarray(8, 24)),
      destination: address6(bytes.subarray(24, 40)),
      protocol: bytes.readUInt8(6),
      payload: bytes.subarray(40, 40 + bytes.readUInt16BE(4)),
      bytes,
    }
  return undefined
}

/**
 * The IP packets of a capture file in host byte order, as tcpdump on this machine writes it. A last record that is
 * not whole is left out.
 */
export function parsePcap(file: Buffer): Packet[] {
  if (file.length < 24) return []
  if (file.readUInt32LE() !== 0xa1b2c3d4) throw new TypeError('not a little-endian pcap file')
  const skip = linkHeader.get(file.readUInt32LE(20))
  if (skip === undefined) throw new TypeError(`unknown link type ${file.readUInt32LE(20)}`)
  const packets: Packet[] = []
  for (let offset = 24; offset + 16 <= file.length; ) {
    const end = offset + 16 + file.readUInt32LE(offset + 8)
    if (end > file.length) break
    const packet = parsePacket(file.subarray(offset + 16 + skip, end))
    if (packet) packets.push(packet)
    offset = end
  }
  return packets
}

/** A capture file that {@link parsePcap} and tshark read: link type raw IP, a packet a second. */
export function formatPcap(packets: readonly Packet[]): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(65535, 16)
  header.writeUInt32LE(101, 20)
  const records = packets.flatMap(({ bytes }, second) => {
    const record = Buffer.alloc(16)
    record.writeUInt32LE(second)
    record.writeUInt32LE(bytes.length, 8)
    record.writeUInt32LE(bytes.length, 12)
    return [record, bytes]
  })
  return Buffer.concat([header, ...records])
}
