/**
 * Requests to the kernel over netlink: one, many, or a whole table. All calls are synchronous: the kernel
 * does the work inside the send call, so they wait for nothing else.
 *
 * @module
 */
import {
  Batch,
  type BatchOptions,
  type BatchResult,
  type EncodeMessage,
  fromEncoder,
  fromMessages,
} from './batch.ts'
import { Channel, type ChannelOptions } from './channel.ts'
import { NetlinkError } from './error.ts'
import { answerError, type Dialect, operationName, parseAnswer } from './extack.ts'
import {
  formatMessage,
  keep,
  type Message,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  parseMessages,
  type ReceivedMessage,
} from './message.ts'

export interface SocketOptions extends Omit<ChannelOptions, 'groups'> {
  /** Names and hints for the protocol's errors. */
  readonly dialect?: Dialect | undefined
}

export class NetlinkSocket {
  readonly #channel: Channel
  readonly #dialect: Dialect
  #sequence = 1
  #busy = false

  private constructor(channel: Channel, dialect: Dialect) {
    this.#channel = channel
    this.#dialect = dialect
  }

  /**
   * @param protocol - such as `NETLINK_XFRM`
   * @throws {NetlinkError} where the kernel lacks the protocol
   * @throws {NamespaceError} where `netns` cannot be entered
   */
  static open(protocol: number, options: SocketOptions = {}): NetlinkSocket {
    return new NetlinkSocket(Channel.open(protocol, options), options.dialect ?? {})
  }

  /** Events that report this socket's own doing carry this number as their `portId`. */
  get portId(): number {
    return this.#channel.portId
  }

  /**
   * Sends one message and waits until the kernel has acknowledged it.
   *
   * @returns what the kernel replied besides the ACK; the payloads may be kept
   * @throws {NetlinkError} with the kernel's answer
   */
  request(message: Message): ReceivedMessage[] {
    return this.#exclusively(() => {
      const replies: ReceivedMessage[] = []
      const exchange = this.#send(message, NLM_F_REQUEST | NLM_F_ACK)
      this.#readAll(exchange, (reply) => replies.push(keep(reply)))
      return replies
    })
  }

  /**
   * Sends many messages, a hundred or so to a system call. One that fails does not keep the others from
   * being carried out: see {@link BatchResult} and {@link BatchOptions.stopOnError}.
   */
  batch(messages: Iterable<Message>, options: BatchOptions = {}): BatchResult {
    return this.#exclusively(() => this.#newBatch(options).run(fromMessages(messages)))
  }

  /** As {@link batch}, with an encoder that writes each of `count` messages straight into the buffer. */
  batchEncoded(count: number, encode: EncodeMessage, options: BatchOptions = {}): BatchResult {
    return this.#exclusively(() => this.#newBatch(options).run(fromEncoder(count, encode)))
  }

  #newBatch(options: BatchOptions): Batch {
    return new Batch(this.#channel, this.#dialect, options, (count) => this.#takeSequences(count))
  }

  /**
   * Reads a whole table. `visit` gets each entry as it comes; its payload is good only during the call, so
   * that a table of any size needs one buffer. If `visit` throws, the rest is read and thrown away, and then
   * the error comes out.
   *
   * @throws {NetlinkError} with the kernel's answer; ERR_NETLINK_DUMP_INTERRUPTED where the kernel says that
   *   the table changed meanwhile (XFRM never says so: see `consistent.ts`)
   */
  dump(message: Message, visit: (entry: ReceivedMessage) => void): void {
    this.#exclusively(() => {
      const exchange = this.#send(message, NLM_F_REQUEST | NLM_F_DUMP)
      const guard = guarded(visit)
      this.#readAll(exchange, guard.visit)
      guard.rethrow()
      if (exchange.interrupted) throw interrupted(operationName(message.type, this.#dialect))
    })
  }

  /** Closes the socket; a second call does nothing. */
  close(): void {
    this.#channel.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #send(message: Message, flags: number): Exchange {
    const sequence = this.#takeSequences(1)
    const flagged = { ...message, flags: (message.flags ?? 0) | flags }
    // XFRM copies the port from here into the events that the request causes.
    const request = formatMessage(flagged, sequence, this.#channel.portId)
    this.#channel.send(request, operationName(message.type, this.#dialect))
    return { type: message.type, sequence, request, interrupted: false }
  }

  /** Reads until the ACK or the end of the dump. Both buffers may have held keys, and are wiped. */
  #readAll(exchange: Exchange, visit: (entry: ReceivedMessage) => void): void {
    try {
      while (!this.#read(exchange, visit)) {
        // one datagram after the other
      }
    } finally {
      exchange.request.fill(0)
      this.#channel.wipe()
    }
  }

  /** Reads one datagram of the exchange; true when it brought the end. Stale answers are passed over. */
  #read(exchange: Exchange, visit: (entry: ReceivedMessage) => void): boolean {
    const received = this.#channel.receive(true)
    if (received.kind !== 'datagram') throw lost(operationName(exchange.type, this.#dialect))
    for (const message of parseMessages(received.bytes)) {
      if (message.sequence !== exchange.sequence) continue
      if (message.flags & NLM_F_DUMP_INTR) exchange.interrupted = true
      if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
        this.#end(exchange, message)
        return true
      }
      if (message.type !== NLMSG_NOOP) visit(message)
    }
    return false
  }

  #end(exchange: Exchange, message: ReceivedMessage): void {
    const answer = parseAnswer(message)
    if (answer.errno !== 0) {
      const { type, request, sequence } = exchange
      throw answerError(answer, type, request, this.#dialect, { sequence })
    }
  }

  /** Reserves `count` numbers in a row, none of them 0 (that is the kernel's), and returns the first. */
  #takeSequences(count: number): number {
    if (this.#sequence + count > 0xffffffff) this.#sequence = 1
    const first = this.#sequence
    this.#sequence += count
    return first
  }

  #exclusively<T>(work: () => T): T {
    if (this.#busy)
      throw new Error('netlink socket: a call from within a callback of another; use a second socket')
    this.#busy = true
    try {
      return work()
    } finally {
      this.#busy = false
    }
  }
}

/** A request under way. */
interface Exchange {
  readonly type: number
  readonly sequence: number
  /** Kept until the answer: an error names the field in it. */
  readonly request: Uint8Array
  interrupted: boolean
}

/** Remembers the first error of a callback and goes on without calling it: the dump must be read to its end. */
function guarded(visit: (entry: ReceivedMessage) => void) {
  let failure: { readonly error: unknown } | undefined
  return {
    visit: (entry: ReceivedMessage) => {
      if (failure) return
      try {
        visit(entry)
      } catch (error) {
        failure = { error }
      }
    },
    rethrow: () => {
      if (failure) throw failure.error
    },
  }
}

function lost(operation: string): NetlinkError {
  return new NetlinkError({
    operation,
    code: 'ERR_NETLINK_OVERRUN',
    detail: 'the kernel had no room for its answer, which is lost',
  })
}

function interrupted(operation: string): NetlinkError {
  return new NetlinkError({
    operation,
    code: 'ERR_NETLINK_DUMP_INTERRUPTED',
    detail: 'the table changed while it was read',
  })
}
