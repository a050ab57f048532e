/**
 * Reading classic pcap files (draft-ietf-opsawg-pcap): of either byte order, with times in micro- or nanoseconds.
 *
 * @module
 */
import { type ByteSource, MAX_PACKET } from './byte-source.ts'
import type { FrameSlot, LinkLayer } from './frame.ts'
import { findIp, linkLayerOf } from './link-layers.ts'
import { BROKEN, FRAME, MORE, type RecordReader, withinTime } from './record.ts'

export const PCAP_HEADER_LENGTH = 24
const RECORD_HEADER_LENGTH = 16
const MAJOR_VERSION = 2

/** By magic number: nanoseconds to a unit of the fraction of a second. */
const NANOSECONDS: ReadonlyMap<number, number> = new Map([
  [0xa1b2c3d4, 1000],
  [0xa1b23c4d, 1],
])

/**
 * Reads the file header.
 *
 * @returns a reader of the records behind it; why they cannot be read; `undefined` where this is not a pcap file
 */
export function openPcap(source: ByteSource): RecordReader | string | undefined {
  const { view, at } = source
  const isLittle = NANOSECONDS.has(view.getUint32(at, true))
  const scale = NANOSECONDS.get(view.getUint32(at, isLittle))
  if (scale === undefined) return undefined
  if (source.available < PCAP_HEADER_LENGTH) return 'the file ends in its header'
  const version = view.getUint16(at + 4, isLittle)
  if (version !== MAJOR_VERSION) return `version ${version} of pcap is not known`
  const linkType = view.getUint32(at + 20, isLittle)
  const link = linkLayerOf(linkType)
  if (!link) return `link type ${linkType & 0xffff} is not known`
  source.at += PCAP_HEADER_LENGTH
  return recordReader(isLittle, BigInt(scale), link)
}

function recordReader(isLittle: boolean, scale: bigint, link: LinkLayer): RecordReader {
  const reader = {
    damage: undefined as RecordReader['damage'],
    isBetween: true,
    leftOut: new Map<number, number>(),
    next: (source: ByteSource, into: FrameSlot): number => {
      if (source.available < RECORD_HEADER_LENGTH) return MORE
      const { view, bytes, at } = source
      const captured = view.getUint32(at + 8, isLittle)
      if (captured > MAX_PACKET) {
        reader.damage = {
          offset: source.offset,
          reason: `a packet of ${captured} bytes: no packet is so long`,
        }
        return BROKEN
      }
      if (source.available < RECORD_HEADER_LENGTH + captured) return MORE
      const seconds = BigInt(view.getUint32(at, isLittle))
      into.time = withinTime(seconds * 1_000_000_000n + BigInt(view.getUint32(at + 4, isLittle)) * scale)
      const dataAt = at + RECORD_HEADER_LENGTH
      into.link = link
      into.bytes = bytes.subarray(dataAt, dataAt + captured)
      into.end = captured
      into.wireLength = Math.max(captured, view.getUint32(at + 12, isLittle))
      into.ipAt = findIp(into.bytes, captured, link)
      source.at = dataAt + captured
      return FRAME
    },
  }
  return reader
}
