/**
 * The device through which the kernel gives packets that are to be protected, and takes those that were. Both ways, what
 * belongs together passes as one.
 *
 * @module
 */
import { closeSync } from 'node:fs'
import { type Arena, allocateArena } from '../../../../../netlink/libc/arena.ts'
import { openTun, readInto, type Tun, writeFrom, writeVector } from '../../../../../netlink/libc/device.ts'
import { EAGAIN } from '../../../../../netlink/libc/errno.ts'
import { IOVEC_SIZE, writeIovec } from '../../../../../netlink/libc/iovec.ts'
import { type Watch, watchReadable } from '../../../../../netlink/libc/poll.ts'
import { fold, sumWords } from '../../../../packet/checksum.ts'
import { type IpHeader, setLength } from '../../../../packet/ip-header.ts'
import { write16 } from '../../../../packet/octets.ts'
import { IPPROTO_TCP, IPPROTO_UDP, LONGEST, V4_LENGTH } from '../../../../packet/protocols.ts'
import { PSH, TCP_CHECKSUM, TCP_FLAGS, UDP_CHECKSUM } from '../../../../packet/transport-fields.ts'
import { type Group, Merger } from '../../offload/merger.ts'
import {
  NEEDS_CHECKSUM,
  newVirtioHeader,
  readVirtioHeader,
  segmentation,
  VIRTIO_HEADER_LENGTH,
  type VirtioHeader,
  writePlainHeader,
  writeVirtioHeader,
} from '../../offload/virtio-header.ts'

const MOST_PIECES = 128

/** Bytes that must be free in front of a packet that is delivered or read. */
export const DEVICE_ROOM = VIRTIO_HEADER_LENGTH

export class TunDevice {
  readonly #tun: Tun
  readonly #pieces = allocateArena(MOST_PIECES * IOVEC_SIZE)
  readonly #merger: Merger
  readonly #header = newVirtioHeader()
  #watch: Watch | undefined
  /** Packets that the kernel would not take. */
  #lost = 0

  /** @throws SystemError as `openTun` */
  constructor(name: string) {
    this.#tun = openTun(name)
    this.#merger = new Merger((group) => this.#writeGroup(group), this.#tun.takesUdpSegments)
  }

  watch(ready: () => void): void {
    this.#watch = watchReadable(this.#tun.fd, ready)
  }

  /**
   * Reads what comes next, so that the packet begins at `at`. What is left to be done with it is in `into`.
   *
   * @returns where the packet ends; 0 where there is none
   */
  read(arena: Arena, at: number, into: VirtioHeader): number {
    const begin = at - VIRTIO_HEADER_LENGTH
    const length = readInto(this.#tun.fd, arena, begin, VIRTIO_HEADER_LENGTH + LONGEST)
    if (length <= VIRTIO_HEADER_LENGTH) return 0
    readVirtioHeader(arena.view, begin, into)
    return begin + length
  }

  /** Gives a packet to the kernel; at the latest at the next {@link flush}, until when it must stay where it is. */
  deliver(arena: Arena, ip: IpHeader): void {
    if (this.#merger.add(arena, ip) === 'alone') this.write(arena, ip.at, ip.end)
  }

  flush(): void {
    this.#merger.flush()
  }

  /** Gives a packet to the kernel at once. */
  write(arena: Arena, at: number, end: number): void {
    const begin = at - VIRTIO_HEADER_LENGTH
    writePlainHeader(arena.bytes, begin)
    this.#count(writeFrom(this.#tun.fd, arena, begin, end - begin), 1)
  }

  /** How many packets the kernel has refused since this was last asked. */
  takeLost(): number {
    const lost = this.#lost
    this.#lost = 0
    return lost
  }

  close(): void {
    this.#watch?.close()
    closeSync(this.#tun.fd)
  }

  #count(outcome: number, packets: number): void {
    if (outcome < 0 && outcome !== -EAGAIN) this.#lost += packets
  }

  #writeGroup(group: Group): void {
    const { arena, at, headersLength, length, count, places } = group
    if (count === 1) {
      this.write(arena, at, at + headersLength + length)
      return
    }
    this.#finishHeaders(group)
    const begin = at - VIRTIO_HEADER_LENGTH
    writeIovec(this.#pieces, 0, arena, begin, VIRTIO_HEADER_LENGTH + headersLength)
    for (let i = 0; i < count; i++) {
      writeIovec(this.#pieces, (i + 1) * IOVEC_SIZE, arena, places[2 * i] ?? 0, places[2 * i + 1] ?? 0)
    }
    this.#count(writeVector(this.#tun.fd, this.#pieces, 0, count + 1), count)
  }

  /** One header for all, with the sum of the pseudo-header where the checksum will be. */
  #finishHeaders({ arena, at, isTcp, ipLength, headersLength, length, segmentSize, pushes }: Group): void {
    const { bytes, view } = arena
    const transport = at + ipLength
    const end = at + headersLength + length
    const isV4 = ipLength === V4_LENGTH
    setLength(bytes, at, end)
    if (!isTcp) write16(bytes, transport + 4, end - transport)
    else if (pushes) bytes[transport + TCP_FLAGS] = (bytes[transport + TCP_FLAGS] ?? 0) | PSH
    const checksumOffset = isTcp ? TCP_CHECKSUM : UDP_CHECKSUM
    const start = (isTcp ? IPPROTO_TCP : IPPROTO_UDP) + end - transport
    write16(bytes, transport + checksumOffset, fold(sumWords(bytes, at + (isV4 ? 12 : 8), transport, start)))
    const header = this.#header
    header.flags = NEEDS_CHECKSUM
    header.kind = isTcp ? (isV4 ? segmentation.TCP4 : segmentation.TCP6) : segmentation.UDP
    header.segmentSize = segmentSize
    header.checksumStart = ipLength
    header.checksumOffset = checksumOffset
    writeVirtioHeader(view, at - VIRTIO_HEADER_LENGTH, header, headersLength)
  }
}
