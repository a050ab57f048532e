/**
 * Reads the frames of a capture file, of whatever format, in constant memory.
 *
 * @module
 */
import { ByteSource } from './byte-source.ts'
import { type Frame, newFrame } from './frame.ts'
import { openPcap, PCAP_HEADER_LENGTH } from './pcap.ts'
import { openPcapng } from './pcapng.ts'
import { AGAIN, BROKEN, type Damage, FRAME, type RecordReader } from './record.ts'
import { openSnoop } from './snoop-file.ts'

export type { Damage } from './record.ts'

const GZIP = 0x1f8b

/**
 * Reads a descriptor from where it stands:
 *
 * ```ts
 * do for (let frame = reader.next(); frame; frame = reader.next()) use(frame)
 * while (await reader.fill())
 * ```
 */
export class CaptureReader {
  readonly #source: ByteSource
  readonly #frame = newFrame()
  #records: RecordReader | undefined
  /** Why the rest of the file cannot be read. */
  damage: Damage | undefined

  /** @param fd stays open, and the caller's */
  constructor(fd: number) {
    this.#source = new ByteSource(fd)
  }

  /** Bytes that were used so far. */
  get offset(): number {
    return this.#source.offset
  }

  /** Size of a regular file. */
  get size(): number | undefined {
    return this.#source.size
  }

  /** See {@link RecordReader.leftOut}. */
  get leftOut(): ReadonlyMap<number, number> {
    return this.#records?.leftOut ?? new Map()
  }

  /**
   * The next frame: always the same object with other contents, whose bytes are good until the next call.
   *
   * @returns `undefined` where {@link fill} has to be called first, or there are no more
   */
  next(): Frame | undefined {
    if (this.damage) return undefined
    const records = this.#records ?? this.#open()
    if (!records) return undefined
    this.#records = records
    for (;;) {
      const step = records.next(this.#source, this.#frame)
      if (step === FRAME) {
        this.#frame.number++
        return this.#frame
      }
      if (step === AGAIN) continue
      if (step === BROKEN) this.damage = records.damage
      else if (this.#source.isFinished) this.#end(records)
      return undefined
    }
  }

  /**
   * Reads on.
   *
   * @returns false at the end of the file, or of what can be read of it
   * @throws the error of read(2)
   */
  async fill(): Promise<boolean> {
    if (this.damage || this.#source.isFinished) return false
    await this.#source.fill()
    return true
  }

  #open(): RecordReader | undefined {
    const source = this.#source
    const { available, view, at } = source
    // Those of pcapng and snoop are shorter, but a file of theirs with a packet in it is not.
    if (available < PCAP_HEADER_LENGTH && !source.isFinished) return undefined
    if (available >= 2 && view.getUint16(at) === GZIP) {
      return this.#refuse('the file is compressed; unpack it first: zcat FILE | solipsec snoop -r -')
    }
    const records = available < 4 ? undefined : (openPcapng(source) ?? openPcap(source) ?? openSnoop(source))
    if (typeof records === 'object') return records
    if (available === 0) return this.#refuse('the file is empty')
    return this.#refuse(records ?? 'this is no capture file (pcap, pcapng or snoop)')
  }

  #refuse(reason: string): undefined {
    this.damage = { offset: this.#source.offset, reason }
  }

  #end({ isBetween }: RecordReader): void {
    const { available, offset } = this.#source
    if (available === 0 && isBetween) return
    this.damage = { offset, reason: 'the file ends in the middle of a packet, or of what stands around one' }
  }
}
