/**
 * What tunables ask of the agent: messages about packets that policy refused, keepalives for SAs of the kernel, and how
 * often SAs are looked at.
 *
 * @module
 */
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import { connectDataPath } from '../../datapath/data-path.ts'
import type { Address } from '../../model/address.ts'
import { type TunableValues, tunableValue } from '../../model/tunables.ts'
import { KeepaliveClock, needsKeepalives } from '../../nat-keepalive/due.ts'
import { KeepaliveSender } from '../../nat-keepalive/sender.ts'
import { lookInterval, PolicyLog } from '../../policy-log/policy-log.ts'
import { failureSource } from '../../policy-log/source.ts'
import type { PolicyState } from '../../reconcile/policy-state.ts'
import type { Session } from '../../reconcile/session.ts'
import type { AgentContext } from '../context.ts'
import { pauseAfter } from './pause.ts'

const SECOND = 1000

/** Milliseconds between looks at the age of SAs; `undefined` where nobody has set it. */
function ageInterval(tunables: TunableValues): number | undefined {
  const set = ['ipsecesp_age_interval', 'ipsecah_age_interval'].flatMap((name) => tunables[name] ?? [])
  return set.length === 0 ? undefined : Math.min(...set)
}

export class TunableDuty {
  readonly #context: AgentContext
  readonly #folder: string
  readonly #clock = new KeepaliveClock()
  readonly #sender = new KeepaliveSender()
  /** At which count of changes it was noted. */
  #count = -1
  #state: Pick<PolicyState, 'rules' | 'tunables'> = { rules: [], tunables: {} }
  #addresses: readonly Address[] = []
  #log: PolicyLog | undefined
  #logTimer: NodeJS.Timeout | undefined
  #logEvery: number | undefined
  #keepaliveTimer: NodeJS.Timeout | undefined
  #isOpen = true

  /** @param folder the namespace's state folder */
  constructor(context: AgentContext, folder: string) {
    this.#context = context
    this.#folder = folder
  }

  /** Those that are loaded. */
  get values(): TunableValues {
    return this.#state.tunables
  }

  /** As {@link ageInterval} of what is loaded. */
  get ageInterval(): number | undefined {
    return ageInterval(this.#state.tunables)
  }

  /** Tunables, rules and SAs may be others. */
  note(session: Session): void {
    if (session.changeCount === this.#count || !this.#isOpen) return
    this.#count = session.changeCount
    this.#state = session.state
    this.#addresses = session.network.localAddresses
    this.#watchFailures()
    if (session.dataPath.kind === 'kernel') this.#planKeepalives(SECOND)
  }

  close(): void {
    this.#isOpen = false
    clearInterval(this.#logTimer)
    clearTimeout(this.#keepaliveTimer)
    this.#sender.close()
  }

  #watchFailures(): void {
    const every = lookInterval(this.#state.tunables)
    if (every === this.#logEvery) return
    this.#logEvery = every
    clearInterval(this.#logTimer)
    this.#log = undefined
    if (every === undefined) return
    this.#log = new PolicyLog(failureSource(this.#folder, () => this.#state))
    this.#logTimer = setInterval(() => this.#tellFailures(), every)
  }

  #tellFailures(): void {
    const found = this.#log?.look(this.#state.tunables)
    if (!found) return
    const { text, failures, refusers } = found
    const counts = Object.fromEntries(failures.map(({ counter, count }) => [counter, count]))
    const rules = refusers.flatMap(({ rule }) => (rule ? [`${rule.file}:${rule.line}`] : []))
    this.#context.tell({
      level: 'warning',
      event: 'policy-failure',
      message: `${text.charAt(0).toUpperCase()}${text.slice(1)}.`,
      details: { ...counts, ...(rules.length > 0 && { rules: [...new Set(rules)] }) },
    })
  }

  /** Looks go on for as long as there is an SA that may need one; a change begins them anew. */
  #planKeepalives(delay: number): void {
    clearTimeout(this.#keepaliveTimer)
    if (!this.#isOpen || this.#keepaliveInterval === 0) return
    this.#keepaliveTimer = setTimeout(() => this.#sendKeepalives(), delay)
  }

  get #keepaliveInterval(): number {
    return tunableValue(this.#state.tunables, 'ipsecesp_nat_keepalive_interval')
  }

  #sendKeepalives(): void {
    const started = performance.now()
    try {
      const states = this.#states()
      if (!states.some((state) => needsKeepalives(state, this.#addresses))) return
      const now = Math.floor(Date.now() / SECOND)
      for (const one of this.#clock.due(states, this.#addresses, this.#keepaliveInterval, now)) {
        this.#sender.send(one)
      }
    } catch (error) {
      const message = `A packet that keeps address translation alive cannot be sent: ${this.#context.describe(error)}`
      this.#context.tell({ level: 'warning', event: 'failed', message })
    }
    const took = performance.now() - started
    this.#planKeepalives(pauseAfter(took, (this.#keepaliveInterval * SECOND) / 4))
  }

  #states(): XfrmMessage<'NEWSA'>[] {
    const connection = connectDataPath(this.#folder)
    try {
      return connection.states()
    } finally {
      connection.close()
    }
  }
}
