/**
 * Packets and frames by hand.
 */
import type { Cover, Frame, LinkLayer } from '../../../../agent/capture/frame.ts'

/** Numbers are octets, text is hexadecimal digits. */
export function octets(...parts: readonly (number | string | Uint8Array)[]): Uint8Array {
  const all: number[] = []
  for (const part of parts) {
    if (typeof part === 'number') all.push(part)
    else if (typeof part === 'string') all.push(...Buffer.from(part.replace(/\s/g, ''), 'hex'))
    else all.push(...part)
  }
  return Uint8Array.from(all)
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value)
}

export function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

export function text(value: string): Uint8Array {
  return Uint8Array.from(Buffer.from(value, 'latin1'))
}

interface IpFields {
  readonly id?: number
  readonly fragment?: number
  readonly tos?: number
  readonly total?: number
  readonly source?: string
  readonly destination?: string
}

/** IPv4 from 10.0.0.1 to 10.0.0.2. */
export function ip(protocol: number, payload: Uint8Array, fields: IpFields = {}): Uint8Array {
  const { id = 7, fragment = 0, tos = 0, total = 20 + payload.length } = fields
  const { source = '0a000001', destination = '0a000002' } = fields
  return octets(
    0x45,
    tos,
    u16(total),
    u16(id),
    u16(fragment),
    64,
    protocol,
    u16(0xfde0),
    source,
    destination,
    payload,
  )
}

/** IPv6 from 2001:db8::1 to 2001:db8::2. */
export function ip6(next: number, payload: Uint8Array, length = payload.length): Uint8Array {
  const net = '20010db8 00000000 00000000 000000'
  return octets(u32(0x6000abcd), u16(length), next, 64, net, 1, net, 2, payload)
}

export function tcp(
  source: number,
  destination: number,
  flags: number,
  data = octets(),
  options = octets(),
): Uint8Array {
  const offset = ((20 + options.length) / 4) << 4
  return octets(
    u16(source),
    u16(destination),
    u32(1000),
    u32(2000),
    offset,
    flags,
    u16(24820),
    u16(0x7b85),
    u16(0),
    options,
    data,
  )
}

export function udp(
  source: number,
  destination: number,
  data = octets(),
  length = 8 + data.length,
): Uint8Array {
  return octets(u16(source), u16(destination), u16(length), u16(0), data)
}

export function esp(spi: number, sequence: number, data = octets('00112233445566778899aabb')): Uint8Array {
  return octets(u32(spi), u32(sequence), data)
}

export function ah(next: number, spi: number, sequence: number, payload: Uint8Array): Uint8Array {
  return octets(next, 4, u16(0), u32(spi), u32(sequence), 'c653901433ef5a7d77c76eaa', payload)
}

export function ether(type: number, payload: Uint8Array, destination = '080022aa2202'): Uint8Array {
  return octets(destination, '080027aa1111', u16(type), payload)
}

/** 9:44:36.59123 on a day of 2026, in UTC. */
export const TIME = BigInt(Date.UTC(2026, 10, 20, 9, 44, 36)) * 1_000_000n + 591_230_000n

export function frameOf(bytes: Uint8Array, ipAt: number, fields: Partial<Frame> = {}): Frame {
  return {
    number: 20,
    time: TIME,
    link: 'ethernet',
    bytes,
    ipAt,
    end: bytes.length,
    wireLength: bytes.length,
    covers: [],
    ...fields,
  }
}

/** An Ethernet frame with an IP packet. */
export function packetOf(packet: Uint8Array, fields: Partial<Frame> = {}): Frame {
  const type = (packet[0] ?? 0) >>> 4 === 6 ? 0x86dd : 0x0800
  return frameOf(ether(type, packet), 14, fields)
}

export function rawOf(packet: Uint8Array, covers: readonly Cover[] = [], link: LinkLayer = 'raw'): Frame {
  return frameOf(packet, 0, { link, covers })
}
