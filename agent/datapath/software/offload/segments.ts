/**
 * Cuts what a connection sends at one go into the packets that are to be sent (TCP and UDP segmentation offload): the
 * kernel gives up to 64 KB behind one header, and leaves cutting and checksums to whoever takes it.
 *
 * @module
 */
import type { Memory } from '../../../../netlink/codec/memory.ts'
import { fold, sumMemory, sumWords } from '../../../packet/checksum.ts'
import { type IpHeader, setLength } from '../../../packet/ip-header.ts'
import { read16, read32, write16, write32 } from '../../../packet/octets.ts'
import { IPPROTO_TCP, IPPROTO_UDP, TCP_HEADER_LENGTH, UDP_HEADER_LENGTH } from '../../../packet/protocols.ts'
import {
  CWR,
  FIN,
  PSH,
  TCP_CHECKSUM,
  TCP_FLAGS,
  TCP_SEQUENCE,
  UDP_CHECKSUM,
} from '../../../packet/transport-fields.ts'
import { segmentation, type VirtioHeader } from './virtio-header.ts'

/** One packet at a time, cut from its beginning to its end. Nothing is allocated. */
export class Segments {
  #isTcp = false
  #isV4 = false
  #at = 0
  #end = 0
  #transport = 0
  #headers = 0
  #size = 0
  #done = 0
  #pseudo = 0
  #identification = 0
  #sequence = 0
  #flags = 0

  /**
   * @param ip the packet's parsed header
   * @returns false where the packet is not what the virtio header says
   */
  begin({ bytes }: Memory, ip: IpHeader, { kind, segmentSize }: VirtioHeader): boolean {
    const { at, end, transportAt, transportProtocol } = ip
    this.#isTcp = kind !== segmentation.UDP
    this.#isV4 = ip.version === 4
    if (transportProtocol !== (this.#isTcp ? IPPROTO_TCP : IPPROTO_UDP) || segmentSize === 0) return false
    if (transportAt + (this.#isTcp ? TCP_HEADER_LENGTH : UDP_HEADER_LENGTH) > end) return false
    const length = this.#isTcp ? ((bytes[transportAt + 12] ?? 0) >> 4) * 4 : UDP_HEADER_LENGTH
    if ((this.#isTcp && length < TCP_HEADER_LENGTH) || transportAt + length > end) return false
    this.#at = at
    this.#end = end
    this.#transport = transportAt - at
    this.#headers = this.#transport + length
    this.#size = segmentSize
    this.#done = 0
    this.#identification = this.#isV4 ? read16(bytes, at + 4) : 0
    if (this.#isTcp) {
      this.#sequence = read32(bytes, transportAt + TCP_SEQUENCE)
      this.#flags = bytes[transportAt + TCP_FLAGS] ?? 0
    }
    const addresses = this.#isV4 ? 4 : 16
    const source = sumWords(bytes, ip.sourceAt, ip.sourceAt + addresses, transportProtocol)
    this.#pseudo = sumWords(bytes, ip.finalDestinationAt, ip.finalDestinationAt + addresses, source)
    return true
  }

  /** Length of the longest packet that comes out. */
  get longest(): number {
    return Math.min(this.#headers + this.#size, this.#end - this.#at)
  }

  /**
   * Writes the next packet, finished, from `to` on. It must not reach into what is being cut.
   *
   * @returns where it ends; 0 when there are no more
   */
  next(memory: Memory, to: number): number {
    const { bytes } = memory
    const number = this.#done
    const from = this.#at + this.#headers + number * this.#size
    // What has no payload at all is one packet as well.
    if (from >= this.#end && number > 0) return 0
    this.#done = number + 1
    const until = Math.min(from + this.#size, this.#end)
    bytes.copyWithin(to, this.#at, this.#at + this.#headers)
    bytes.copyWithin(to + this.#headers, from, until)
    const end = to + this.#headers + until - from
    if (this.#isV4 && number > 0) write16(bytes, to + 4, (this.#identification + number) & 0xffff)
    setLength(bytes, to, end)
    const transport = to + this.#transport
    if (this.#isTcp) this.#finishTcp(bytes, transport, number, until === this.#end)
    else write16(bytes, transport + 4, end - transport)
    const checksumAt = transport + (this.#isTcp ? TCP_CHECKSUM : UDP_CHECKSUM)
    write16(bytes, checksumAt, 0)
    const sum = ~fold(sumMemory(memory, transport, end, this.#pseudo + end - transport)) & 0xffff
    write16(bytes, checksumAt, sum === 0 && !this.#isTcp ? 0xffff : sum)
    return end
  }

  #finishTcp(bytes: Uint8Array, transport: number, number: number, isLast: boolean): void {
    write32(bytes, transport + TCP_SEQUENCE, (this.#sequence + number * this.#size) >>> 0)
    let flags = this.#flags
    if (!isLast) flags &= ~(FIN | PSH)
    if (number > 0) flags &= ~CWR
    bytes[transport + TCP_FLAGS] = flags
  }
}

/** Makes the checksum that was left undone, on top of the sum that stands in its place. @returns false where it is outside */
export function finishChecksum(memory: Memory, at: number, end: number, header: VirtioHeader): boolean {
  const start = at + header.checksumStart
  const place = start + header.checksumOffset
  if (place + 2 > end) return false
  const sum = ~fold(sumMemory(memory, start, end, 0)) & 0xffff
  // Zero would say that UDP has none; in one's complement, both are the same.
  write16(memory.bytes, place, sum || 0xffff)
  return true
}
