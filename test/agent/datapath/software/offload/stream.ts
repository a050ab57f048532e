/**
 * Packets of a TCP or UDP connection, made without the code under test.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto'
import {
  destination4,
  destination6,
  ipv4,
  ipv6,
  slowChecksum,
  source4,
  source6,
} from '../../../packet/packets.ts'

export interface StreamOptions {
  readonly version: 4 | 6
  readonly protocol: 'tcp' | 'udp'
  readonly ports?: readonly [source: number, destination: number]
  /** Of TCP: the first byte's number, the flags, the options (a multiple of 4 bytes). */
  readonly sequence?: number
  readonly flags?: number
  readonly options?: Uint8Array
  readonly identification?: number
}

const TCP = 6
const UDP = 17
const DF = 0x4000

export const ACK = 0x10
export const PSH = 0x08

/** One packet. Its checksums are right. */
export function packetOf(stream: StreamOptions, payload: Uint8Array): Uint8Array {
  const { version, protocol } = stream
  const transport = protocol === 'tcp' ? tcpOf(stream, payload) : udpOf(stream, payload)
  const number = protocol === 'tcp' ? TCP : UDP
  const [source, destination] = version === 4 ? [source4, destination4] : [source6, destination6]
  const pseudo = Buffer.alloc(4)
  pseudo.writeUInt16BE(number, 0)
  pseudo.writeUInt16BE(transport.length, 2)
  const checksum = slowChecksum(source, destination, pseudo, transport)
  transport.writeUInt16BE(checksum || (protocol === 'udp' ? 0xffff : 0), protocol === 'tcp' ? 16 : 6)
  return version === 4
    ? ipv4({ protocol: number, id: stream.identification ?? 7, fragment: DF, payload: transport })
    : ipv6({ protocol: number, payload: transport })
}

function tcpOf(stream: StreamOptions, payload: Uint8Array): Buffer {
  const { ports = [40000, 443], sequence = 1, flags = ACK, options = new Uint8Array(0) } = stream
  const header = Buffer.alloc(20 + options.length)
  header.writeUInt16BE(ports[0], 0)
  header.writeUInt16BE(ports[1], 2)
  header.writeUInt32BE(sequence >>> 0, 4)
  header.writeUInt32BE(0x01020304, 8)
  header[12] = (header.length / 4) << 4
  header[13] = flags
  header.writeUInt16BE(500, 14)
  header.set(options, 20)
  return Buffer.concat([header, payload])
}

function udpOf({ ports = [40000, 53] }: StreamOptions, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16BE(ports[0], 0)
  header.writeUInt16BE(ports[1], 2)
  header.writeUInt16BE(8 + payload.length, 4)
  return Buffer.concat([header, payload])
}

/** The packets of a payload that is sent in pieces of `size` bytes, as a host without offloads sends them. */
export function packetsOf(stream: StreamOptions, payload: Uint8Array, size: number): Uint8Array[] {
  const { sequence = 1, flags = ACK, identification = 7 } = stream
  const packets: Uint8Array[] = []
  for (let at = 0; at < payload.length; at += size) {
    const isLast = at + size >= payload.length
    packets.push(
      packetOf(
        {
          ...stream,
          sequence: sequence + at,
          flags: isLast ? flags : flags & ~PSH,
          identification: (identification + packets.length) & 0xffff,
        },
        payload.subarray(at, at + size),
      ),
    )
  }
  return packets
}

export function randomBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length))
}
