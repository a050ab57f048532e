/**
 * Ethernet frames, sent from below everything that could change or refuse them.
 *
 * @module
 */
import { listInterfaces } from '../../agent/capture/interfaces.ts'
import { littleEndian } from '../../netlink/codec/memory.ts'
import * as libc from '../../netlink/libc/socket.ts'
import type { Station } from '../vm/support/station.ts'

const ETHERNET4 = Buffer.from('ffffffffffff0202020202020800', 'hex')
const PLACE = { source: 12, destination: 16 }

/** An IPv4 packet with these bytes behind its header. */
export function ipv4Packet(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
): Buffer {
  const packet = Buffer.concat([Buffer.alloc(20), payload])
  packet[0] = 0x45
  packet.writeUInt16BE(packet.length, 2)
  packet[8] = 64
  packet[9] = protocol
  packet.set(source.split('.').map(Number), PLACE.source)
  packet.set(destination.split('.').map(Number), PLACE.destination)
  let sum = 0
  for (let i = 0; i < 20; i += 2) sum += packet.readUInt16BE(i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  packet.writeUInt16BE(~sum & 0xffff, 10)
  return packet
}

/** UDP without a checksum. */
export function udpPacket(source: string, destination: string, port: number, size = 32): Buffer {
  const udp = Buffer.alloc(8 + size)
  udp.writeUInt16BE(40_000, 0)
  udp.writeUInt16BE(port, 2)
  udp.writeUInt16BE(udp.length, 4)
  return ipv4Packet(source, destination, 17, udp)
}

/** ESP with a header and then nothing that anybody has made, as long as AES-CBC with HMAC-SHA-256 has it. */
export function espPacket(source: string, destination: string, spi: number): Buffer {
  const esp = Buffer.alloc(72)
  esp.writeUInt32BE(spi, 0)
  esp.writeUInt32BE(1, 4)
  return ipv4Packet(source, destination, 50, esp)
}

/** Sends IPv4 packets by the station's first interface, to everybody on the wire. */
export function sendPackets(station: Station, packets: readonly Uint8Array[]): void {
  sendFrames(
    station,
    packets.map((packet) => Buffer.concat([ETHERNET4, packet])),
  )
}

/** The same of whole Ethernet frames. */
export function sendFrames(station: Station, frames: readonly Uint8Array[]): void {
  station.visit(() => {
    const index = listInterfaces().find(({ name }) => name === station.host.device)?.index ?? 0
    const address = new Uint8Array(20)
    const view = new DataView(address.buffer)
    view.setUint16(0, libc.AF_PACKET, littleEndian)
    view.setInt32(4, index, littleEndian)
    const fd = libc.socket(libc.AF_PACKET, libc.SOCK_RAW, 0)
    try {
      for (const frame of frames) libc.send(fd, frame, 0, address)
    } finally {
      libc.close(fd)
    }
  })
}
