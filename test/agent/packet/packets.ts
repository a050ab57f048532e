/**
 * Packets for the tests, made without the code under test.
 *
 * @module
 */
import fc from 'fast-check'
import { type IpHeader, newIpHeader, parseIp } from '../../../agent/packet/ip-header.ts'

/** Bytes from hexadecimal digits; white space is left out. */
export function hex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits.replace(/\s/g, ''), 'hex'))
}

export function digits(bytes: Uint8Array, at = 0, end = bytes.length): string {
  return Buffer.from(bytes.subarray(at, end)).toString('hex')
}

/** The Internet checksum as RFC 1071 describes it, word by word with the carry brought around each time. */
export function slowChecksum(...parts: readonly Uint8Array[]): number {
  const bytes = Buffer.concat(parts)
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0)
    if (sum > 0xffff) sum -= 0xffff
  }
  return 0xffff - sum
}

/** The header of a packet that must be one. */
export function parsed(bytes: Uint8Array, at = 0, end = bytes.length): IpHeader {
  const header = newIpHeader()
  if (!parseIp(bytes, at, end, header)) throw new Error(`not a packet: ${digits(bytes, at, end)}`)
  return header
}

export interface V4 {
  readonly tos?: number
  readonly id?: number
  /** Flags and fragment offset. */
  readonly fragment?: number
  readonly ttl?: number
  readonly protocol?: number
  readonly source?: Uint8Array
  readonly destination?: Uint8Array
  /** A multiple of 4 bytes. */
  readonly options?: Uint8Array
  readonly payload?: Uint8Array
}

export const source4 = Uint8Array.of(192, 0, 2, 1)
export const destination4 = Uint8Array.of(198, 51, 100, 2)
export const source6 = hex('20010db8000000000000000000000001')
export const destination6 = hex('20010db8000100000000000000000002')
const none = new Uint8Array(0)

/** An IPv4 packet with a right checksum. */
export function ipv4({
  tos = 0,
  id = 0x1234,
  fragment = 0,
  ttl = 64,
  protocol = 17,
  source = source4,
  destination = destination4,
  options = none,
  payload = none,
}: V4 = {}): Uint8Array {
  const header = Buffer.alloc(20 + options.length)
  header[0] = 0x40 | (header.length / 4)
  header[1] = tos
  header.writeUInt16BE(header.length + payload.length, 2)
  header.writeUInt16BE(id, 4)
  header.writeUInt16BE(fragment, 6)
  header[8] = ttl
  header[9] = protocol
  header.set(source, 12)
  header.set(destination, 16)
  header.set(options, 20)
  header.writeUInt16BE(slowChecksum(header), 10)
  return new Uint8Array(Buffer.concat([header, payload]))
}

/** An extension header: its number and its bytes, of which the first is filled in. */
export type Extension = readonly [protocol: number, bytes: Uint8Array]

export interface V6 {
  readonly tos?: number
  readonly flowLabel?: number
  readonly hopLimit?: number
  readonly source?: Uint8Array
  readonly destination?: Uint8Array
  readonly extensions?: readonly Extension[]
  readonly protocol?: number
  readonly payload?: Uint8Array
}

export function ipv6({
  tos = 0,
  flowLabel = 0,
  hopLimit = 64,
  source = source6,
  destination = destination6,
  extensions = [],
  protocol = 17,
  payload = none,
}: V6 = {}): Uint8Array {
  const header = Buffer.alloc(40)
  header.writeUInt32BE(6 * 2 ** 28 + tos * 2 ** 20 + flowLabel, 0)
  header[6] = extensions[0]?.[0] ?? protocol
  header[7] = hopLimit
  header.set(source, 8)
  header.set(destination, 24)
  const chain = extensions.map(([, bytes], index) => {
    const copy = Buffer.from(bytes)
    copy[0] = extensions[index + 1]?.[0] ?? protocol
    return copy
  })
  const body = Buffer.concat([...chain, payload])
  header.writeUInt16BE(body.length, 4)
  return new Uint8Array(Buffer.concat([header, body]))
}

export const HOP = 0
export const ROUTING = 43
export const FRAGMENT = 44
export const OPTIONS = 60

/** Eight bytes of options without any but padding. */
const padding = hex('0000 0104 00000000')

export const hopOptions = (bytes = padding): Extension => [HOP, bytes]
export const destinationOptions = (bytes = padding): Extension => [OPTIONS, bytes]

export function fragmentHeader(offset: number, more: boolean, id = 0x01020304): Extension {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16BE(offset | (more ? 1 : 0), 2)
  bytes.writeUInt32BE(id, 4)
  return [FRAGMENT, bytes]
}

/** A routing header with these addresses. */
export function routingHeader(type: number, left: number, addresses: readonly Uint8Array[]): Extension {
  const fixed = Uint8Array.of(0, addresses.length * 2, type, left, 0, 0, 0, 0)
  return [ROUTING, Buffer.concat([fixed, ...addresses])]
}

export const address6 = (last: number) =>
  hex(`20010db80000000000000000000000${last.toString(16).padStart(2, '0')}`)

/** `length` bytes that differ from their neighbours. */
export function data(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + seed) & 0xff)
}

const byte = fc.integer({ min: 0, max: 255 })
const payload = (maxLength: number) => fc.uint8Array({ maxLength })
const options4 = fc
  .array(
    fc.oneof(
      fc.constant(Uint8Array.of(1)),
      fc
        .tuple(fc.constantFrom(7, 68, 130, 131, 136, 148), fc.uint8Array({ maxLength: 6 }))
        .map(([type, rest]) => Uint8Array.of(type, rest.length + 2, ...rest)),
    ),
    { maxLength: 4 },
  )
  .map((list) => Buffer.concat(list))
  .map((list) => new Uint8Array(Buffer.concat([list, new Uint8Array(-list.length & 3)])))

const extensions6 = fc.constantFrom<readonly Extension[]>(
  [],
  [hopOptions()],
  [hopOptions(), routingHeader(0, 1, [address6(9)])],
  [destinationOptions()],
  [destinationOptions(), routingHeader(2, 1, [address6(9)]), destinationOptions()],
)

/** Well-formed whole packets that may be fragmented. */
export function anyPacket(maxPayload: number): fc.Arbitrary<Uint8Array> {
  const v4 = fc
    .record({
      tos: byte,
      id: fc.integer({ min: 0, max: 0xffff }),
      ttl: byte,
      protocol: byte,
      options: options4,
    })
    .chain((fields) => payload(maxPayload).map((bytes) => ipv4({ ...fields, payload: bytes })))
  const v6 = fc
    .record({
      tos: byte,
      flowLabel: fc.integer({ min: 0, max: 0xfffff }),
      hopLimit: byte,
      protocol: fc.constantFrom(6, 17, 58, 132),
      extensions: extensions6,
    })
    .chain((fields) => payload(maxPayload).map((bytes) => ipv6({ ...fields, payload: bytes })))
  return fc.oneof(v4, v6)
}

/** Packets with some bytes changed and some cut off, and noise that begins as a packet does; most with their length. */
export function anyNoise(): fc.Arbitrary<Uint8Array> {
  const noise = fc
    .tuple(
      fc.constantFrom(0x45, 0x4f, 0x60, 0x46),
      fc.constantFrom(HOP, ROUTING, FRAGMENT, OPTIONS, 1, 6, 17, 51, 58),
      fc.uint8Array({ minLength: 16, maxLength: 140 }),
    )
    .map(([first, protocol, rest]) => {
      const bytes = Uint8Array.of(first, ...rest)
      bytes[first < 0x50 ? 9 : 6] = protocol
      return bytes
    })
  const changed = fc
    .tuple(
      anyPacket(60),
      fc.array(fc.tuple(fc.nat({ max: 90 }), byte), { maxLength: 6 }),
      fc.nat({ max: 30 }),
    )
    .map(([packet, changes, cut]) => {
      for (const [place, value] of changes) if (place < packet.length) packet[place] = value
      return packet.slice(0, Math.max(0, packet.length - cut))
    })
  return fc.tuple(fc.oneof(noise, changed, changed), fc.nat({ max: 3 })).map(([bytes, lie]) => {
    if (lie > 0 && bytes.length > 6) {
      const isV4 = (bytes[0] ?? 0) < 0x50
      bytes.set(isV4 ? [0, bytes.length] : [0, Math.max(0, bytes.length - 40)], isV4 ? 2 : 4)
    }
    return bytes
  })
}
