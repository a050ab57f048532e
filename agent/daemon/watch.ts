/**
 * Notices what happens in a network namespace that policy and SAs depend on, and wakes whoever is to look.
 *
 * @module
 */
import { type Watch, watchReadable } from '../../netlink/libc/poll.ts'
import { NFNLGRP_NFTABLES, nftTableOf } from '../../netlink/netfilter/events.ts'
import { routeGroup } from '../../netlink/route/constants.ts'
import type { Subscription } from '../../netlink/socket/events.ts'
import { EventQueue } from '../../netlink/socket/events.ts'
import type { ReceivedMessage } from '../../netlink/socket/message.ts'
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../../netlink/socket/protocols.ts'
import { group } from '../../netlink/xfrm/constants.ts'
import { wipeKeys } from '../../netlink/xfrm/keys.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { UsersaInfo } from '../../netlink/xfrm/structs.ts'
import { connectDataPath } from '../datapath/data-path.ts'
import type { SaIdentifier } from '../model/association.ts'
import { NETFILTER_TABLE } from '../reconcile/netfilter.ts'
import { isOurPolicyIndex, isOurState } from '../reconcile/ownership.ts'
import { type KernelAssociation, readBareState, readState } from '../translate/read-association.ts'

/** What has happened since the last look. */
export interface Happenings {
  /** Policies of ours were touched by somebody, or may have been. */
  policies: boolean
  /** The same of SAs. */
  associations: boolean
  /** Our nftables table was touched. */
  netfilter: boolean
  /** Addresses, interfaces or routing rules are others. */
  network: boolean
  /** Events were lost. */
  overrun: boolean
  /** SAs at the end of their lives. */
  readonly expired: SaIdentifier[]
  /** SAs of ours that were deleted, as they were. */
  readonly gone: KernelAssociation[]
}

/** Who has noticed it. */
export interface HappeningSource {
  /** What has happened up to now, handed over. */
  take(): Happenings
  /** What was taken could not be dealt with, or not yet. */
  giveBack(happenings: Happenings): void
}

function nothing(): Happenings {
  return {
    policies: false,
    associations: false,
    netfilter: false,
    network: false,
    overrun: false,
    expired: [],
    gone: [],
  }
}

/** The keys of SAs that went are needed no more. */
export function wipeGone({ gone }: Pick<Happenings, 'gone'>): void {
  for (const { state } of gone) wipeKeys(state)
}

/** Sees to it that nothing is missed: whatever cannot be told counts as having happened. */
export class Watchman implements HappeningSource {
  readonly #wake: () => void
  readonly #isOwn: (portId: number) => boolean
  readonly #soft: (identifier: SaIdentifier, life: UsersaInfo) => void
  #happenings = nothing()
  readonly #local: readonly Listener[]
  #dataPath: Subscription | undefined
  #hasEnded = false
  #hasOtherNetwork = false

  /**
   * Watches the calling thread's network namespace until it is closed.
   *
   * @param wake called when something has happened
   * @param isOwn true for a socket of our own: what it causes is no news
   * @param soft called when an SA of ours has reached a soft limit: nothing is to be done about it
   */
  constructor(
    wake: () => void,
    isOwn: (portId: number) => boolean,
    soft: (identifier: SaIdentifier, life: UsersaInfo) => void,
  ) {
    this.#wake = wake
    this.#isOwn = isOwn
    this.#soft = soft
    const { LINK, IPV4_IFADDR, IPV6_IFADDR, IPV4_RULE, IPV6_RULE } = routeGroup
    this.#local = [
      new Listener(NETLINK_ROUTE, [LINK, IPV4_IFADDR, IPV6_IFADDR, IPV4_RULE, IPV6_RULE], () =>
        this.#noteNetwork(),
      ),
      new Listener(NETLINK_NETFILTER, [NFNLGRP_NFTABLES], (event) => {
        if (!event || nftTableOf(event) === NETFILTER_TABLE) this.#note('netfilter')
      }),
    ]
  }

  /** Listens to whoever carries the packets now. @param folder the namespace's state folder */
  follow(folder: string): void {
    this.#dataPath?.close()
    this.#hasEnded = false
    const connection = connectDataPath(folder)
    try {
      this.#dataPath = connection.subscribe([group.SA, group.EXPIRE, group.POLICY], {
        event: (message, portId) => this.#xfrm(message, portId),
        overrun: () => this.#lost(),
        ended: () => {
          this.#hasEnded = true
          this.#lost()
        },
      })
    } finally {
      connection.close()
    }
  }

  /** The program of the software data path is no more: whoever starts it again has to {@link follow}. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** True where interfaces or addresses have changed since the last call, whatever was taken meanwhile. */
  takeNetwork(): boolean {
    const has = this.#hasOtherNetwork
    this.#hasOtherNetwork = false
    return has
  }

  take(): Happenings {
    this.#dataPath?.catchUp()
    for (const listener of this.#local) listener.catchUp()
    const taken = this.#happenings
    this.#happenings = nothing()
    return taken
  }

  giveBack({ expired, gone, ...flags }: Happenings): void {
    const now = this.#happenings
    this.#happenings = {
      ...now,
      expired: [...expired, ...now.expired],
      gone: [...gone, ...now.gone],
    }
    for (const name of ['policies', 'associations', 'netfilter', 'network', 'overrun'] as const) {
      this.#happenings[name] ||= flags[name]
    }
  }

  close(): void {
    this.#dataPath?.close()
    for (const listener of this.#local) listener.close()
    wipeGone(this.#happenings)
  }

  #note(what: Exclude<keyof Happenings, 'overrun' | 'expired' | 'gone'>): void {
    this.#happenings[what] = true
    this.#wake()
  }

  #noteNetwork(): void {
    this.#hasOtherNetwork = true
    this.#note('network')
  }

  #lost(): void {
    this.#happenings.overrun = true
    this.#wake()
  }

  #xfrm(message: XfrmMessage, portId: number): void {
    const { expired, gone } = this.#happenings
    const expiry = expiryOf(message)
    if (expiry?.isHard) {
      expired.push(expiry.identifier)
      this.#note('associations')
    } else if (expiry) this.#soft(expiry.identifier, expiry.life)
    const isOwn = this.#isOwn(portId)
    const deleted = isOwn ? undefined : deletedState(message)
    if (deleted) gone.push(deleted)
    else wipeKeys(message)
    const what = concernOf(message, isOwn)
    if (what) this.#note(what)
  }
}

/** The table that somebody has changed, as far as it is ours. Flushes do not tell whose entries they took. */
function concernOf(message: XfrmMessage, isOwn: boolean): 'policies' | 'associations' | undefined {
  switch (message.name) {
    case 'FLUSHSA':
      return 'associations'
    case 'FLUSHPOLICY':
      return 'policies'
    case 'DELSA':
      return !isOwn && isOurState(message.attributes.sa?.reqid ?? 0) ? 'associations' : undefined
    case 'NEWSA':
    case 'UPDSA':
      return !isOwn && isOurState(message.body.reqid) ? 'associations' : undefined
    case 'NEWPOLICY':
    case 'UPDPOLICY':
      return !isOwn && isOurPolicyIndex(message.body.index) ? 'policies' : undefined
    case 'DELPOLICY': {
      const index = message.attributes.policy?.index ?? message.body.index
      return !isOwn && isOurPolicyIndex(index) ? 'policies' : undefined
    }
    default:
      return undefined
  }
}

function deletedState(message: XfrmMessage): KernelAssociation | undefined {
  if (message.name !== 'DELSA') return undefined
  const { sa: body, ...attributes } = message.attributes
  const one = body && readState({ body, attributes })
  return one && isOurState(one.reqid) ? one : undefined
}

/** An SA of ours that has come to a limit. */
function expiryOf(
  message: XfrmMessage,
): { readonly identifier: SaIdentifier; readonly isHard: boolean; readonly life: UsersaInfo } | undefined {
  if (message.name !== 'EXPIRE') return undefined
  const { state: life, hard } = message.body
  if (!isOurState(life.reqid)) return undefined
  const identifier = readBareState({ body: life, attributes: message.attributes })
  return identifier && { identifier, isHard: hard !== 0, life }
}

/** Events of one netlink family. What was lost is told as `undefined`. */
class Listener {
  readonly #queue: EventQueue
  readonly #watch: Watch
  readonly #tell: (event?: ReceivedMessage) => void

  constructor(protocol: number, groups: readonly number[], tell: (event?: ReceivedMessage) => void) {
    this.#tell = tell
    this.#queue = EventQueue.open(protocol, { groups })
    this.#watch = watchReadable(this.#queue.fd, () => this.catchUp())
  }

  catchUp(): void {
    if (this.#queue.drain(this.#tell) === 'overrun') this.#tell()
  }

  close(): void {
    this.#watch.close()
    this.#queue.close()
  }
}
