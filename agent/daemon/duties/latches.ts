/**
 * Pinned connections are watched by the agent where no program of a command does (see `agent/latch/keeper.ts`).
 *
 * @module
 */
import type { FileLock } from '../../../netlink/libc/lock.ts'
import { LatchKeeper } from '../../latch/keeper.ts'
import type { Session } from '../../reconcile/session.ts'
import { Store } from '../../reconcile/store.ts'
import type { AgentContext } from '../context.ts'

/** The program of a command may end before its time. */
const ASK_AGAIN_MS = 10_000

export class LatchDuty {
  readonly #context: AgentContext
  readonly #store = Store.open()
  #lock: FileLock | undefined
  #keeper: LatchKeeper | undefined
  #timer: NodeJS.Timeout | undefined
  #isOpen = true

  constructor(context: AgentContext) {
    this.#context = context
  }

  /** There may be pins now. */
  note({ state }: Session): void {
    if (!this.#keeper && state.pins.some(({ isEnded }) => !isEnded)) this.#begin()
  }

  close(): void {
    this.#isOpen = false
    this.#end()
  }

  #begin(): void {
    clearTimeout(this.#timer)
    if (!this.#isOpen) return
    this.#lock = this.#store.lockForLatches(0)
    if (!this.#lock) {
      this.#timer = setTimeout(() => this.#context.wake(), ASK_AGAIN_MS)
      return
    }
    const record = {
      stamp: () => this.#store.policyStamp(),
      read: () => this.#store.loadPolicy()?.pins ?? [],
      release: (ended: Parameters<Session['releasePins']>[0]) =>
        this.#context.between((session) => session.releasePins(ended)),
    }
    try {
      this.#keeper = new LatchKeeper(record, () => this.#end())
    } catch (error) {
      this.#end()
      const message = `Pinned connections cannot be watched: ${this.#context.describe(error)}`
      this.#context.tell({ level: 'error', event: 'failed', message })
    }
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#keeper?.stop()
    this.#keeper = undefined
    this.#lock?.release()
    this.#lock = undefined
  }
}
