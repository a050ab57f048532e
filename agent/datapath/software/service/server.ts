/**
 * Netlink for programs that would otherwise talk to the kernel's XFRM: the same messages, on a UNIX socket that keeps
 * their boundaries. Requests are carried out in the order in which they come, one datagram at a time.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { constants } from 'node:os'
import { DecodeError } from '../../../../netlink/codec/errors.ts'
import { littleEndian, memoryOf } from '../../../../netlink/codec/memory.ts'
import { errnoName, SystemError } from '../../../../netlink/libc/errno.ts'
import { type Watch, watchReadable } from '../../../../netlink/libc/poll.ts'
import * as libc from '../../../../netlink/libc/socket.ts'
import { type Answer, formatAnswer } from '../../../../netlink/socket/extack.ts'
import {
  formatMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_HDRLEN,
  NLMSG_STATISTICS,
  NLMSG_SUBSCRIBE,
  parseMessages,
  type ReceivedMessage,
} from '../../../../netlink/socket/message.ts'
import type { XfrmAttributes } from '../../../../netlink/xfrm/attributes.ts'
import {
  decodeDump,
  decodeMessage,
  messageName,
  type XfrmMessage,
} from '../../../../netlink/xfrm/messages.ts'
import { formatXfrm, joinAndWipe } from '../../../../netlink/xfrm/whole-messages.ts'
import { listenAt } from '../../../runtime/listener.ts'
import { RequestError } from '../xfrm/request-error.ts'
import { formatStatistics } from './statistics-text.ts'

const BACKLOG = 64
/** The largest datagram that a client may send; batches have some 100 KB. */
const LARGEST_DATAGRAM = 512 * 1024
/** Messages of a dump in one datagram. */
const DUMP_DATAGRAM = 64 * 1024
/** What may wait for a client that does not read; one with more is cut off. */
const LARGEST_BACKLOG = 256 * 1024 * 1024

/** Requests for a whole table. */
type DumpName = 'GETSA' | 'GETPOLICY'

/** Does what the messages ask for. */
export interface RequestHandler {
  /**
   * @param bytes the whole message as it came, header included; good during the call
   * @returns replies to whoever asked
   * @throws RequestError
   */
  request(message: XfrmMessage, portId: number, bytes: Uint8Array): readonly XfrmMessage[]
  dump(name: DumpName, filter: XfrmAttributes): Iterable<XfrmMessage>
  /** What was counted so far, by name. */
  statistics(): Readonly<Record<string, number>>
  /** Called after each datagram: what its requests changed can be written down at once. */
  settle(): void
}

/** A UNIX socket, and all who are connected to it. */
export class Server {
  readonly #path: string
  readonly #fd: number
  readonly #watch: Watch
  readonly #clients = new Set<Client>()

  /**
   * Listens at `path`, for root only. A socket that a program before left there is replaced.
   *
   * @throws SystemError
   */
  constructor(path: string, handler: RequestHandler) {
    this.#path = path
    this.#fd = listenAt(path, { type: libc.SOCK_SEQPACKET, backlog: BACKLOG, mode: 0o600 })
    this.#watch = watchReadable(this.#fd, () => this.#accept(handler))
  }

  #accept(handler: RequestHandler): void {
    try {
      const client = new Client(libc.accept(this.#fd), handler, () => this.#clients.delete(client))
      this.#clients.add(client)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
    }
  }

  /** Tells everyone in the group. @param portId whose request caused it; 0 = nobody's */
  announce(group: number, message: XfrmMessage, portId: number): void {
    const listeners = [...this.#clients].filter((client) => client.groups.has(group))
    if (listeners.length === 0) return
    const bytes = formatXfrm(message, 0, 0, portId)
    // Each wipes what it has sent.
    for (const client of listeners) client.send(bytes.slice())
    bytes.fill(0)
  }

  /** True where somebody is connected who has had requests: others may come, however long that takes. */
  get hasRequesters(): boolean {
    return [...this.#clients].some((client) => client.hasAsked)
  }

  /** True where somebody listens to the group. */
  hasListeners(group: number): boolean {
    return [...this.#clients].some((client) => client.groups.has(group))
  }

  close(): void {
    this.#watch.close()
    for (const client of this.#clients) client.close()
    libc.close(this.#fd)
    rmSync(this.#path, { force: true })
  }
}

/** Requests are read one at a time, so all clients share it. It holds keys: it is wiped each time. */
const inbox = new Uint8Array(LARGEST_DATAGRAM)

/** One connection. */
class Client {
  readonly groups = new Set<number>()
  /** For more than events and statistics, which those ask for who only look on. */
  hasAsked = false
  readonly #fd: number
  readonly #handler: RequestHandler
  readonly #watch: Watch
  readonly #onClose: () => void
  /** What the socket could not take yet. */
  readonly #outbox: Uint8Array[] = []
  #waiting = 0
  #retry: NodeJS.Timeout | undefined
  #open = true

  constructor(fd: number, handler: RequestHandler, onClose: () => void) {
    this.#fd = fd
    this.#handler = handler
    this.#onClose = onClose
    this.#watch = watchReadable(fd, () => this.#read())
  }

  #read(): void {
    const length = libc.recvFrom(this.#fd, inbox, libc.MSG_DONTWAIT | libc.MSG_TRUNC, null, null)
    if (length < 0 && errnoName(-length) === 'EAGAIN') return
    if (length <= 0 || length > LARGEST_DATAGRAM) {
      this.close()
      return
    }
    try {
      for (const message of parseMessages(inbox.subarray(0, length))) this.#handle(message)
    } catch {
      // No netlink: whatever it is, it is not one of ours.
      this.close()
    } finally {
      inbox.fill(0, 0, length)
      this.#handler.settle()
    }
  }

  #handle(message: ReceivedMessage): void {
    const { type, flags, payload } = message
    if (type === NLMSG_SUBSCRIBE) {
      for (let at = 0; at + 4 <= payload.length; at += 4) {
        this.groups.add(memoryOf(payload).view.getUint32(at, littleEndian))
      }
      return
    }
    try {
      const isDump = (flags & NLM_F_DUMP) === NLM_F_DUMP
      if (isDump) this.#dump(message)
      else this.#request(message)
      if (!isDump && flags & NLM_F_ACK) this.send(formatAnswer(message, { errno: 0 }))
    } catch (error) {
      this.send(formatAnswer(message, answerFor(error)))
    }
  }

  #request({ type, payload, sequence, portId }: ReceivedMessage): void {
    if (type === NLMSG_STATISTICS) {
      const reply = { type, payload: formatStatistics(this.#handler.statistics()) }
      this.send(formatMessage(reply, sequence, portId))
      return
    }
    this.hasAsked = true
    const start = payload.byteOffset - NLMSG_HDRLEN
    const whole = new Uint8Array(payload.buffer, start, NLMSG_HDRLEN + payload.length)
    for (const reply of this.#handler.request(decodeMessage(type, payload), portId, whole)) {
      this.send(formatXfrm(reply, 0, sequence, portId))
    }
  }

  #dump({ type, payload, sequence, portId }: ReceivedMessage): void {
    const datagram: Uint8Array[] = []
    let size = 0
    const flush = () => {
      if (size > 0) this.send(joinAndWipe(datagram.splice(0)))
      size = 0
    }
    this.hasAsked = true
    const name = dumpName(type)
    for (const entry of this.#handler.dump(name, decodeDump(name, payload))) {
      const bytes = formatXfrm(entry, NLM_F_MULTI, sequence, portId)
      if (size + bytes.length > DUMP_DATAGRAM) flush()
      datagram.push(bytes)
      size += bytes.length
    }
    flush()
    const done = { type: NLMSG_DONE, flags: NLM_F_MULTI, payload: new Uint8Array(4) }
    this.send(formatMessage(done, sequence, portId))
  }

  send(bytes: Uint8Array): void {
    if (!this.#open) return
    if (this.#waiting + bytes.length > LARGEST_BACKLOG) {
      this.close()
      return
    }
    this.#outbox.push(bytes)
    this.#waiting += bytes.length
    if (!this.#retry) this.#drain()
  }

  #drain(): void {
    this.#retry = undefined
    for (let next = this.#outbox[0]; next; next = this.#outbox[0]) {
      try {
        libc.send(this.#fd, next, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
      } catch (error) {
        if (error instanceof SystemError && error.code === 'EAGAIN') {
          this.#retry = setTimeout(() => this.#drain(), 1)
        } else this.close()
        return
      }
      this.#outbox.shift()
      this.#waiting -= next.length
      next.fill(0)
    }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    if (this.#retry) clearTimeout(this.#retry)
    for (const bytes of this.#outbox) bytes.fill(0)
    this.#watch.close()
    libc.close(this.#fd)
    this.#onClose()
  }
}

function dumpName(type: number): DumpName {
  const name = messageName(type)
  if (name === 'GETSA' || name === 'GETPOLICY') return name
  throw new RequestError('EOPNOTSUPP', 'this cannot be dumped')
}

function answerFor(error: unknown): Answer {
  if (error instanceof RequestError) return { errno: error.errno, extack: error.message }
  if (error instanceof DecodeError) return { errno: constants.errno.EINVAL, extack: error.message }
  // A fault of ours. Its text may hold anything, so it is not passed on.
  return { errno: constants.errno.EIO, extack: 'internal error of the software data path' }
}
