/**
 * SPD and SADB of one network namespace, and what all who look into them share.
 *
 * @module
 */

import type { Flow } from '../../packet/flow.ts'
import type { Policy } from './policy/policy.ts'
import { PolicyTable } from './policy/policy-table.ts'
import type { State } from './state/state.ts'
import { StateTable } from './state/state-table.ts'
import { newStatistics } from './state/statistics.ts'

/** Who wants to hear what packets bring about. */
export interface DatabaseEvents {
  /** A packet needs an SA for the template with this number, and there is none. */
  acquire(policy: Policy, template: number, flow: Flow): void
  /** An SA has reached a soft or a hard limit. After a hard one it is no more. */
  expire(state: State, hard: boolean): void
}

export class Databases {
  readonly policies = new PolicyTable()
  readonly states = new StateTable()
  readonly statistics = newStatistics()
  readonly events: DatabaseEvents
  /** Goes up with each change: what was decided before does not hold any more. */
  generation = 1
  /** The clock, in seconds since 1970; whoever runs the data path keeps it going. */
  now = Math.floor(Date.now() / 1000)

  #clocked: { readonly generation: number; readonly states: readonly State[] } = { generation: 0, states: [] }

  constructor(events: DatabaseEvents) {
    this.events = events
  }

  /** The SAs for which something may come with time: their end, or a keepalive. */
  clocked(): readonly State[] {
    if (this.#clocked.generation !== this.generation) {
      const states = [...this.states.all()].filter(
        ({ limits, attributes }) => limits.isTimed || attributes.encap,
      )
      this.#clocked = { generation: this.generation, states }
    }
    return this.#clocked.states
  }

  /** Takes an SA out whose time is over. */
  expire(state: State): void {
    if (state.isDead) return
    this.states.remove(state)
    this.generation++
    this.events.expire(state, true)
    state.destroy()
  }

  /** Announces, once, that a successor is needed. */
  softExpire(state: State): void {
    if (state.isDying) return
    state.isDying = true
    this.generation++
    this.events.expire(state, false)
  }
}
