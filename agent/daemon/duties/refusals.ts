/**
 * Messages about packets that policy refused, where tunables ask for them (`ipsec_policy_log_interval`).
 *
 * @module
 */
import { lookInterval, PolicyLog } from '../../policy-log/policy-log.ts'
import { failureSource } from '../../policy-log/source.ts'
import type { PolicyState } from '../../reconcile/policy-state.ts'
import type { Session } from '../../reconcile/session.ts'
import type { AgentContext } from '../context.ts'

export class RefusalDuty {
  readonly #context: AgentContext
  readonly #folder: string
  #state: Pick<PolicyState, 'rules' | 'tunables'> = { rules: [], tunables: {} }
  #log: PolicyLog | undefined
  #timer: NodeJS.Timeout | undefined
  #every: number | undefined
  #isOpen = true

  /** @param folder the namespace's state folder */
  constructor(context: AgentContext, folder: string) {
    this.#context = context
    this.#folder = folder
  }

  /** Tunables and rules may be others. */
  note({ state }: Session): void {
    if (!this.#isOpen) return
    this.#state = state
    const every = lookInterval(state.tunables)
    if (every === this.#every) return
    this.#every = every
    clearInterval(this.#timer)
    this.#log = undefined
    if (every === undefined) return
    this.#log = new PolicyLog(failureSource(this.#folder, () => this.#state))
    this.#timer = setInterval(() => this.#look(), every)
  }

  close(): void {
    this.#isOpen = false
    clearInterval(this.#timer)
  }

  #look(): void {
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
}
