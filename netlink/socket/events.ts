/**
 * What the kernel multicasts: changes that anyone makes, expiries, requests for keys.
 *
 * @module
 */
import { type Watch, watchReadable } from '../libc/poll.ts'
import { Channel, type ChannelOptions } from './channel.ts'
import { NetlinkError } from './error.ts'
import { keep, NLMSG_MIN_TYPE, NLMSG_OVERRUN, parseMessages, type ReceivedMessage } from './message.ts'

/** Room for some ten thousand events while the owner is busy. */
const RECEIVE_BUFFER = 8 * 1024 * 1024
/** Datagrams read in one turn of the event loop, so that a flood of events does not stop everything else. */
const DATAGRAMS_A_TURN = 256

export interface EventOptions extends ChannelOptions {
  /** Multicast groups by number. */
  readonly groups: readonly number[]
}

/** A socket in multicast groups, read without waiting. */
export class EventQueue {
  readonly #channel: Channel

  private constructor(channel: Channel) {
    this.#channel = channel
  }

  /** @throws {NetlinkError} where a group may not be joined (XFRM's need CAP_NET_ADMIN) */
  static open(protocol: number, options: EventOptions): EventQueue {
    return new EventQueue(Channel.open(protocol, { receiveBuffer: RECEIVE_BUFFER, ...options }))
  }

  get fd(): number {
    return this.#channel.fd
  }

  /**
   * Hands out what is queued, at most `limit` datagrams of it. Payloads are good only during the call.
   *
   * @returns `overrun` where events were lost. Then the queue is empty: what was in it is older than the
   *   loss and thrown away, so that nothing stale is taken for news after a dump.
   */
  drain(visit: (event: ReceivedMessage) => void, limit = Number.POSITIVE_INFINITY): 'drained' | 'overrun' {
    for (let taken = 0; taken < limit; taken++) {
      const received = this.#channel.receive(false)
      if (received.kind === 'empty') break
      if (received.kind === 'overrun') return this.#discard()
      for (const message of parseMessages(received.bytes)) {
        if (message.type === NLMSG_OVERRUN) return this.#discard()
        if (message.type >= NLMSG_MIN_TYPE) visit(message)
      }
    }
    this.#channel.wipe()
    return 'drained'
  }

  #discard(): 'overrun' {
    while (this.#channel.receive(false).kind !== 'empty') {
      // the kernel leaves its congested state when the queue is empty
    }
    this.#channel.wipe()
    return 'overrun'
  }

  close(): void {
    this.#channel.close()
  }
}

export interface EventHandler {
  /** One event; the payload may be kept. */
  event(event: ReceivedMessage): void
  /** Events were lost: what was known is out of date, read the tables again. */
  overrun(): void
  /** The program that answered in the kernel's stead is no more, and no event will come. Absent: that is an error. */
  ended?(): void
}

/** An {@link EventQueue} on Node's event loop, which it keeps alive until it is closed. */
export class Subscription {
  readonly #queue: EventQueue
  readonly #handler: EventHandler
  readonly #watch: Watch
  #open = true
  #hasEnded = false

  private constructor(queue: EventQueue, handler: EventHandler) {
    this.#queue = queue
    this.#handler = handler
    this.#watch = watchReadable(queue.fd, () => this.#deliver(DATAGRAMS_A_TURN))
  }

  /** Delivers what has happened so far, without the event loop. */
  catchUp(): void {
    this.#deliver(Number.POSITIVE_INFINITY)
  }

  #deliver(limit: number): void {
    if (!this.#open || this.#hasEnded) return
    const state = this.#drain(limit)
    if (state !== 'drained' && this.#open) this.#handler[state]?.()
  }

  #drain(limit: number): 'drained' | 'overrun' | 'ended' {
    try {
      return this.#queue.drain((event) => {
        if (this.#open) this.#handler.event(keep(event))
      }, limit)
    } catch (error) {
      if (!this.#handler.ended || !isEnd(error)) throw error
      this.#hasEnded = true
      this.#watch.close()
      return 'ended'
    }
  }

  /**
   * From now on every event goes to `handler`, whose errors become uncaught exceptions.
   *
   * @throws {NetlinkError} where a group may not be joined
   */
  static open(protocol: number, options: EventOptions, handler: EventHandler): Subscription {
    return new Subscription(EventQueue.open(protocol, options), handler)
  }

  /** Lets the process end though events are awaited. */
  unref(): this {
    this.#watch.unref()
    return this
  }

  /** No event is delivered after this returns; a second call does nothing. */
  close(): void {
    this.#open = false
    this.#watch.close()
    this.#queue.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** A program that is killed may leave unread what it was sent, and so reset the connection. */
function isEnd(error: unknown): boolean {
  if (!(error instanceof NetlinkError)) return false
  return error.code === 'ERR_NETLINK_ENDED' || error.errnoName === 'ECONNRESET'
}
