/**
 * Reading pcapng files (draft-ietf-opsawg-pcapng): sections of either byte order, several interfaces. Blocks that are
 * not about packets are stepped over, however long they are.
 *
 * @module
 */
import { type ByteSource, MAX_PACKET } from './byte-source.ts'
import type { FrameSlot, LinkLayer } from './frame.ts'
import { findIp, linkLayerOf } from './link-layers.ts'
import { readTimeUnit, type TimeUnit, timeOf } from './pcapng-time.ts'
import { AGAIN, BROKEN, FRAME, MORE, type RecordReader } from './record.ts'

export const SECTION_HEADER = 0x0a0d0d0a
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d
export const INTERFACE_DESCRIPTION = 1
const OBSOLETE_PACKET = 2
const SIMPLE_PACKET = 3
export const ENHANCED_PACKET = 6

/** Type and total length. */
const HEAD = 8
/** The total length once more. */
const TRAILER = 4
const SECTION_LENGTH = 28
const INTERFACE_LENGTH = 20
const ENHANCED_LENGTH = 32
const SIMPLE_LENGTH = 16

/** A description is a few hundred bytes with its options; it has to be there as a whole to be read. */
const LONGEST_DESCRIPTION = 65_536
const MOST_INTERFACES = 16_384

interface Interface {
  readonly link: LinkLayer | undefined
  readonly linkType: number
  readonly snapLength: number
  readonly unit: TimeUnit
}

/** @returns `undefined` where this is not a pcapng file */
export function openPcapng(source: ByteSource): RecordReader | undefined {
  return source.view.getUint32(source.at) === SECTION_HEADER ? new PcapngReader() : undefined
}

class PcapngReader implements RecordReader {
  damage: RecordReader['damage']
  readonly leftOut = new Map<number, number>()
  #isLittle = false
  #interfaces: Interface[] = []
  /** Bytes of the block at hand that are to be stepped over, and its length, with which it has to end. */
  #skip = 0
  #total = 0
  #time = 0n

  get isBetween(): boolean {
    return this.#total === 0
  }

  next(source: ByteSource, into: FrameSlot): number {
    if (this.#total > 0) return this.#finish(source)
    if (source.available < HEAD) return MORE
    const type = source.view.getUint32(source.at, this.#isLittle)
    // The same in both byte orders.
    if (type === SECTION_HEADER) return this.#readSection(source)
    const total = source.view.getUint32(source.at + 4, this.#isLittle)
    if (total < HEAD + TRAILER || total % 4 !== 0) return this.#break(source, badLength(total))
    switch (type) {
      case INTERFACE_DESCRIPTION:
        return this.#readInterface(source, total)
      case ENHANCED_PACKET:
      case OBSOLETE_PACKET:
        return this.#readPacket(source, total, type, into)
      case SIMPLE_PACKET:
        return this.#readSimple(source, total, into)
      default:
        return this.#leave(source, HEAD, total)
    }
  }

  #break(source: ByteSource, reason: string): number {
    this.damage = { offset: source.offset, reason }
    return BROKEN
  }

  /** Goes on behind the first `used` bytes of a block. */
  #leave(source: ByteSource, used: number, total: number): number {
    source.at += used
    this.#total = total
    this.#skip = total - used - TRAILER
    return AGAIN
  }

  #finish(source: ByteSource): number {
    const step = Math.min(this.#skip, source.available)
    source.at += step
    this.#skip -= step
    if (this.#skip > 0 || source.available < TRAILER) return MORE
    const again = source.view.getUint32(source.at, this.#isLittle)
    if (again !== this.#total)
      return this.#break(source, `a block of ${this.#total} bytes ends with the length ${again}`)
    source.at += TRAILER
    this.#total = 0
    return AGAIN
  }

  #readSection(source: ByteSource): number {
    if (source.available < HEAD + 8) return MORE
    const { view, at } = source
    this.#isLittle = view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC
    if (view.getUint32(at + 8, this.#isLittle) !== BYTE_ORDER_MAGIC)
      return this.#break(source, 'a section without its byte-order magic')
    const total = view.getUint32(at + 4, this.#isLittle)
    if (total < SECTION_LENGTH || total % 4 !== 0) return this.#break(source, badLength(total))
    const version = view.getUint16(at + 12, this.#isLittle)
    if (version !== 1) return this.#break(source, `version ${version} of pcapng is not known`)
    this.#interfaces = []
    return this.#leave(source, HEAD + 8, total)
  }

  #readInterface(source: ByteSource, total: number): number {
    if (total < INTERFACE_LENGTH) return this.#break(source, badLength(total))
    if (total > LONGEST_DESCRIPTION)
      return this.#break(source, `a description of an interface in ${total} bytes: it cannot be so long`)
    if (this.#interfaces.length === MOST_INTERFACES)
      return this.#break(source, `a section with more than ${MOST_INTERFACES} interfaces`)
    if (source.available < total) return MORE
    const { view, at } = source
    const linkType = view.getUint16(at + HEAD, this.#isLittle)
    this.#interfaces.push({
      link: linkLayerOf(linkType),
      linkType,
      snapLength: view.getUint32(at + HEAD + 4, this.#isLittle),
      unit: readTimeUnit(view, at + HEAD + 8, at + total - TRAILER, this.#isLittle),
    })
    return this.#leave(source, total - TRAILER, total)
  }

  #readPacket(source: ByteSource, total: number, type: number, into: FrameSlot): number {
    if (total < ENHANCED_LENGTH) return this.#break(source, badLength(total))
    if (source.available < ENHANCED_LENGTH - TRAILER) return MORE
    const { view, at } = source
    const isLittle = this.#isLittle
    const captured = view.getUint32(at + 20, isLittle)
    if (captured > total - ENHANCED_LENGTH)
      return this.#break(source, `a packet of ${captured} bytes in a block of ${total}`)
    const isOld = type === OBSOLETE_PACKET
    const id = isOld ? view.getUint16(at + HEAD, isLittle) : view.getUint32(at + HEAD, isLittle)
    const entry = this.#interfaces[id]
    if (!entry) return this.#break(source, `a packet of interface ${id}, which was not described`)
    if (entry.link !== undefined) {
      this.#time = timeOf(view.getUint32(at + 12, isLittle), view.getUint32(at + 16, isLittle), entry.unit)
    }
    return this.#take(source, total, entry, ENHANCED_LENGTH - TRAILER, captured, 24, into)
  }

  /** It has no time: that of the packet before it is the best guess. */
  #readSimple(source: ByteSource, total: number, into: FrameSlot): number {
    if (total < SIMPLE_LENGTH) return this.#break(source, badLength(total))
    if (source.available < HEAD + 4) return MORE
    const [entry] = this.#interfaces
    if (!entry) return this.#break(source, 'a packet of interface 0, which was not described')
    const length = source.view.getUint32(source.at + HEAD, this.#isLittle)
    const limit = entry.snapLength || length
    const captured = Math.min(length, limit, total - SIMPLE_LENGTH)
    return this.#take(source, total, entry, HEAD + 4, captured, HEAD, into)
  }

  /** @param lengthAt where in the block the length on the wire stands */
  #take(
    source: ByteSource,
    total: number,
    { link, linkType }: Interface,
    dataFrom: number,
    captured: number,
    lengthAt: number,
    into: FrameSlot,
  ): number {
    if (link === undefined) {
      this.leftOut.set(linkType, (this.leftOut.get(linkType) ?? 0) + 1)
      return this.#leave(source, HEAD, total)
    }
    if (captured > MAX_PACKET)
      return this.#break(source, `a packet of ${captured} bytes: no packet is so long`)
    if (source.available < dataFrom + captured) return MORE
    const { bytes, view, at } = source
    into.time = this.#time
    into.link = link
    into.bytes = bytes.subarray(at + dataFrom, at + dataFrom + captured)
    into.end = captured
    into.wireLength = Math.max(captured, view.getUint32(at + lengthAt, this.#isLittle))
    into.ipAt = findIp(into.bytes, captured, link)
    this.#leave(source, dataFrom + captured, total)
    return FRAME
  }
}

function badLength(total: number): string {
  return `a block of ${total} bytes: no block of its kind can have this length`
}
