/**
 * XFRM of one network namespace, spoken in decoded messages.
 *
 * @module
 * @example
 * const xfrm = XfrmConnection.open({ netns: 'blue' })
 * for (const { body } of xfrm.policies()) console.log(body.index, body.priority)
 * xfrm.close()
 */
import { closeSync } from 'node:fs'
import { openNetns } from '../libc/netns.ts'
import type { BatchOptions, BatchResult } from '../socket/batch.ts'
import { changed, consistently } from '../socket/consistent.ts'
import { NetlinkError } from '../socket/error.ts'
import { EventQueue, Subscription } from '../socket/events.ts'
import { type Message, NLM_F_REPLACE, type ReceivedMessage } from '../socket/message.ts'
import { NETLINK_XFRM } from '../socket/protocols.ts'
import { NetlinkSocket } from '../socket/socket.ts'
import type { SadAttributes, SpdAttributes, XfrmAttributes } from './attributes.ts'
import { group } from './constants.ts'
import { xfrmDialect } from './dialect.ts'
import { keyedAlgorithms, wipeKeys } from './keys.ts'
import {
  decodeMessage,
  encodeDump,
  encodeMessage,
  type MessageName,
  messageName,
  messageType,
  type XfrmMessage,
  xfrm,
} from './messages.ts'
import { PolicyReader } from './policy-reader.ts'
import { writePolicy } from './policy-writer.ts'

/** The groups that announce every change of the two tables. */
const CHANGES = [group.EXPIRE, group.SA, group.POLICY]

export interface XfrmOptions {
  /** Name of the network namespace; the thread's own where absent. */
  readonly netns?: string | undefined
  /** Path of the UNIX socket of a program that answers in the kernel's stead; the kernel where absent. */
  readonly service?: string | undefined
}

export interface XfrmEventHandler {
  /** One event, and the port of the socket whose request caused it (0: the kernel itself). */
  event(message: XfrmMessage, portId: number): void
  /** Events were lost: read the tables again. */
  overrun(): void
  /** The program that answered in the kernel's stead is no more. Absent: that is an error. */
  ended?(): void
}

/** What is there: both tables as they were at one moment. */
export interface XfrmTables {
  readonly policies: readonly XfrmMessage<'NEWPOLICY'>[]
  readonly states: readonly XfrmMessage<'NEWSA'>[]
}

/** Whether the tables are still as they were. */
export interface ChangeWatch {
  /**
   * True where a policy or SA may have come, changed or gone since the last call, or since the beginning. Everything
   * that happened before the call is known to it.
   *
   * @throws {NetlinkError}
   */
  changed(): boolean
  close(): void
}

export class XfrmConnection {
  readonly #socket: NetlinkSocket
  /** Keeps the namespace at hand, whatever happens to its name. */
  readonly #netns: number | undefined
  readonly #service: string | undefined
  /** Keys that dumps have brought; absent: those who asked see to them. */
  #keys: Uint8Array[] | undefined
  #open = true

  private constructor(socket: NetlinkSocket, netns: number | undefined, service: string | undefined) {
    this.#socket = socket
    this.#netns = netns
    this.#service = service
  }

  /**
   * @throws {NetlinkError} where the kernel has no XFRM
   * @throws {NamespaceError} where there is no such namespace, or it may not be entered
   */
  static open(options: XfrmOptions = {}): XfrmConnection {
    const netns = options.netns === undefined ? undefined : openNetns(options.netns)
    try {
      const { service } = options
      const socket = NetlinkSocket.open(NETLINK_XFRM, { netns, service, dialect: xfrmDialect })
      return new XfrmConnection(socket, netns, service)
    } catch (error) {
      if (netns !== undefined) closeSync(netns)
      throw error
    }
  }

  /**
   * Has keys of SAs that are read from now on overwritten by {@link close}: what was read is good only until then. Without
   * this, whoever reads SAs wipes them.
   */
  wipeAtClose(): this {
    this.#keys ??= []
    return this
  }

  /** Events caused by this connection carry this port. */
  get portId(): number {
    return this.#socket.portId
  }

  /**
   * Sends one message and waits for its ACK.
   *
   * @returns the kernel's replies: one for GET and ALLOCSPI, none for most
   * @throws {NetlinkError}
   */
  send(message: XfrmMessage): XfrmMessage[] {
    const request = toNetlink(message)
    try {
      const replies = this.#socket.request(request).map(decodeAndWipe)
      for (const reply of replies) this.#note(reply)
      return replies
    } finally {
      request.payload.fill(0)
    }
  }

  /** Sends many messages; see {@link NetlinkSocket.batch} for what a failure in the middle means. */
  batch(messages: readonly XfrmMessage[], options: Pick<BatchOptions, 'stopOnError'> = {}): BatchResult {
    return this.batchOf(messages, (message) => message, options)
  }

  /** As {@link batch}; each message is made when its turn has come, so that they never exist all at once. */
  batchOf<T>(
    items: readonly T[],
    messageOf: (item: T) => XfrmMessage,
    options: Pick<BatchOptions, 'stopOnError'> = {},
  ): BatchResult {
    return this.#socket.batchEncoded(
      items.length,
      (memory, at, index) => {
        const message = messageOf(items[index] as T)
        const header = { flags: flagsOf(message.name), seq: 0 }
        return message.name === 'NEWPOLICY' || message.name === 'UPDPOLICY'
          ? writePolicy(memory, at, message, header)
          : xfrm.write(memory, at, message, header)
      },
      options,
    )
  }

  /** Every policy, those of single sockets included, in no order to rely on (6.18: the newest first). */
  policies(): XfrmMessage<'NEWPOLICY'>[] {
    return this.#consistently(() => this.#readPolicies())
  }

  /**
   * Every SA, larval ones included.
   *
   * @param filter - `proto` and `address_filter` make the kernel give only some
   */
  states(filter: Pick<XfrmAttributes, 'proto' | 'address_filter'> = {}): XfrmMessage<'NEWSA'>[] {
    return this.#consistently(() => this.#readStates(filter))
  }

  /** Policies and SAs of one and the same moment. */
  tables(): XfrmTables {
    return this.#consistently(() => ({ policies: this.#readPolicies(), states: this.#readStates({}) }))
  }

  /** One policy, by selector (with mark, if_id, type) or by index. @throws {NetlinkError} ENOENT */
  getPolicy(
    body: XfrmMessage<'GETPOLICY'>['body'],
    attributes: XfrmAttributes = {},
  ): XfrmMessage<'NEWPOLICY'> {
    return this.#ask({ name: 'GETPOLICY', body, attributes }, 'NEWPOLICY')
  }

  /** One SA. @throws {NetlinkError} ESRCH */
  getState(body: XfrmMessage<'GETSA'>['body'], attributes: XfrmAttributes = {}): XfrmMessage<'NEWSA'> {
    return this.#ask({ name: 'GETSA', body, attributes }, 'NEWSA')
  }

  /** Reserves an SPI: makes a larval SA, and returns it. @throws {NetlinkError} ENOENT: none is free */
  allocSpi(body: XfrmMessage<'ALLOCSPI'>['body'], attributes: XfrmAttributes = {}): XfrmMessage<'NEWSA'> {
    return this.#ask({ name: 'ALLOCSPI', body, attributes }, 'NEWSA')
  }

  /**
   * What becomes of packets that no policy is about: 1 is dropped, anything else passes.
   *
   * @returns `undefined` where it cannot be asked for: kernels before 5.14, and programs in the kernel's stead
   */
  defaultActions(): XfrmMessage<'GETDEFAULT'>['body'] | undefined {
    const request: XfrmMessage = { name: 'GETDEFAULT', body: { in: 0, fwd: 0, out: 0 }, attributes: {} }
    try {
      return this.#ask(request, 'GETDEFAULT').body
    } catch (error) {
      if (error instanceof NetlinkError && error.errnoName !== 'EPERM') return undefined
      throw error
    }
  }

  /** Numbers of policies, and how they are hashed. */
  spdInfo(): SpdAttributes {
    return this.#ask({ name: 'GETSPDINFO', body: { flags: 0 }, attributes: {} }, 'NEWSPDINFO').attributes
  }

  /** Number of SAs, and how they are hashed. */
  sadInfo(): SadAttributes {
    return this.#ask({ name: 'GETSADINFO', body: { flags: 0 }, attributes: {} }, 'NEWSADINFO').attributes
  }

  /**
   * Events from now on, on Node's event loop.
   *
   * @param groups - numbers of `constants.ts` `group`
   */
  subscribe(groups: readonly number[], handler: XfrmEventHandler): Subscription {
    return Subscription.open(
      NETLINK_XFRM,
      { netns: this.#netns, service: this.#service, groups },
      {
        event: (event) => {
          // A newer kernel may announce what we have no description for.
          if (messageName(event.type)) handler.event(decodeAndWipe(event), event.portId)
        },
        overrun: () => handler.overrun(),
        ...(handler.ended && { ended: () => handler.ended?.() }),
      },
    )
  }

  /** Watches both tables from now on, without the event loop. Close it before the connection. */
  watchChanges(): ChangeWatch {
    const events = this.#changeEvents()
    return {
      changed: () => {
        this.spdInfo()
        return changed(events, { isChange })
      },
      close: () => events.close(),
    }
  }

  /** Closes the connection; its subscriptions live on. A second call does nothing. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    for (const key of this.#keys ?? []) key.fill(0)
    this.#keys = undefined
    this.#socket.close()
    if (this.#netns !== undefined) closeSync(this.#netns)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #ask<N extends MessageName>(request: XfrmMessage, name: N): XfrmMessage<N> {
    const reply = this.send(request).find((message) => message.name === name)
    if (!reply) {
      throw new NetlinkError({
        operation: `XFRM_MSG_${request.name}`,
        code: 'ERR_NETLINK_NO_REPLY',
        detail: `acknowledged without the expected XFRM_MSG_${name}`,
      })
    }
    return reply as XfrmMessage<N>
  }

  /** A dump that is read again, since something has changed meanwhile, had keys as well. */
  #note({ attributes }: XfrmMessage): void {
    if (!this.#keys) return
    for (const { alg_key } of keyedAlgorithms(attributes)) this.#keys.push(alg_key)
  }

  #readPolicies(): XfrmMessage<'NEWPOLICY'>[] {
    return this.#dump('GETPOLICY', {}) as XfrmMessage<'NEWPOLICY'>[]
  }

  #readStates(filter: XfrmAttributes): XfrmMessage<'NEWSA'>[] {
    return this.#dump('GETSA', filter) as XfrmMessage<'NEWSA'>[]
  }

  #dump(name: 'GETPOLICY' | 'GETSA', filter: XfrmAttributes): XfrmMessage[] {
    const entries: XfrmMessage[] = []
    const request = { type: messageType(name), payload: encodeDump(name, filter) }
    const reader = new PolicyReader()
    this.#socket.dump(request, ({ type, payload }) => {
      const entry = reader.read(type, payload)
      this.#note(entry)
      entries.push(entry)
    })
    return entries
  }

  /**
   * The events are listened to only meanwhile: a listener costs each change a copy. Asking for the counts
   * takes the lock that the kernel holds for the whole of every change, the announcement included.
   */
  #consistently<T>(read: () => T): T {
    const events = this.#changeEvents()
    try {
      return consistently(events, read, { isChange, settle: () => this.spdInfo() })
    } finally {
      events.close()
    }
  }

  #changeEvents(): EventQueue {
    return EventQueue.open(NETLINK_XFRM, { netns: this.#netns, service: this.#service, groups: CHANGES })
  }
}

/** A soft expiry changes nothing in the tables. */
function isChange(event: ReceivedMessage): boolean {
  const name = messageName(event.type)
  // Others may hold keys, and are not looked into.
  if (name !== 'EXPIRE' && name !== 'POLEXPIRE') return true
  const message = fromNetlink(event)
  wipeKeys(message)
  return message.name === 'EXPIRE' || message.name === 'POLEXPIRE' ? message.body.hard !== 0 : true
}

/** XFRM looks at the flags of NEWAE alone, which does nothing without this one. */
function flagsOf(name: MessageName): number {
  return name === 'NEWAE' ? NLM_F_REPLACE : 0
}

function toNetlink(message: XfrmMessage): Message {
  return {
    type: messageType(message.name),
    flags: flagsOf(message.name),
    payload: encodeMessage(message),
  }
}

/** The decoded message has bytes of its own; a reply or event that was kept may hold keys. */
function decodeAndWipe(reply: ReceivedMessage): XfrmMessage {
  const message = fromNetlink(reply)
  reply.payload.fill(0)
  return message
}

function fromNetlink(message: ReceivedMessage): XfrmMessage {
  return decodeMessage(message.type, message.payload)
}
