/**
 * The agent's configuration: loaded at the start and when somebody asks for it, and what is wrong with it now.
 *
 * @module
 */
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { SocketPolicy } from '../model/socket-policy.ts'
import type { DriftChoice } from './drift.ts'
import { AwaitedNames, nextDelay } from './duties/awaited.ts'
import { INTERVAL_MS } from './duties/names.ts'
import type { Tell } from './events.ts'
import { awaitedText } from './words.ts'

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

/** What stands in the way of a configuration, and may go by itself. */
export interface Awaited {
  /** A tunnel is not there yet: all is tried again when interfaces change. */
  readonly isTunnel: boolean
  /** Host names without an address: all is tried again when one has some. */
  readonly names: readonly string[]
  /**
   * Nothing is wrong with the configuration. `others`: a command was at work, or something of others is in the way. `system`: the
   * system has refused something, or what names mean now does not fit. All is tried again by and by, and what was awaited before still is.
   */
  readonly passing?: 'others' | 'system'
  /** What holds until then, where a part of the configuration was put into force. */
  readonly settings?: AgentSettings
}

export interface LoadingOptions {
  /** Makes the namespace what the configuration says, as `solipsec apply` does. @throws where it cannot, and nothing changed */
  load(): Promise<AgentSettings>
  /** What holds while nothing could be loaded yet: what the configuration says, once it was read. */
  initial(): AgentSettings
  /** What is awaited where the configuration could not be loaded; `undefined` where that does not come right by itself. */
  awaited(error: unknown): Awaited | undefined
  /** Asks for awaited names. @param isNetworkOther interfaces have changed @returns true where one has an address now */
  ask(names: readonly string[], isNetworkOther: boolean): Promise<boolean>
  readonly tell: Tell
  /** An error in words for people. The text of an error that nobody expected may hold anything: it is not to be shown. */
  describe(error: unknown): string
}

/** What else is done with a configuration. */
export interface LoadingUse {
  /** What holds has changed. */
  use(settings: AgentSettings): void
  /** Has it loaded again when the agent's turn has come: see {@link Loading.again}. */
  again(): void
}

/** Milliseconds until what was in the way for a moment is tried again at first, and at last. */
const RETRY_MS = { first: 1000, last: 60_000 }

export class Loading {
  readonly #options: LoadingOptions
  readonly #use: LoadingUse['use']
  readonly #again: LoadingUse['again']
  readonly #names: AwaitedNames
  #settings: AgentSettings
  #problem: string | undefined
  #awaitsTunnel = false
  #loadedAt = Date.now()
  #isOpen = true
  #retry: NodeJS.Timeout | undefined
  #delay = RETRY_MS.first

  constructor(options: LoadingOptions, { use, again }: LoadingUse) {
    this.#options = options
    this.#use = use
    this.#again = again
    this.#settings = options.initial()
    this.#names = new AwaitedNames({
      ask: (...what) => options.ask(...what),
      load: again,
      longest: () => this.#settings.nameInterval ?? INTERVAL_MS,
    })
  }

  /** What holds: what was loaded last, or a part of it. */
  get settings(): AgentSettings {
    return this.#settings
  }

  /** Milliseconds since 1970. */
  get loadedAt(): number {
    return this.#loadedAt
  }

  /** Why it could not be loaded, or not all of it. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Loads for the first time. @throws what `load` throws, unless it may come right by itself */
  async begin(): Promise<void> {
    try {
      this.#take(await this.#options.load())
    } catch (error) {
      const awaited = this.#options.awaited(error)
      // Where the system says no from the first, it will say so again.
      if (!awaited || awaited.passing === 'system') throw error
      this.#await(error)
      // Rules that are in force stay. Of all else, nothing was loaded before that could.
      if (!awaited.settings) this.#take(this.#options.initial())
    }
  }

  /** Loads again. Where that fails, what was loaded stays, and {@link problem} says why. */
  async again(): Promise<void> {
    clearTimeout(this.#retry)
    try {
      this.#take(await this.#options.load())
      this.#loadedAt = Date.now()
      this.#problem = undefined
      this.#awaitsTunnel = false
      this.#delay = RETRY_MS.first
      this.#names.await([])
      this.#options.tell({ level: 'info', event: 'reloaded', message: 'The configuration was loaded.' })
    } catch (error) {
      this.#await(error)
    }
  }

  /** Interfaces or addresses are others. @returns true where it may be loaded because of that */
  networkChanged(): boolean {
    this.#names.networkChanged()
    return this.#awaitsTunnel
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#retry)
    this.#names.close()
  }

  #take(settings: AgentSettings): void {
    this.#settings = settings
    this.#use(settings)
  }

  /** It cannot be loaded now, and perhaps later. */
  #await(error: unknown): void {
    const known = this.#problem
    this.#problem = this.#options.describe(error)
    const awaited = this.#options.awaited(error)
    if (awaited?.passing) {
      this.#names.again()
      this.#retryLater()
    } else {
      this.#delay = RETRY_MS.first
      this.#awaitsTunnel = awaited?.isTunnel === true
      this.#names.await(awaited?.names ?? [])
    }
    if (awaited?.settings) this.#take(awaited.settings)
    if (awaited && known === this.#problem) return
    const message = `${awaitedText(awaited)} ${this.#problem}`
    this.#options.tell({ level: 'error', event: 'maintenance', message })
  }

  #retryLater(): void {
    if (!this.#isOpen) return
    this.#retry = setTimeout(this.#again, this.#delay)
    this.#delay = nextDelay(this.#delay, RETRY_MS.last)
  }
}
