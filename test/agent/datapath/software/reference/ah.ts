/**
 * AH packets written straight from RFC 4302, over IPv4 headers without options and IPv6 headers without extension
 * headers, with nothing of the data path's code.
 *
 * @module
 */
import { equalBytes } from '@noble/ciphers/utils.js'
import { icvOf, type MacSuite } from './macs.ts'

const AH = 51
const AH_FIXED_LENGTH = 12

/** An IP header that AH comes behind: its next header is AH, its length is that of the whole packet. */
export interface IpFields {
  readonly version: 4 | 6
  /** Type of service, or traffic class. */
  readonly trafficClass: number
  /** IPv4: identification; IPv6: flow label. */
  readonly label: number
  readonly dontFragment: boolean
  readonly hopLimit: number
  /** IPv4 only. AH does not cover it, so it may be any. */
  readonly checksum: number
  readonly source: Uint8Array
  readonly destination: Uint8Array
}

/** What AH says. */
export interface AhPacket {
  readonly spi: number
  readonly sequence: bigint
  readonly isExtended: boolean
  readonly payload: Uint8Array
  readonly nextHeader: number
  /** Behind the ICV; the sender chooses what is in it. */
  readonly padding: Uint8Array
}

const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

function word(value: bigint): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, Number(BigInt.asUintN(32, value)))
  return bytes
}

export const ipLength = (version: 4 | 6) => (version === 4 ? 20 : 40)

/** @param behind bytes behind the IP header */
export function ipHeader(fields: IpFields, behind: number): Uint8Array {
  const { version, trafficClass, label, dontFragment, hopLimit, checksum, source, destination } = fields
  const bytes = new Uint8Array(ipLength(version))
  const view = new DataView(bytes.buffer)
  if (version === 4) {
    view.setUint16(0, 0x4500 | trafficClass)
    view.setUint16(2, 20 + behind)
    view.setUint16(4, label & 0xffff)
    view.setUint16(6, dontFragment ? 0x4000 : 0)
    view.setUint16(8, (hopLimit << 8) | AH)
    view.setUint16(10, checksum)
    bytes.set(source.slice(0, 4), 12)
    bytes.set(destination.slice(0, 4), 16)
  } else {
    view.setUint32(0, 0x6000_0000 + (trafficClass << 20) + (label & 0xfffff))
    view.setUint16(4, behind)
    view.setUint16(6, (AH << 8) | hopLimit)
    bytes.set(source, 8)
    bytes.set(destination, 24)
  }
  return bytes
}

/** The bits of the IP header that change on the way (appendix A), as a mask. */
export function mutableBits(version: 4 | 6): Uint8Array {
  const mask = new Uint8Array(ipLength(version))
  // Type of service; flags and offset; time to live; checksum. Of flags and offset, a whole packet changes DF only,
  // and the bit that nobody uses.
  if (version === 4)
    for (const [at, bits] of [
      [1, 255],
      [6, 0xc0],
      [8, 255],
      [10, 255],
      [11, 255],
    ] as const)
      mask[at] = bits
  // Traffic class and flow label; hop limit.
  else
    for (const [at, bits] of [
      [0, 15],
      [1, 255],
      [2, 255],
      [3, 255],
      [7, 255],
    ] as const)
      mask[at] = bits
  return mask
}

function icv(mac: MacSuite, packet: Uint8Array, version: 4 | 6, high: bigint | undefined): Uint8Array {
  const covered = packet.slice()
  for (const [at, bits] of mutableBits(version).entries()) covered[at] = (covered[at] ?? 0) & ~bits
  const icvAt = ipLength(version) + AH_FIXED_LENGTH
  covered.fill(0, icvAt, icvAt + mac.icvLength)
  return icvOf(mac, covered, high === undefined ? new Uint8Array(0) : word(high))
}

/** The whole packet, IP header and all. */
export function encodeAh(mac: MacSuite, ip: IpFields, packet: AhPacket): Uint8Array {
  const { spi, sequence, isExtended, payload, nextHeader, padding } = packet
  const length = AH_FIXED_LENGTH + mac.icvLength + padding.length
  const fixed = join(Uint8Array.of(nextHeader, length / 4 - 2, 0, 0), word(BigInt(spi)), word(sequence))
  const behind = join(fixed, new Uint8Array(mac.icvLength), padding, payload)
  const bytes = join(ipHeader(ip, behind.length), behind)
  const code = icv(mac, bytes, ip.version, isExtended ? sequence >> 32n : undefined)
  bytes.set(code, ipLength(ip.version) + AH_FIXED_LENGTH)
  return bytes
}

/**
 * @param high the upper half of the sequence number, which is not in the packet; `undefined` without extended ones
 * @returns `undefined` where the ICV is wrong
 */
export function decodeAh(
  mac: MacSuite,
  version: 4 | 6,
  bytes: Uint8Array,
  high: bigint | undefined,
): AhPacket | undefined {
  const at = ipLength(version)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const end = at + (view.getUint8(at + 1) + 2) * 4
  const icvAt = at + AH_FIXED_LENGTH
  const icvEnd = icvAt + mac.icvLength
  if (!equalBytes(icv(mac, bytes, version, high), bytes.slice(icvAt, icvEnd))) return undefined
  if (view.getUint16(at + 2) !== 0) throw new RangeError('the reserved field is not zero')
  return {
    spi: view.getUint32(at + 4),
    sequence: ((high ?? 0n) << 32n) | BigInt(view.getUint32(at + 8)),
    isExtended: high !== undefined,
    nextHeader: view.getUint8(at),
    padding: bytes.slice(icvEnd, end),
    payload: bytes.slice(end),
  }
}
