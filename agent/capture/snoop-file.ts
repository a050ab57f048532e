/**
 * Reading the files of Solaris's own snoop (RFC 1761).
 *
 * @module
 */
import { type ByteSource, MAX_PACKET } from './byte-source.ts'
import type { FrameSlot } from './frame.ts'
import { findIp } from './link-layers.ts'
import { AGAIN, BROKEN, FRAME, MORE, type RecordReader, withinTime } from './record.ts'

/** `snoop` and three zeros. */
const MAGIC = 0x736e_6f6f_7000_0000n
const HEADER_LENGTH = 16
const RECORD_HEADER_LENGTH = 24
const VERSION = 2
/** IEEE 802.3 and Ethernet. */
const ETHERNET_TYPES: ReadonlySet<number> = new Set([0, 4])

/**
 * Reads the file header.
 *
 * @returns a reader of the records behind it; why they cannot be read; `undefined` where this is not such a file
 */
export function openSnoop(source: ByteSource): RecordReader | string | undefined {
  const { view, at, available } = source
  if (available < 8 || view.getBigUint64(at) !== MAGIC) return undefined
  if (available < HEADER_LENGTH) return 'the file ends in its header'
  const version = view.getUint32(at + 8)
  if (version !== VERSION) return `version ${version} of snoop files is not known`
  const type = view.getUint32(at + 12)
  if (!ETHERNET_TYPES.has(type)) return `link type ${type} of snoop files is not known`
  source.at += HEADER_LENGTH
  return new SnoopReader()
}

class SnoopReader implements RecordReader {
  damage: RecordReader['damage']
  readonly leftOut = new Map<number, number>()
  /** Padding behind the last packet. */
  #skip = 0

  /** The last packet may come without its padding. */
  readonly isBetween = true

  next(source: ByteSource, into: FrameSlot): number {
    if (this.#skip > 0) {
      const step = Math.min(this.#skip, source.available)
      source.at += step
      this.#skip -= step
      return step > 0 ? AGAIN : MORE
    }
    if (source.available < RECORD_HEADER_LENGTH) return MORE
    const { view, bytes, at } = source
    const captured = view.getUint32(at + 4)
    const total = view.getUint32(at + 8)
    if (captured > MAX_PACKET)
      return this.#break(source, `a packet of ${captured} bytes: no packet is so long`)
    if (total < RECORD_HEADER_LENGTH + captured) {
      return this.#break(source, `a packet of ${captured} bytes in a record of ${total}`)
    }
    if (source.available < RECORD_HEADER_LENGTH + captured) return MORE
    const dataAt = at + RECORD_HEADER_LENGTH
    const seconds = BigInt(view.getUint32(at + 16))
    into.time = withinTime(seconds * 1_000_000_000n + BigInt(view.getUint32(at + 20)) * 1000n)
    into.link = 'ethernet'
    into.bytes = bytes.subarray(dataAt, dataAt + captured)
    into.end = captured
    into.wireLength = Math.max(captured, view.getUint32(at))
    into.ipAt = findIp(into.bytes, captured, 'ethernet')
    source.at = dataAt + captured
    this.#skip = total - RECORD_HEADER_LENGTH - captured
    return FRAME
  }

  #break(source: ByteSource, reason: string): number {
    this.damage = { offset: source.offset, reason }
    return BROKEN
  }
}
