/**
 * One netlink socket: opened in a namespace, with its options and buffers, sending and receiving whole datagrams. What
 * the datagrams mean is decided above. At the other end is the kernel, or a program that answers in its stead.
 *
 * @module
 */
import { littleEndian, memoryOf } from '../codec/memory.ts'
import { errnoNumber, SystemError } from '../libc/errno.ts'
import { type Netns, withNetns } from '../libc/netns.ts'
import * as libc from '../libc/socket.ts'
import { NetlinkError } from './error.ts'
import { formatMessage, NLMSG_SUBSCRIBE } from './message.ts'

// linux/netlink.h, socket options of SOL_NETLINK
const SOL_NETLINK = 270
const NETLINK_ADD_MEMBERSHIP = 1
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const NETLINK_GET_STRICT_CHK = 12

const SOCKADDR_NL_SIZE = 12
const KERNEL = 0

/** Twice the 32 KiB that the kernel puts into one datagram of a dump at most. It grows where that is wrong. */
const DATAGRAM_SIZE = 64 * 1024
/** Room for the error answers of a whole chunk, each at some 1.3 KB of the kernel's accounting. */
const RECEIVE_BUFFER = 1024 * 1024
const SEND_BUFFER = 512 * 1024
/** The kernel answers inside the send call; an answer that takes this long was lost. */
const ANSWER_TIMEOUT_SECONDS = 30

export interface ChannelOptions {
  /**
   * Path of the UNIX socket of a program that speaks the protocol in the kernel's stead; the kernel itself where absent.
   */
  readonly service?: string | undefined
  /** Network namespace to open the socket in, by name or descriptor; the thread's own where absent. */
  readonly netns?: Netns | undefined
  /** Multicast groups to join, by number (not mask). */
  readonly groups?: readonly number[] | undefined
  /** The kernel's receive buffer in bytes. */
  readonly receiveBuffer?: number | undefined
}

/** What {@link Channel.receive} found. */
export type Received =
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array }
  /** Nothing is queued (only without waiting). */
  | { readonly kind: 'empty' }
  /** ENOBUFS: the kernel had to drop messages for this socket. */
  | { readonly kind: 'overrun' }

export class Channel {
  readonly fd: number
  /** The socket's netlink address; kernel messages that answer or report our requests carry it. */
  readonly portId: number
  #buffer = new Uint8Array(DATAGRAM_SIZE)
  /** How much of the buffer was ever written since it was wiped. */
  #used = 0
  #open = true
  readonly #from = new Uint8Array(SOCKADDR_NL_SIZE)
  readonly #fromView = memoryOf(this.#from).view
  readonly #fromLength = new Uint8Array(4)

  /** The other end is one program and nobody else; its address says nothing. */
  readonly #isService: boolean

  private constructor(fd: number, portId: number, isService: boolean) {
    this.fd = fd
    this.portId = portId
    this.#isService = isService
  }

  /**
   * @param protocol - such as `NETLINK_XFRM`
   * @throws {NetlinkError} where the protocol is not there or a group is not allowed
   * @throws {NamespaceError} of netns.ts
   */
  static open(protocol: number, options: ChannelOptions = {}): Channel {
    if (options.service !== undefined) return Channel.#connect(options.service, options)
    const { SOCK_RAW, AF_NETLINK } = libc
    const fd = translated('open', () =>
      withNetns(options.netns, () => libc.socket(AF_NETLINK, SOCK_RAW, protocol)),
    )
    try {
      return translated('open', () => {
        configure(fd, options)
        const portId = bindAnywhere(fd)
        // Only now: binding resets the memberships.
        for (const group of options.groups ?? []) {
          libc.setSockOptInt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
        }
        return new Channel(fd, portId, false)
      })
    } catch (error) {
      libc.close(fd)
      throw error
    }
  }

  static #connect(path: string, { groups = [] }: ChannelOptions): Channel {
    const { AF_UNIX, SOCK_SEQPACKET } = libc
    const fd = libc.socket(AF_UNIX, SOCK_SEQPACKET, 0)
    try {
      return translated('open', () => {
        setBuffer(fd, libc.SO_SNDBUFFORCE, libc.SO_SNDBUF, SEND_BUFFER)
        setAnswerTimeout(fd)
        libc.connect(fd, libc.unixAddress(path))
        const channel = new Channel(fd, process.pid, true)
        if (groups.length > 0) channel.send(subscription(groups, channel.portId), 'subscribe')
        return channel
      })
    } catch (error) {
      libc.close(fd)
      throw error
    }
  }

  /** Sends one datagram of whole messages. The kernel has worked through them when this returns. */
  send(bytes: Uint8Array, operation: string): void {
    if (!this.#open) throw new Error(`netlink socket: ${operation} after close`)
    translated(operation, () => libc.send(this.fd, bytes))
  }

  /**
   * The next datagram from the kernel, whole whatever its size; those of other senders are dropped unread.
   * The bytes are a view of the channel's buffer: good until the next call. A closed channel is empty.
   *
   * @param wait - wait for one (at most 30 s), or answer `empty`
   * @throws {NetlinkError} ERR_NETLINK_TIMEOUT, or the error of the socket
   */
  receive(wait: boolean): Received {
    const flags = wait ? 0 : libc.MSG_DONTWAIT
    while (this.#open) {
      const expected = this.#recv(flags | libc.MSG_PEEK | libc.MSG_TRUNC)
      if (expected > this.#buffer.length) this.#grow(expected)
      const length = expected < 0 ? expected : this.#recv(flags)
      if (length < 0) return failed(-length, wait)
      // Netlink has no empty datagrams; this is the end of a program's connection.
      if (length === 0) throw ended()
      this.#used = Math.max(this.#used, length)
      if (!this.#isService && this.#fromView.getUint32(4, littleEndian) !== KERNEL) continue
      return { kind: 'datagram', bytes: this.#buffer.subarray(0, length) }
    }
    return { kind: 'empty' }
  }

  #recv(flags: number): number {
    this.#fromLength[littleEndian ? 0 : 3] = SOCKADDR_NL_SIZE
    return libc.recvFrom(this.fd, this.#buffer, flags, this.#from, this.#fromLength)
  }

  #grow(size: number): void {
    this.wipe()
    this.#buffer = new Uint8Array(size)
  }

  /** Overwrites what was received: answers of XFRM hold keys. */
  wipe(): void {
    this.#buffer.fill(0, 0, this.#used)
    this.#used = 0
  }

  /** Closes the socket; a second call does nothing. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.wipe()
    libc.close(this.fd)
  }
}

function failed(errno: number, wait: boolean): Received {
  if (errno === errnoNumber('ENOBUFS')) return { kind: 'overrun' }
  if (errno !== errnoNumber('EAGAIN')) throw new NetlinkError({ operation: 'receive', errno })
  if (!wait) return { kind: 'empty' }
  throw new NetlinkError({
    operation: 'receive',
    code: 'ERR_NETLINK_TIMEOUT',
    detail: `no answer from the kernel within ${ANSWER_TIMEOUT_SECONDS} s`,
  })
}

function ended(): NetlinkError {
  return new NetlinkError({
    operation: 'receive',
    code: 'ERR_NETLINK_ENDED',
    detail: "the program that answers in the kernel's stead has ended",
  })
}

/** To a program, groups are joined by a message: a socket option would not reach it. */
function subscription(groups: readonly number[], portId: number): Uint8Array {
  const payload = new Uint8Array(Uint32Array.from(groups).buffer)
  return formatMessage({ type: NLMSG_SUBSCRIBE, payload }, 0, portId)
}

function setAnswerTimeout(fd: number): void {
  const timeout = new Uint8Array(BigInt64Array.of(BigInt(ANSWER_TIMEOUT_SECONDS), 0n).buffer)
  libc.setSockOpt(fd, libc.SOL_SOCKET, libc.SO_RCVTIMEO, timeout)
}

function configure(fd: number, options: ChannelOptions): void {
  const { SO_RCVBUF, SO_RCVBUFFORCE, SO_SNDBUF, SO_SNDBUFFORCE } = libc
  setBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receiveBuffer ?? RECEIVE_BUFFER)
  setBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER)
  setAnswerTimeout(fd)
  for (const option of [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK]) optional(fd, option)
}

/** The FORCE form goes beyond the system-wide limit, but needs the privilege in the first namespace. */
function setBuffer(fd: number, force: number, plain: number, size: number): void {
  try {
    libc.setSockOptInt(fd, libc.SOL_SOCKET, force, size)
  } catch (error) {
    if (!(error instanceof SystemError && error.code === 'EPERM')) throw error
    libc.setSockOptInt(fd, libc.SOL_SOCKET, plain, size)
  }
}

/** Kernels before 4.12, 4.3 and 4.20 do not know these; what they bring is then just absent. */
function optional(fd: number, option: number): void {
  try {
    libc.setSockOptInt(fd, SOL_NETLINK, option, 1)
  } catch (error) {
    if (!(error instanceof SystemError && error.code === 'ENOPROTOOPT')) throw error
  }
}

function bindAnywhere(fd: number): number {
  libc.bind(fd, kernelAddress(0))
  return memoryOf(libc.getSockName(fd)).view.getUint32(4, littleEndian)
}

/** `struct sockaddr_nl`; port 0 is the kernel as a destination, and "any" for bind. */
function kernelAddress(portId: number): Uint8Array {
  const address = new Uint8Array(SOCKADDR_NL_SIZE)
  memoryOf(address).view.setUint16(0, libc.AF_NETLINK, littleEndian)
  memoryOf(address).view.setUint32(4, portId, littleEndian)
  return address
}

function translated<T>(operation: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new NetlinkError({ operation, errno: error.errno, detail: error.syscall, ...hintFor(error) })
  }
}

function hintFor(error: SystemError): { hint?: string } {
  if (error.code === 'EPERM') return { hint: 'run as root, or with CAP_NET_ADMIN in the network namespace' }
  if (error.code === 'EPROTONOSUPPORT') return { hint: 'the kernel lacks this netlink protocol' }
  return {}
}
