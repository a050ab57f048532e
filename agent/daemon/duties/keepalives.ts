/**
 * Packets that keep the way through a NAT open, for SAs of the kernel with ESP in UDP (`ipsecesp_nat_keepalive_interval`).
 *
 * @module
 */
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import { connectDataPath } from '../../datapath/data-path.ts'
import { type Address, sameAddress } from '../../model/address.ts'
import { tunableValue } from '../../model/tunables.ts'
import { type Keepalive, KeepaliveClock, needsKeepalives } from '../../nat-keepalive/due.ts'
import { KeepaliveSender } from '../../nat-keepalive/sender.ts'
import type { Session } from '../../reconcile/session.ts'
import type { AgentContext } from '../context.ts'
import { pauseAfter } from './pause.ts'

const SECOND = 1000

/** The world, as far as this duty sees it. */
export interface KeepaliveWorld {
  /** The SAs that there are. @throws NetlinkError */
  states(): XfrmMessage<'NEWSA'>[]
  /** @throws SystemError */
  send(one: Keepalive): void
  close(): void
}

/** @param folder the state folder of the namespace */
export function keepaliveWorld(folder: string): KeepaliveWorld {
  const sender = new KeepaliveSender()
  return {
    states: () => {
      // Who needs keepalives is to be seen without keys.
      const connection = connectDataPath(folder).wipeAtClose()
      try {
        return connection.states()
      } finally {
        connection.close()
      }
    },
    send: (one) => sender.send(one),
    close: () => sender.close(),
  }
}

export class KeepaliveDuty {
  readonly #context: Pick<AgentContext, 'tell' | 'describe'>
  readonly #world: KeepaliveWorld
  readonly #clock = new KeepaliveClock()
  /** At which count of changes it was noted. */
  #count = -1
  /** Seconds; 0: none are sent. */
  #interval = 0
  #addresses: readonly Address[] = []
  #timer: NodeJS.Timeout | undefined
  #isOpen = true

  constructor(context: Pick<AgentContext, 'tell' | 'describe'>, world: KeepaliveWorld) {
    this.#context = context
    this.#world = world
  }

  /** Tunables, SAs or addresses of this host may be others. */
  note({
    changeCount,
    state,
    network: { localAddresses },
    dataPath,
  }: Pick<Session, 'changeCount' | 'state' | 'network' | 'dataPath'>): void {
    if (!this.#isOpen || (changeCount === this.#count && sameList(localAddresses, this.#addresses))) return
    this.#count = changeCount
    this.#addresses = localAddresses
    this.#interval = tunableValue(state.tunables, 'ipsecesp_nat_keepalive_interval')
    if (dataPath.kind === 'kernel') this.#plan(SECOND)
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#timer)
    this.#world.close()
  }

  /** Looks go on for as long as there is an SA that may need one; a change begins them anew. */
  #plan(delay: number): void {
    clearTimeout(this.#timer)
    if (!this.#isOpen || this.#interval === 0) return
    this.#timer = setTimeout(() => this.#look(), delay)
  }

  #look(): void {
    const started = performance.now()
    try {
      const states = this.#world.states()
      if (!states.some((state) => needsKeepalives(state, this.#addresses))) return
      const now = Math.floor(Date.now() / SECOND)
      for (const one of this.#clock.due(states, this.#addresses, this.#interval, now)) this.#world.send(one)
    } catch (error) {
      const message = `A packet that keeps address translation alive cannot be sent: ${this.#context.describe(error)}`
      this.#context.tell({ level: 'warning', event: 'failed', message })
    }
    this.#plan(pauseAfter(performance.now() - started, (this.#interval * SECOND) / 4))
  }
}

function sameList(a: readonly Address[], b: readonly Address[]): boolean {
  if (a.length !== b.length) return false
  return a.every((one, i) => {
    const other = b[i]
    return other !== undefined && sameAddress(one, other)
  })
}
