/**
 * Watches pinned connections and has their pins taken away when they end: when the kernel says that a socket is no more, and
 * again from time to time, for what it does not say (what is left of a connection in TIME_WAIT, events that were lost).
 *
 * Between the end of a connection and that of its pin lie some milliseconds, or as long as another command holds the lock
 * of changes. A new connection between the same ports has the old policy for so long.
 *
 * @module
 */
import { diag } from '../../netlink/diag/messages.ts'
import { Subscription } from '../../netlink/socket/events.ts'
import type { ReceivedMessage } from '../../netlink/socket/message.ts'
import { NETLINK_SOCK_DIAG } from '../../netlink/socket/protocols.ts'
import { DESTROY_GROUPS, readConnections } from './connections.ts'
import { endedPins, type Pin } from './pins.ts'

/** What the keeper needs of the record. */
export interface PinRecord {
  /** Changes whenever the record is written. Asked often. */
  stamp(): string
  read(): readonly Pin[]
  /** Takes the policies of these away. Fails where it cannot: it is tried again. */
  release(ended: readonly Pin[]): Promise<unknown>
}

const LOOK_AGAIN_MS = 5000

export class LatchKeeper {
  readonly #record: PinRecord
  readonly #onEmpty: () => void
  readonly #events: Subscription
  readonly #timer: NodeJS.Timeout
  #stamp = ''
  #pins: readonly Pin[] = []
  #cookies: ReadonlySet<string> = new Set()
  #isLooking = false
  #isOpen = true

  /**
   * Begins to watch.
   *
   * @param onEmpty called when there are no pins left; those of a later change are found as well
   * @throws NetlinkError where the kernel does not tell of sockets
   */
  constructor(record: PinRecord, onEmpty: () => void) {
    this.#record = record
    this.#onEmpty = onEmpty
    this.#events = Subscription.open(
      NETLINK_SOCK_DIAG,
      { groups: DESTROY_GROUPS },
      { event: (event) => this.#event(event), overrun: () => this.#soon() },
    )
    this.#timer = setInterval(() => this.look(), LOOK_AGAIN_MS)
    this.#soon()
  }

  stop(): void {
    this.#isOpen = false
    clearInterval(this.#timer)
    this.#events.close()
  }

  /** Compares pins and connections now. */
  look(): void {
    this.#refresh()
    if (this.#pins.length === 0) {
      this.#onEmpty()
      return
    }
    const ended = endedPins(this.#pins, readConnections())
    if (ended.length === 0) return
    // Where the lock is held, or a change has to be taken back first: at the next look.
    this.#record.release(ended).then(
      () => {
        this.#refresh()
        if (this.#isOpen && this.#pins.length === 0) this.#onEmpty()
      },
      () => {},
    )
  }

  #event({ type, payload }: ReceivedMessage): void {
    const { body } = diag.decode(type, payload)
    this.#refresh()
    if (this.#cookies.has(body.id.idiag_cookie.toString(16))) this.#soon()
  }

  /** Ends come in swarms: one look is enough for all of a turn. */
  #soon(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    setImmediate(() => {
      this.#isLooking = false
      if (this.#isOpen) this.look()
    })
  }

  #refresh(): void {
    const stamp = this.#record.stamp()
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    this.#pins = this.#record.read().filter(({ isEnded }) => !isEnded)
    this.#cookies = new Set(this.#pins.map(({ cookie }) => cookie))
  }
}
