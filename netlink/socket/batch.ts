/**
 * Many requests, few system calls: messages are written one behind the other into a buffer that goes out
 * whole, and the kernel works through it before the send returns.
 *
 * @module
 */
import { align4, littleEndian, type Memory, memoryOf } from '../codec/memory.ts'
import type { Channel } from './channel.ts'
import { NetlinkError } from './error.ts'
import { answerError, type Dialect, parseAnswer } from './extack.ts'
import {
  keep,
  type Message,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
  parseMessages,
  type ReceivedMessage,
  writeMessage,
} from './message.ts'

/** Messages in one send. From 16 on, more gains nothing; the errors of all must fit the receive buffer. */
const CHUNK_MESSAGES = 128
/** A chunk is sent when it has reached this size, … */
const CHUNK_BYTES = 64 * 1024
/** … so one message of this size always finds room. */
const LARGEST_MESSAGE = 64 * 1024

/**
 * Writes a whole message at `offset` of `target`: every byte of it, since `target` is used again and again.
 * Of the header only type and flags (at +4 and +6) count; the socket fills in the rest.
 *
 * @returns the offset behind the message's last byte
 */
export type EncodeMessage = (target: Memory, offset: number, index: number) => number

export interface BatchOptions {
  /** Send nothing more after the chunk in which a message failed. The rest of that chunk is still done. */
  readonly stopOnError?: boolean
  /** Called for each message that the kernel replies with (not for ACKs); `payload` may be kept. */
  readonly onReply?: (index: number, reply: ReceivedMessage) => void
}

export interface BatchFailure {
  readonly index: number
  readonly error: NetlinkError
}

/** What became of a batch: of the first `sent` messages, all are in force but those in `failures`. */
export interface BatchResult {
  /** Messages that the kernel has seen: the first so many. */
  readonly sent: number
  /** Those of them without an error. */
  readonly applied: number
  /** By rising index. */
  readonly failures: readonly BatchFailure[]
}

/** Writes the next message of a batch; `undefined` when there is none. */
type Source = (target: Memory, offset: number, index: number) => number | undefined

/** The messages of an iterable. */
export function fromMessages(messages: Iterable<Message>): Source {
  const iterator = messages[Symbol.iterator]()
  return (target, offset) => {
    const next = iterator.next()
    return next.done ? undefined : writeMessage(target, offset, next.value)
  }
}

/** `count` messages that an encoder writes. */
export function fromEncoder(count: number, encode: EncodeMessage): Source {
  return (target, offset, index) => (index < count ? encode(target, offset, index) : undefined)
}

/** One batch under way. Its buffer is wiped when {@link run} returns: it held keys. */
export class Batch {
  readonly #channel: Channel
  readonly #dialect: Dialect
  readonly #options: BatchOptions
  readonly #takeSequences: (count: number) => number
  readonly #memory = memoryOf(new Uint8Array(CHUNK_BYTES + LARGEST_MESSAGE))
  /** Where each message of the chunk begins, and where the last one ends. */
  readonly #starts = new Uint32Array(CHUNK_MESSAGES + 1)
  readonly #failures: BatchFailure[] = []
  /** Messages in the chunk. */
  #count = 0
  /** Index of the chunk's first message. */
  #first = 0

  /** @param takeSequences - reserves a run of sequence numbers and returns the first */
  constructor(
    channel: Channel,
    dialect: Dialect,
    options: BatchOptions,
    takeSequences: (count: number) => number,
  ) {
    this.#channel = channel
    this.#dialect = dialect
    this.#options = options
    this.#takeSequences = takeSequences
  }

  /**
   * @throws {NetlinkError} where the outcome of a chunk is not known (its answers were lost): `index` is the
   *   first message in doubt, all before it were answered. Only a dump tells the truth then.
   */
  run(source: Source): BatchResult {
    try {
      while (this.#fill(source)) {
        this.#exchange()
        this.#first += this.#count
        if (this.#options.stopOnError && this.#failures.length > 0) break
      }
    } finally {
      this.#memory.bytes.fill(0)
    }
    this.#failures.sort((a, b) => a.index - b.index)
    return {
      sent: this.#first,
      applied: this.#first - this.#failures.length,
      failures: this.#failures,
    }
  }

  /** Writes the next chunk; false when the source has no more. */
  #fill(source: Source): boolean {
    let offset = 0
    this.#count = 0
    while (this.#count < CHUNK_MESSAGES && offset < CHUNK_BYTES) {
      const end = source(this.#memory, offset, this.#first + this.#count)
      if (end === undefined) break
      this.#close(offset, end)
      offset = align4(end)
      this.#count++
      this.#starts[this.#count] = offset
    }
    return this.#count > 0
  }

  /** Completes a message's header, but for the sequence number. */
  #close(offset: number, end: number): void {
    const length = end - offset
    if (length < NLMSG_HDRLEN || end > this.#memory.bytes.length) {
      throw new RangeError(`batch: message ${this.#first + this.#count} has an impossible length ${length}`)
    }
    const flags = this.#memory.view.getUint16(offset + 6, littleEndian) | NLM_F_REQUEST
    this.#memory.view.setUint32(offset, length, littleEndian)
    this.#memory.view.setUint16(offset + 6, flags, littleEndian)
    this.#memory.view.setUint32(offset + 12, this.#channel.portId, littleEndian)
  }

  #exchange(): void {
    const base = this.#takeSequences(this.#count)
    for (let i = 0; i < this.#count; i++) {
      this.#memory.view.setUint32((this.#starts[i] ?? 0) + 8, base + i, littleEndian)
    }
    // The kernel reports every error, asked or not. An ACK of the last message alone says that the chunk is
    // done; asking for all of them takes two and a half times as long and tells nothing more.
    const flagsAt = (this.#starts[this.#count - 1] ?? 0) + 6
    const flags = this.#memory.view.getUint16(flagsAt, littleEndian) | NLM_F_ACK
    this.#memory.view.setUint16(flagsAt, flags, littleEndian)
    this.#channel.send(this.#memory.bytes.subarray(0, this.#starts[this.#count]), 'batch')
    while (!this.#collect(base)) {
      // until the last message of the chunk is answered
    }
  }

  /** Reads one datagram of answers; true when the chunk's last message has been answered. */
  #collect(base: number): boolean {
    const received = this.#channel.receive(true)
    if (received.kind !== 'datagram') throw this.#inDoubt()
    let complete = false
    for (const message of parseMessages(received.bytes)) {
      const position = message.sequence - base
      if (position < 0 || position >= this.#count) continue
      if (message.type === NLMSG_ERROR) {
        this.#answered(position, message)
        complete ||= position === this.#count - 1
      } else {
        this.#options.onReply?.(this.#first + position, keep(message))
      }
    }
    return complete
  }

  #answered(position: number, message: ReceivedMessage): void {
    const answer = parseAnswer(message)
    if (answer.errno === 0) return
    const start = this.#starts[position] ?? 0
    const type = this.#memory.view.getUint16(start + 4, littleEndian)
    const request = this.#memory.bytes.subarray(start, this.#starts[position + 1])
    const index = this.#first + position
    const place = { sequence: message.sequence, index }
    this.#failures.push({ index, error: answerError(answer, type, request, this.#dialect, place) })
  }

  #inDoubt(): NetlinkError {
    return new NetlinkError({
      operation: 'batch',
      code: 'ERR_NETLINK_OVERRUN',
      detail: `answers to messages ${this.#first} to ${this.#first + this.#count - 1} were lost`,
      index: this.#first,
    })
  }
}
