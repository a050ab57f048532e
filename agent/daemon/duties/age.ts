/**
 * SAs are looked at from time to time: for their sequence numbers, whether anybody uses them, and soft limits.
 *
 * @module
 */
import { connectDataPath } from '../../datapath/data-path.ts'
import type { TunableValues } from '../../model/tunables.ts'
import { ownAssociations } from '../../reconcile/engine.ts'
import type { AgentContext } from '../context.ts'
import type { Keeper } from '../round.ts'
import { pauseAfter } from './pause.ts'
import type { SoftLimitDuty } from './soft-limits.ts'

/** Milliseconds between looks, as of Solaris's `age_interval`; longer where a look takes long. */
const INTERVAL_MS = 8000

/** What tunables say in place of that, in milliseconds; `undefined` where nobody has set one. */
export function tunedInterval(tunables: TunableValues): number | undefined {
  const set = ['ipsecesp_age_interval', 'ipsecah_age_interval'].flatMap((name) => tunables[name] ?? [])
  return set.length === 0 ? undefined : Math.min(...set)
}

export class AgeDuty {
  readonly #context: AgentContext
  readonly #keeper: Keeper
  readonly #soft: Pick<SoftLimitDuty, 'look'>
  readonly #folder: string
  readonly #interval: () => number | undefined
  #timer: NodeJS.Timeout | undefined
  #isOpen = true

  /** @param folder the namespace's state folder @param interval in milliseconds; absent: the usual one */
  constructor(
    context: AgentContext,
    keeper: Keeper,
    soft: Pick<SoftLimitDuty, 'look'>,
    folder: string,
    interval: () => number | undefined,
  ) {
    this.#context = context
    this.#keeper = keeper
    this.#soft = soft
    this.#folder = folder
    this.#interval = interval
  }

  /** There may be SAs now, or none any more. @param took milliseconds of the last look */
  plan(took = 0): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#keeper.size === 0 || !this.#isOpen) return
    const interval = this.#interval() ?? pauseAfter(took, INTERVAL_MS)
    this.#timer = setTimeout(() => this.#look(), interval)
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#timer)
  }

  #look(): void {
    const started = performance.now()
    try {
      const connection = connectDataPath(this.#folder).wipeAtClose()
      try {
        const own = ownAssociations(connection)
        for (const { association, state } of own) this.#soft.look(association, state.body)
        if (this.#keeper.look(own, performance.now())) this.#context.wake()
      } finally {
        connection.close()
      }
    } catch {
      // What is wrong will be told by a round.
      this.#context.wake()
    }
    this.plan(performance.now() - started)
  }
}
