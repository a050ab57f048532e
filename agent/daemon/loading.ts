/**
 * The agent's configuration: loaded at the start and when somebody asks for it, and what is wrong with it now.
 *
 * @module
 */
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { SocketPolicy } from '../model/socket-policy.ts'
import type { DriftChoice } from './drift.ts'
import type { Tell } from './events.ts'

/** What the configuration says about the agent itself. */
export interface AgentSettings {
  readonly algorithms: AlgorithmTable
  readonly drift: DriftChoice
  /** For programs that ask what the configuration says for their unit. */
  readonly sockets?: readonly SocketPolicy[]
  /** Milliseconds between looks at the counters of SAs; absent: 8000, and more where there are very many. */
  readonly ageInterval?: number
  /** Milliseconds between questions for the addresses of names; absent: 60,000. */
  readonly nameInterval?: number
}

export interface LoadingOptions {
  /** Makes the namespace what the configuration says, as `solipsec apply` does. @throws where it cannot, and nothing changed */
  load(): Promise<AgentSettings>
  /** What holds while nothing could be loaded yet. */
  readonly initial: AgentSettings
  /** True for what may come right by itself: a tunnel that is not there yet. */
  mayComeRight(error: unknown): boolean
  readonly tell: Tell
  /** An error in words for people. The text of an error that nobody expected may hold anything: it is not to be shown. */
  describe(error: unknown): string
}

export class Loading {
  readonly #options: LoadingOptions
  #settings: AgentSettings
  #problem: string | undefined
  #isAwaiting = false
  #loadedAt = Date.now()

  constructor(options: LoadingOptions) {
    this.#options = options
    this.#settings = options.initial
  }

  /** What was loaded last. */
  get settings(): AgentSettings {
    return this.#settings
  }

  /** Milliseconds since 1970. */
  get loadedAt(): number {
    return this.#loadedAt
  }

  /** Why it could not be loaded again; what was loaded before is in force. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** The problem may come right by itself. */
  get isAwaiting(): boolean {
    return this.#isAwaiting
  }

  /** Loads for the first time. @throws what `load` throws, unless it may come right by itself */
  async begin(): Promise<void> {
    try {
      this.#settings = await this.#options.load()
    } catch (error) {
      if (!this.#options.mayComeRight(error)) throw error
      this.#await(error)
    }
  }

  /**
   * Loads again. Where that fails, what was loaded stays, and {@link problem} says why.
   *
   * @param use what else there is to do with it
   */
  async again(use: (settings: AgentSettings) => void): Promise<void> {
    try {
      this.#settings = await this.#options.load()
      use(this.#settings)
      this.#loadedAt = Date.now()
      this.#problem = undefined
      this.#isAwaiting = false
      this.#options.tell({ level: 'info', event: 'reloaded', message: 'The configuration was loaded.' })
    } catch (error) {
      this.#await(error)
    }
  }

  /** It cannot be loaded now, and perhaps later. */
  #await(error: unknown): void {
    const known = this.#problem
    this.#problem = this.#options.describe(error)
    this.#isAwaiting = this.#options.mayComeRight(error)
    if (this.#isAwaiting && known === this.#problem) return
    const hope = this.#isAwaiting ? 'It is tried again when interfaces change. ' : ''
    const message = `The configuration could not be loaded; what was loaded stays in force. ${hope}${this.#problem}`
    this.#options.tell({ level: 'error', event: 'maintenance', message })
  }
}
