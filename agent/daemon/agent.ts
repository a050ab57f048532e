/**
 * The agent: keeps policy and SAs of one network namespace as commands and its configuration have made them.
 *
 * Everything happens in rounds, one after the other, each under the lock that commands take as well: something wakes the
 * agent, and it looks at all there is.
 *
 * @module
 */
import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FileLock, lockFile } from '../../netlink/libc/lock.ts'
import type { DataPathKind } from '../datapath/data-path.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { SocketPolicy } from '../model/socket-policy.ts'
import type { TunableValues } from '../model/tunables.ts'
import { Session } from '../reconcile/session.ts'
import { LockedError, Store } from '../reconcile/store.ts'
import type { SocketDemand } from '../sockets/demand.ts'
import { SocketJournal } from '../sockets/journal.ts'
import type { AgentContext } from './context.ts'
import { AgeDuty } from './duties/age.ts'
import { AwaitedNames } from './duties/awaited.ts'
import { LatchDuty } from './duties/latches.ts'
import { INTERVAL_MS, NameDuty, type NamedRules } from './duties/names.ts'
import { TunableDuty } from './duties/tunables.ts'
import { UnitDuty } from './duties/units.ts'
import type { Tell } from './events.ts'
import { Tidying } from './memory.ts'
import { type DriftChoice, isDrift, Keeper, type RoundReport } from './round.ts'
import { Watchman } from './watch.ts'
import { awaitedText, roundEvents } from './words.ts'

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
  /** What holds until then, where a part of the configuration was put into force. */
  readonly settings?: AgentSettings
}

export interface AgentOptions {
  /** Makes the namespace what the configuration says, as `solipsec apply` does. @throws where it cannot, and nothing changed */
  load(): Promise<AgentSettings>
  /** What holds while nothing could be loaded yet. */
  readonly initial: AgentSettings
  /** What is awaited where the configuration could not be loaded; `undefined` where that does not come right by itself. */
  awaited(error: unknown): Awaited | undefined
  /** Asks for awaited names. @param isNetworkOther interfaces have changed @returns true where one has an address now */
  ask(names: readonly string[], isNetworkOther: boolean): Promise<boolean>
  readonly tell: Tell
  /** An error in words for people. The text of an error that nobody expected may hold anything: it is not to be shown. */
  describe(error: unknown): string
  readonly named: (settings: AgentSettings) => NamedRules
}

/** For whoever asks how the agent is. */
export interface AgentStatus {
  readonly pid: number
  /** Milliseconds since 1970. */
  readonly since: number
  /**
   * `maintenance`: the configuration could not be loaded again, and what was loaded before is in force; or the last look
   * failed, and nobody knows what is in force until the next one, which comes by itself.
   */
  readonly state: 'online' | 'maintenance'
  readonly problem?: string
  readonly loadedAt: number
  readonly drift: DriftChoice
  readonly dataPath: DataPathKind
  readonly rules: number
  readonly associations: number
  readonly rounds: number
  /** How often drift was found. */
  readonly drifts: number
  /** Milliseconds that the last round took. */
  readonly lastRound: number
}

/** Another agent looks after the namespace. */
export class AgentRunningError extends Error {
  constructor(path: string) {
    super(`another agent looks after this network namespace; it holds ${path}`)
    this.name = 'AgentRunningError'
  }
}

/** Events come in crowds: one look for all of them. */
const CROWD_MS = 20
/** A command is at work: how soon to try again. */
const BUSY_MS = 50
/**
 * Something went wrong that may go right later: most often, others were at work in the same moment. How soon to try again
 * at first, and at last.
 */
const RETRY_MS = { first: 50, last: 5000 }
/** No more than this share of the time is spent in rounds. */
const SHARE = 0.5

export class Agent {
  readonly #options: AgentOptions
  readonly #keeper = new Keeper()
  readonly #lock: FileLock
  readonly #folder: string
  readonly #watchman: Watchman
  readonly #tidying = new Tidying()
  readonly #age: AgeDuty
  readonly #names: NameDuty
  readonly #awaited: AwaitedNames
  readonly #tunables: TunableDuty
  readonly #latches: LatchDuty
  readonly #units: UnitDuty
  /** Which sockets have a policy, for the service that gives them. */
  readonly journal: SocketJournal
  readonly #record: FSWatcher
  readonly #ports = new Set<number>()
  readonly #since = Date.now()
  #settings: AgentSettings
  #problem: string | undefined
  /** A tunnel is awaited. */
  #isWaiting = false
  #loadedAt = Date.now()
  #followed: DataPathKind | undefined
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #rounds = 0
  #drifts = 0
  /** Rounds that failed one after the other. */
  #failures = 0
  /** Why the last round failed. */
  #failure: string | undefined
  #lastRound = 0
  #lastDrift = ''
  #rules = 0
  /** One thing after the other: loading and rounds. */
  #queue: Promise<unknown> = Promise.resolve()
  /** A load that was asked for and has not begun: who asks for another one means this one. */
  #nextLoad: Promise<void> | undefined
  #open = true

  private constructor(options: AgentOptions, folder: string, lock: FileLock) {
    this.#options = options
    this.#settings = options.initial
    this.#folder = folder
    this.#lock = lock
    const context: AgentContext = {
      tell: options.tell,
      describe: options.describe,
      between: (use) => this.withSession(use),
      wake: () => this.#wake(0),
    }
    this.#tunables = new TunableDuty(context, folder)
    this.#latches = new LatchDuty(context)
    this.journal = new SocketJournal(join(folder, 'sockets'))
    this.#units = new UnitDuty(context, folder, this.journal)
    this.#age = new AgeDuty(
      context,
      this.#keeper,
      folder,
      () => this.#settings.ageInterval ?? this.#tunables.ageInterval,
    )
    this.#names = new NameDuty(context, () => {
      const { nameInterval: interval } = this.#settings
      return { named: options.named(this.#settings), ...(interval !== undefined && { interval }) }
    })
    this.#awaited = new AwaitedNames({
      ask: (...what) => options.ask(...what),
      load: () => void this.reload(),
      longest: () => this.#settings.nameInterval ?? INTERVAL_MS,
    })
    this.#watchman = new Watchman(
      () => this.#wake(CROWD_MS),
      (port) => this.#ports.has(port),
    )
    this.#record = watch(folder, (_, name) => {
      if (name === 'changes') this.#wake(CROWD_MS)
    })
  }

  /**
   * Loads the configuration, and looks after the network namespace of the calling thread until {@link close}.
   *
   * @throws AgentRunningError, and whatever `load` throws
   */
  static async start(options: AgentOptions): Promise<Agent> {
    const { folder } = Store.open()
    const path = join(folder, 'agent')
    const lock = lockFile(path)
    if (!lock) throw new AgentRunningError(path)
    const agent = new Agent(options, folder, lock)
    try {
      agent.#settings = await options.load()
    } catch (error) {
      if (!options.awaited(error)) {
        await agent.close()
        throw error
      }
      agent.#await(error)
    }
    agent.#units.load(agent.#settings.sockets ?? [])
    await agent.#do(() => agent.#round())
    return agent
  }

  get status(): AgentStatus {
    const problem = this.#problem ?? this.#failure
    return {
      pid: process.pid,
      since: this.#since,
      state: problem === undefined ? 'online' : 'maintenance',
      ...(problem !== undefined && { problem }),
      loadedAt: this.#loadedAt,
      drift: this.#settings.drift,
      dataPath: this.#followed ?? 'kernel',
      rules: this.#rules,
      associations: this.#keeper.size,
      rounds: this.#rounds,
      drifts: this.#drifts,
      lastRound: this.#lastRound,
    }
  }

  get algorithms(): AlgorithmTable {
    return this.#settings.algorithms
  }

  /** Those that are not as they are at first. */
  get tunables(): TunableValues {
    return this.#tunables.values
  }

  /** What the configuration says for sockets of a unit of systemd. */
  socketPolicyOf(unit: string): SocketDemand | undefined {
    return this.#settings.sockets?.find(({ service }) => service === unit)
  }

  /** Loads the configuration again. Where that fails, what was loaded stays, and {@link status} says why. */
  reload(): Promise<void> {
    this.#nextLoad ??= this.#do(() => {
      this.#nextLoad = undefined
      return this.#load()
    })
    return this.#nextLoad
  }

  async #load(): Promise<void> {
    try {
      this.#settings = await this.#options.load()
      this.#units.load(this.#settings.sockets ?? [])
      this.#loadedAt = Date.now()
      this.#problem = undefined
      this.#isWaiting = false
      this.#awaited.await([])
      this.#options.tell({ level: 'info', event: 'reloaded', message: 'The configuration was loaded.' })
    } catch (error) {
      this.#await(error)
    }
    await this.#round()
  }

  /** The configuration cannot be loaded now, and perhaps later. */
  #await(error: unknown): void {
    const known = this.#problem
    this.#problem = this.#options.describe(error)
    const awaited = this.#options.awaited(error)
    // A command was at work for too long: what was awaited before still is.
    if (error instanceof LockedError) this.#awaited.again()
    else {
      this.#isWaiting = awaited?.isTunnel === true
      this.#awaited.await(awaited?.names ?? [])
    }
    if (awaited?.settings) {
      this.#settings = awaited.settings
      this.#units.load(this.#settings.sockets ?? [])
    }
    if (awaited && known === this.#problem) return
    const message = `${awaitedText(awaited)} ${this.#problem}`
    this.#options.tell({ level: 'error', event: 'maintenance', message })
  }

  /** Asks for the addresses of the names that rules have, and has rules follow. */
  resolve(): Promise<void> {
    return this.#names.ask()
  }

  /**
   * Waits until everything that has happened so far is known and dealt with.
   *
   * @returns what stands in the way; `undefined` where nothing does
   */
  async settle(): Promise<string | undefined> {
    while ((await this.#do(() => this.#round())) === 'busy') await sleep(BUSY_MS)
    return this.#failure
  }

  /** Runs what takes the lock by itself between two rounds. */
  exclusively<T>(use: () => Promise<T>): Promise<T> {
    return this.#do(use)
  }

  /** Runs what needs the lock between two rounds. @throws LockedError where a command is at work for too long */
  withSession<T>(use: (session: Session) => T): Promise<T> {
    return this.#do(() => this.#inSession(use, undefined))
  }

  /** What is in force stays so. */
  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    clearTimeout(this.#timer)
    this.#tidying.close()
    this.#age.close()
    this.#names.close()
    this.#awaited.close()
    this.#tunables.close()
    this.#latches.close()
    this.#units.close()
    this.#record.close()
    this.#watchman.close()
    await this.#queue.catch(() => undefined)
    this.#keeper.clear()
    this.journal.close()
    this.#lock.release()
  }

  #do<T>(what: () => Promise<T> | T): Promise<T> {
    const done = this.#queue.then(what)
    this.#queue = done.catch(() => undefined)
    return done
  }

  #wake(delay: number): void {
    const at = performance.now() + delay
    if (!this.#open || at >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = at
    this.#timer = setTimeout(() => {
      this.#dueAt = Number.POSITIVE_INFINITY
      void this.#do<unknown>(() => {
        const isNetworkOther = this.#watchman.takeNetwork()
        if (isNetworkOther) this.#awaited.networkChanged()
        return isNetworkOther && this.#isWaiting ? this.#load() : this.#round()
      })
    }, delay)
  }

  /** Never throws: what goes wrong is told, and tried again when something happens. */
  async #round(): Promise<'busy' | undefined> {
    if (!this.#open) return
    const started = performance.now()
    try {
      const report = this.#inSession((session) => {
        this.#rules = session.state.rules.length
        this.#listenTo(session)
        // First of all: whatever else fails, what is ours is put right.
        const found = this.#keeper.round(session, this.#watchman, this.#settings.drift, performance.now())
        this.#names.note(session)
        this.#tunables.note(session)
        this.#latches.note(session)
        return found
      }, 0)
      this.#failures = 0
      this.#meet(report.obstacles)
      this.#report(report)
      this.#age.plan()
    } catch (error) {
      if (error instanceof LockedError) {
        this.#wake(BUSY_MS)
        return 'busy'
      }
      this.#failure = `Looking after policy and SAs failed: ${this.#options.describe(error)}`
      this.#options.tell({ level: 'error', event: 'failed', message: this.#failure })
      this.#wake(Math.min(RETRY_MS.first * 2 ** this.#failures++, RETRY_MS.last))
    } finally {
      this.#tidying.plan()
      this.#rounds++
      this.#lastRound = performance.now() - started
      if (this.#dueAt < Number.POSITIVE_INFINITY) this.#rest()
    }
  }

  /** Where events never end, commands and others have to have their turn, too. */
  #rest(): void {
    const pause = (this.#lastRound * (1 - SHARE)) / SHARE
    if (this.#dueAt >= performance.now() + pause) return
    clearTimeout(this.#timer)
    this.#dueAt = Number.POSITIVE_INFINITY
    this.#wake(pause)
  }

  #inSession<T>(use: (session: Session) => T, waitMs: number | undefined): T {
    const session = Session.open(this.#settings.algorithms, undefined, waitMs)
    try {
      this.#ports.add(session.portId)
      return use(session)
    } finally {
      this.#forgetPorts()
      session.close()
    }
  }

  /** Numbers of sockets that were closed come again, as those of others. */
  #forgetPorts(): void {
    const ports = [...this.#ports]
    setTimeout(() => {
      for (const port of ports) this.#ports.delete(port)
    }, 1000).unref()
  }

  #listenTo({ dataPath: { kind, isRestarted } }: Session): void {
    if (this.#followed === kind && !isRestarted && !this.#watchman.hasEnded) return
    this.#watchman.follow(this.#folder)
    this.#followed = kind
  }

  #report(report: RoundReport): void {
    const { drift, isApplied } = report
    const text = isDrift(drift) && !isApplied ? JSON.stringify(roundEvents(report)) : ''
    const isKnown = text !== '' && text === this.#lastDrift
    this.#lastDrift = text
    if (isKnown) return
    if (isDrift(drift)) this.#drifts++
    for (const event of roundEvents(report)) this.#options.tell(event)
  }

  /** What is in the way is told once; it may go by itself. */
  #meet(obstacles: readonly unknown[]): void {
    const known = this.#failure
    this.#failure = undefined
    if (obstacles.length === 0) return
    this.#failure = `Not all could be put right: ${obstacles.map(this.#options.describe).join(' ')}`
    this.#wake(RETRY_MS.last)
    if (this.#failure !== known) {
      this.#options.tell({ level: 'error', event: 'failed', message: this.#failure })
    }
  }
}
