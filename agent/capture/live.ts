/**
 * Live capture: a packet socket (packet(7)) that is read many packets at a time.
 *
 * @module
 */
import { littleEndian } from '../../netlink/codec/memory.ts'
import { errnoName, errnoText, SystemError } from '../../netlink/libc/errno.ts'
import { MessageVector } from '../../netlink/libc/message-vector.ts'
import { type Watch, watchReadable } from '../../netlink/libc/poll.ts'
import * as libc from '../../netlink/libc/socket.ts'
import { type Frame, type LinkLayer, newFrame } from './frame.ts'
import { COOKED2_LENGTH, findIp } from './link-layers.ts'
import { attachFilter } from './packet-filter.ts'
import { withinTime } from './record.ts'

// linux/if_packet.h, linux/if_ether.h, linux/if_arp.h, asm-generic/socket.h
const SOL_PACKET = 263
const PACKET_ADD_MEMBERSHIP = 1
const PACKET_STATISTICS = 6
const PACKET_AUXDATA = 8
const PACKET_MR_PROMISC = 1
const PACKET_OUTGOING = 4
const ETH_P_ALL = 3
const ETH_P_8021Q = 0x8100
const TP_STATUS_VLAN_VALID = 0x10
const TP_STATUS_VLAN_TPID_VALID = 0x40
const ARPHRD_LOOPBACK = 772
const SO_TIMESTAMPNS = 35
const EAGAIN = 11
const EINTR = 4
/** Lengths of `sockaddr_ll` and `packet_mreq`. */
const ADDRESS_LENGTH = 20
const MEMBERSHIP_LENGTH = 16

/** What a raw packet begins with, by the type of the device: Ethernet, loopback; tunnels and TUN devices. */
const RAW_LINKS: ReadonlyMap<number, LinkLayer> = new Map([
  [1, 'ethernet'],
  [ARPHRD_LOOPBACK, 'ethernet'],
  [519, 'raw'],
  [768, 'raw'],
  [769, 'raw'],
  [776, 'raw'],
  [65534, 'raw'],
])

const BATCH = 32
const ROUNDS_A_TURN = 8
const HEADROOM = 32
/** What segmentation offload makes of packets: the longest IP packet behind the longest header. */
const SLOT = HEADROOM + 65_536 + 128
/** A time and `tpacket_auxdata`, each behind a head of 16 bytes. */
const CONTROL = 128
const MAC_ADDRESSES = 12
const VLAN_TAG = 4
const RECEIVE_BUFFER = 16 * 1024 * 1024

export interface LiveOptions {
  /** All interfaces where it is absent: their frames come with the cooked header of Linux (SLL2). */
  readonly interfaceIndex?: number
  /** Also frames that are for others. */
  readonly isPromiscuous: boolean
  /** Bytes of a packet that are looked at. */
  readonly snapLength: number
  /** In place of `interfaceIndex`: these alone, with the cooked header. See {@link LiveCapture.only}. */
  readonly only?: readonly number[]
  /** What the kernel may keep until it is looked at; 16 MiB where absent. */
  readonly bufferBytes?: number
}

export interface LiveHandler {
  /** A frame, good during the call. */
  frame(frame: Frame): void
  /** No more frames for now: what was written may be shown. */
  pause(): void
  /** Nothing more will come. */
  broken(reason: string): void
}

export class LiveCapture {
  readonly link: LinkLayer
  /** Packets that the kernel had no room for, as of the last look, and those that we had none for. */
  dropped = 0
  #handler: LiveHandler | undefined
  #isClosed = false
  /** Packets that there were for us as of the last look, those that were dropped included. */
  #total = 0
  /** Packets that were read, and handed over if they were to be. */
  #read = 0
  readonly #fd: number
  readonly #snapLength: number
  readonly #vector = new MessageVector(BATCH, SLOT, CONTROL)
  readonly #frame = newFrame()
  #watch: Watch | undefined

  /**
   * Begins to collect packets, in the calling thread's network namespace.
   *
   * @throws SystemError `EPERM` without CAP_NET_RAW
   */
  constructor({ interfaceIndex, isPromiscuous, snapLength, only, bufferBytes }: LiveOptions) {
    const raw = interfaceIndex === undefined ? undefined : openRaw(interfaceIndex)
    this.link = raw?.link ?? 'cooked2'
    this.#fd = raw?.fd ?? openSocket(libc.SOCK_DGRAM, interfaceIndex ?? 0, { only, bufferBytes })
    this.#snapLength = snapLength
    if (isPromiscuous && interfaceIndex !== undefined) joinAll(this.#fd, interfaceIndex)
  }

  /** Hands frames over from now on, until {@link close} or {@link rest}. */
  listen(handler: LiveHandler): void {
    this.#handler = handler
    this.resume()
  }

  /** Reads nothing more until {@link resume}, but what was read already is still handed over: up to 32 packets. */
  rest(): void {
    this.#watch?.close()
    this.#watch = undefined
  }

  resume(): void {
    const handler = this.#handler
    if (!handler || this.#watch || this.#isClosed) return
    this.#watch = watchReadable(this.#fd, () => {
      for (let round = 0; round < ROUNDS_A_TURN && this.#watch; round++)
        if (this.#receive(handler) < BATCH) break
      if (this.#watch) handler.pause()
    })
  }

  /** @returns how many were read; those that are left when the capture is closed meanwhile count as unread */
  #receive(handler: LiveHandler): number {
    const count = this.#vector.receive(this.#fd, HEADROOM)
    if (count < 0 && count !== -EAGAIN && count !== -EINTR) {
      this.rest()
      handler.broken(`${errnoName(-count)} (${errnoText(-count)})`)
    }
    for (let slot = 0; slot < count && !this.#isClosed; slot++)
      if (this.#take(slot)) handler.frame(this.#frame)
    return count
  }

  /** Lets no more packets in, and hands over what has come so far. */
  finish(): void {
    const handler = this.#handler
    if (!handler || this.#isClosed) return
    this.only([])
    while (!this.#isClosed && this.#receive(handler) > 0) {
      // until there are none
    }
  }

  /** Packets that were for us and that nobody has looked at, as of the last {@link countDrops}. */
  get unread(): number {
    return this.#total - this.#read
  }

  /** Only packets of these interfaces from now on. None are meant where the list is empty. */
  only(interfaces: readonly number[]): void {
    attachFilter(this.#fd, interfaces)
  }

  /** Brings {@link dropped} and {@link unread} up to date. */
  countDrops(): void {
    const statistics = libc.getSockOpt(this.#fd, SOL_PACKET, PACKET_STATISTICS, 8)
    // The kernel counts anew from each look on.
    const view = new DataView(statistics.buffer, statistics.byteOffset)
    this.#total += view.getUint32(0, littleEndian)
    this.dropped += view.getUint32(4, littleEndian)
  }

  /** Ends the capture. A second call does nothing. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.countDrops()
    this.rest()
    libc.close(this.#fd)
  }

  /** @returns false where the frame is to be left out */
  #take(slot: number): boolean {
    const vector = this.#vector
    const { bytes, view } = vector.arena
    const length = vector.lengthOf(slot)
    if (length < 0) {
      this.dropped++
      return false
    }
    this.#read++
    const name = vector.nameAt(slot)
    // On loopback, each packet comes twice: as it leaves and as it arrives.
    const isLeaving = bytes[name + 10] === PACKET_OUTGOING
    if (isLeaving && view.getUint16(name + 8, littleEndian) === ARPHRD_LOOPBACK) return false
    const dataAt = vector.slotAt(slot) + HEADROOM
    const isCooked = this.link === 'cooked2'
    if (isCooked) writeCooked(bytes, view, name, dataAt - COOKED2_LENGTH)
    const at = isCooked ? dataAt - COOKED2_LENGTH : dataAt - this.#restoreTag(slot, dataAt)
    const whole = dataAt + length - at
    const captured = Math.min(whole, this.#snapLength)
    const frame = this.#frame
    frame.number++
    frame.time = this.#timeOf(slot)
    frame.link = this.link
    frame.bytes = bytes.subarray(at, at + captured)
    frame.end = captured
    frame.wireLength = whole
    frame.ipAt = findIp(frame.bytes, captured, this.link)
    return true
  }

  /**
   * Puts the VLAN tag back, which the kernel takes off Ethernet frames and tells beside them.
   *
   * @returns by how many bytes the frame begins earlier
   */
  #restoreTag(slot: number, dataAt: number): number {
    if (this.link !== 'ethernet') return 0
    const { bytes, view } = this.#vector.arena
    const at = this.#vector.controlOf(slot, SOL_PACKET, PACKET_AUXDATA)
    const status = at === 0 ? 0 : view.getUint32(at, littleEndian)
    if ((status & TP_STATUS_VLAN_VALID) === 0) return 0
    const begin = dataAt - VLAN_TAG
    bytes.copyWithin(begin, dataAt, dataAt + MAC_ADDRESSES)
    const hasType = (status & TP_STATUS_VLAN_TPID_VALID) !== 0
    view.setUint16(begin + MAC_ADDRESSES, hasType ? view.getUint16(at + 18, littleEndian) : ETH_P_8021Q)
    view.setUint16(begin + MAC_ADDRESSES + 2, view.getUint16(at + 16, littleEndian))
    return VLAN_TAG
  }

  #timeOf(slot: number): bigint {
    const { view } = this.#vector.arena
    const at = this.#vector.controlOf(slot, libc.SOL_SOCKET, SO_TIMESTAMPNS)
    if (at === 0) return BigInt(Date.now()) * 1_000_000n
    const seconds = view.getBigInt64(at, littleEndian)
    return withinTime(seconds * 1_000_000_000n + view.getBigInt64(at + 8, littleEndian))
  }
}

/** The header of LINKTYPE_LINUX_SLL2, from the packet's `sockaddr_ll`. */
function writeCooked(bytes: Uint8Array, view: DataView, name: number, at: number): void {
  bytes.copyWithin(at, name + 2, name + 4) // protocol
  view.setUint16(at + 2, 0)
  view.setUint32(at + 4, view.getUint32(name + 4, littleEndian)) // index of the interface
  view.setUint16(at + 8, view.getUint16(name + 8, littleEndian)) // type of the device
  bytes.copyWithin(at + 10, name + 10, name + 20) // type of the packet, length of the address, address
}

/** @returns `undefined` where the link layer of the interface is none that we know */
function openRaw(interfaceIndex: number): { readonly fd: number; readonly link: LinkLayer } | undefined {
  const fd = openSocket(libc.SOCK_RAW, interfaceIndex)
  const type = new DataView(libc.getSockName(fd).slice(0, ADDRESS_LENGTH).buffer).getUint16(8, littleEndian)
  const link = RAW_LINKS.get(type)
  if (link) return { fd, link }
  libc.close(fd)
  return undefined
}

/** A socket that is bound gets packets only from then on, and none of other interfaces. */
function openSocket(
  type: number,
  interfaceIndex: number,
  { only, bufferBytes }: { only?: readonly number[] | undefined; bufferBytes?: number | undefined } = {},
): number {
  const fd = libc.socket(libc.AF_PACKET, type | libc.SOCK_NONBLOCK, 0)
  try {
    setBuffer(fd, bufferBytes ?? RECEIVE_BUFFER)
    if (only) attachFilter(fd, only)
    libc.setSockOptInt(fd, libc.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    libc.setSockOptInt(fd, SOL_PACKET, PACKET_AUXDATA, 1)
    const address = new Uint8Array(ADDRESS_LENGTH)
    const view = new DataView(address.buffer)
    view.setUint16(0, libc.AF_PACKET, littleEndian)
    view.setUint16(2, ETH_P_ALL)
    view.setInt32(4, interfaceIndex, littleEndian)
    libc.bind(fd, address)
    return fd
  } catch (error) {
    libc.close(fd)
    throw error
  }
}

/** More than the system's limit only with CAP_NET_ADMIN. */
function setBuffer(fd: number, bytes: number): void {
  try {
    libc.setSockOptInt(fd, libc.SOL_SOCKET, libc.SO_RCVBUFFORCE, bytes)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    libc.setSockOptInt(fd, libc.SOL_SOCKET, libc.SO_RCVBUF, bytes)
  }
}

function joinAll(fd: number, interfaceIndex: number): void {
  const membership = new Uint8Array(MEMBERSHIP_LENGTH)
  const view = new DataView(membership.buffer)
  view.setInt32(0, interfaceIndex, littleEndian)
  view.setUint16(4, PACKET_MR_PROMISC, littleEndian)
  libc.setSockOpt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
}
