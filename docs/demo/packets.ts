/**
 * Packets in words.
 *
 * @module
 */
import type { Packet } from '../../test/support/pcap.ts'

export const PROTOCOL_TCP = 6
export const PROTOCOL_ESP = 50

/** One line about a packet. */
export function describe({ family, source, destination, protocol, payload }: Packet): string {
  return `IPv${family} ${source} → ${destination} ${upperLayer(protocol, payload)}`
}

function upperLayer(protocol: number, payload: Buffer): string {
  switch (protocol) {
    case PROTOCOL_ESP:
      return `ESP spi 0x${payload.readUInt32BE(0).toString(16)}, sequence number ${payload.readUInt32BE(4)}`
    case PROTOCOL_TCP:
      return `TCP port ${payload.readUInt16BE(0)} → ${payload.readUInt16BE(2)}`
    default:
      return `protocol ${protocol}`
  }
}
