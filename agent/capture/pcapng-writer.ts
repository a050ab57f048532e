/**
 * Writing pcapng files: one section of little-endian byte order, an interface for each link layer, times in nanoseconds.
 *
 * @module
 */
import { memoryOf } from '../../netlink/codec/memory.ts'
import { formatSpi } from '../model/association.ts'
import type { Cover, Frame, LinkLayer } from './frame.ts'
import { linkTypeOf } from './link-layers.ts'
import { BYTE_ORDER_MAGIC, ENHANCED_PACKET, INTERFACE_DESCRIPTION, SECTION_HEADER } from './pcapng.ts'
import { END_OF_OPTIONS, IF_TSRESOL } from './pcapng-time.ts'

const OPT_COMMENT = 1
const SHB_USERAPPL = 4
const NANOSECONDS = 9
/** A frame is written to the descriptor once this much has come together. */
const BUFFER = 256 * 1024
/** What a block may take beside its packet. */
const AROUND = 4096
/** No option is longer; a packet has far fewer covers than that takes. */
const LONGEST_COMMENT = 2048

/** Writes frames to `sink`, which has to use the bytes at once: their memory is used again. */
export class PcapngWriter {
  readonly #sink: (bytes: Uint8Array) => void
  #memory = memoryOf(new Uint8Array(BUFFER + AROUND))
  #end = 0
  readonly #interfaces = new Map<LinkLayer, number>()

  constructor(sink: (bytes: Uint8Array) => void) {
    this.#sink = sink
    this.#section()
  }

  /** Adds a frame, with a comment that tells its covers. */
  write(frame: Frame): void {
    const { time, link, bytes, end, wireLength, covers } = frame
    this.#makeRoom(end)
    const id = this.#interfaces.get(link) ?? this.#describe(link)
    const at = this.#begin(ENHANCED_PACKET)
    const stamp = BigInt.asUintN(64, time)
    this.#put32(id)
    this.#put32(Number(stamp >> 32n))
    this.#put32(Number(stamp & 0xffff_ffffn))
    this.#put32(end)
    this.#put32(Math.max(end, wireLength))
    this.#putBytes(bytes, end)
    if (covers.length > 0) {
      this.#option(OPT_COMMENT, new TextEncoder().encode(commentOf(covers)).subarray(0, LONGEST_COMMENT))
      this.#put32(END_OF_OPTIONS)
    }
    this.#finish(at)
    if (this.#end > BUFFER / 2) this.flush()
  }

  /** Hands over what is not yet handed over. */
  flush(): void {
    if (this.#end > 0) this.#sink(this.#memory.bytes.subarray(0, this.#end))
    this.#end = 0
  }

  #makeRoom(length: number): void {
    if (this.#end + length + AROUND <= this.#memory.bytes.length) return
    this.flush()
    if (length + AROUND > this.#memory.bytes.length) this.#memory = memoryOf(new Uint8Array(length + AROUND))
  }

  #section(): void {
    const at = this.#begin(SECTION_HEADER)
    this.#put32(BYTE_ORDER_MAGIC)
    this.#put16(1) // version 1.0
    this.#put16(0)
    this.#put32(0xffff_ffff) // length of the section: not known
    this.#put32(0xffff_ffff)
    this.#option(SHB_USERAPPL, new TextEncoder().encode('solipsec snoop'))
    this.#put32(END_OF_OPTIONS)
    this.#finish(at)
  }

  #describe(link: LinkLayer): number {
    const at = this.#begin(INTERFACE_DESCRIPTION)
    this.#put16(linkTypeOf(link))
    this.#put16(0)
    this.#put32(0) // no snap length
    this.#option(IF_TSRESOL, Uint8Array.of(NANOSECONDS))
    this.#put32(END_OF_OPTIONS)
    this.#finish(at)
    const id = this.#interfaces.size
    this.#interfaces.set(link, id)
    return id
  }

  #begin(type: number): number {
    const at = this.#end
    this.#put32(type)
    this.#put32(0)
    return at
  }

  #finish(at: number): void {
    const total = this.#end - at + 4
    this.#memory.view.setUint32(at + 4, total, true)
    this.#put32(total)
  }

  #option(code: number, value: Uint8Array): void {
    this.#put16(code)
    this.#put16(value.length)
    this.#putBytes(value, value.length)
  }

  #put16(value: number): void {
    this.#memory.view.setUint16(this.#end, value, true)
    this.#end += 2
  }

  #put32(value: number): void {
    this.#memory.view.setUint32(this.#end, value, true)
    this.#end += 4
  }

  /** Padded to 4 bytes with zeros. */
  #putBytes(value: Uint8Array, length: number): void {
    const { bytes } = this.#memory
    bytes.set(length === value.length ? value : value.subarray(0, length), this.#end)
    const end = this.#end + length
    this.#end = (end + 3) & ~3
    for (let at = end; at < this.#end; at++) bytes[at] = 0
  }
}

/** `ESP 0x00001234 #7 tunnel aes-gcm: opened`, one to a line. */
export function commentOf(covers: readonly Cover[]): string {
  return covers.map(coverText).join('\n')
}

function coverText({ protocol, spi, sequence, verdict, mode, encryption, authentication }: Cover): string {
  const known = [mode, encryption, authentication].filter((word) => word !== undefined)
  const name = `${protocol.toUpperCase()} ${formatSpi(spi)} #${sequence}`
  return `${[name, ...known].join(' ')}: ${verdict}`
}
