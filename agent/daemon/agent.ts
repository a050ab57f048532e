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
import type { TunableValues } from '../model/tunables.ts'
import { Session } from '../reconcile/session.ts'
import { LockedError, Store } from '../reconcile/store.ts'
import type { SocketDemand } from '../sockets/demand.ts'
import { SocketJournal } from '../sockets/journal.ts'
import type { AgentContext } from './context.ts'
import type { DriftChoice } from './drift.ts'
import { AgeDuty, tunedInterval } from './duties/age.ts'
import { KeepaliveDuty, keepaliveWorld } from './duties/keepalives.ts'
import { LatchDuty } from './duties/latches.ts'
import { NameDuty, type NamedRules } from './duties/names.ts'
import { RefusalDuty } from './duties/refusals.ts'
import { SoftLimitDuty } from './duties/soft-limits.ts'
import { UnitDuty } from './duties/units.ts'
import { StatusKeeper } from './kept-status.ts'
import { type AgentSettings, Loading, type LoadingOptions } from './loading.ts'
import { Keeper } from './round.ts'
import { Teller } from './teller.ts'
import { Tidying } from './tidying.ts'
import { Turns } from './turns.ts'
import { Watchman } from './watch.ts'

export interface AgentOptions extends LoadingOptions {
  readonly named: (settings: AgentSettings) => NamedRules
}

/** For whoever asks how the agent is. */
export interface AgentStatus {
  readonly pid: number
  /** Milliseconds since 1970. */
  readonly since: number
  /**
   * `maintenance`: the configuration could not be loaded, and what was loaded before is in force, or a part of it is; or the
   * last look found what could not be put right, or failed, and nobody knows what is in force until the next one, which comes
   * by itself.
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

export class Agent {
  readonly #options: AgentOptions
  readonly #keeper = new Keeper()
  readonly #lock: FileLock
  readonly #folder: string
  readonly #watchman: Watchman
  readonly #tidying = new Tidying()
  readonly #age: AgeDuty
  readonly #soft: SoftLimitDuty
  readonly #names: NameDuty
  readonly #refusals: RefusalDuty
  readonly #keepalives: KeepaliveDuty
  readonly #latches: LatchDuty
  readonly #units: UnitDuty
  /** Which sockets have a policy, for the service that gives them. */
  readonly journal: SocketJournal
  readonly #record: FSWatcher
  readonly #kept: StatusKeeper
  readonly #loading: Loading
  readonly #teller: Teller
  readonly #turns = new Turns(() => this.#turn())
  readonly #ports = new Set<number>()
  readonly #since = Date.now()
  #followed: DataPathKind | undefined
  #rounds = 0
  /** Rounds that failed one after the other. */
  #failures = 0
  /** Why the last round failed, or did not put all right. */
  #failure: string | undefined
  #lastRound = 0
  #rules = 0
  #tunables: TunableValues = {}
  /** A load that was asked for and has not begun: who asks for another one means this one. */
  #nextLoad: Promise<void> | undefined

  private constructor(options: AgentOptions, folder: string, lock: FileLock) {
    this.#options = options
    this.#loading = new Loading(options, {
      use: ({ sockets = [] }) => this.#units.load(sockets),
      again: () => void this.reload(),
    })
    this.#teller = new Teller(options.tell)
    this.#folder = folder
    this.#kept = new StatusKeeper(folder)
    this.#lock = lock
    const context: AgentContext = {
      tell: options.tell,
      describe: options.describe,
      between: (use) => this.withSession(use),
      wake: () => this.#turns.wake(0),
    }
    this.#refusals = new RefusalDuty(context, folder)
    this.#keepalives = new KeepaliveDuty(context, keepaliveWorld(folder))
    this.#latches = new LatchDuty(context)
    this.journal = new SocketJournal(join(folder, 'sockets'))
    this.#units = new UnitDuty(context, folder, this.journal)
    this.#soft = new SoftLimitDuty(options.tell)
    this.#age = new AgeDuty(
      context,
      this.#keeper,
      this.#soft,
      folder,
      () => this.#loading.settings.ageInterval ?? tunedInterval(this.#tunables),
    )
    this.#names = new NameDuty(context, () => {
      const { settings } = this.#loading
      const { nameInterval: interval } = settings
      return { named: options.named(settings), ...(interval !== undefined && { interval }) }
    })
    this.#watchman = new Watchman(
      () => this.#turns.wake(CROWD_MS),
      (port) => this.#ports.has(port),
      (identifier, life) => this.#soft.look(identifier, life),
    )
    this.#record = watch(folder, (_, name) => {
      if (name === 'changes') this.#turns.wake(CROWD_MS)
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
      await agent.#loading.begin()
    } catch (error) {
      await agent.close()
      throw error
    }
    await agent.#turns.take(() => agent.#round())
    return agent
  }

  get status(): AgentStatus {
    const { settings, loadedAt } = this.#loading
    const problem = this.#loading.problem ?? this.#failure
    return {
      pid: process.pid,
      since: this.#since,
      state: problem === undefined ? 'online' : 'maintenance',
      ...(problem !== undefined && { problem }),
      loadedAt,
      drift: settings.drift,
      dataPath: this.#followed ?? 'kernel',
      rules: this.#rules,
      associations: this.#keeper.size,
      rounds: this.#rounds,
      drifts: this.#teller.drifts,
      lastRound: this.#lastRound,
    }
  }

  get algorithms(): AlgorithmTable {
    return this.#loading.settings.algorithms
  }

  /** Those that are not as they are at first. */
  get tunables(): TunableValues {
    return this.#tunables
  }

  /** What the configuration says for sockets of a unit of systemd. */
  socketPolicyOf(unit: string): SocketDemand | undefined {
    return this.#loading.settings.sockets?.find(({ service }) => service === unit)
  }

  /** Loads the configuration again. Where that fails, what was loaded stays, and {@link status} says why. */
  reload(): Promise<void> {
    this.#nextLoad ??= this.#turns.take(() => {
      this.#nextLoad = undefined
      return this.#load()
    })
    return this.#nextLoad
  }

  async #load(): Promise<void> {
    await this.#loading.again()
    await this.#round()
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
    while ((await this.#turns.take(() => this.#round())) === 'busy') await sleep(BUSY_MS)
    return this.#failure
  }

  /** Runs what takes the lock by itself between two rounds. */
  exclusively<T>(use: () => Promise<T>): Promise<T> {
    return this.#turns.take(use)
  }

  /** Runs what needs the lock between two rounds. @throws LockedError where a command is at work for too long */
  withSession<T>(use: (session: Session) => T): Promise<T> {
    return this.#turns.take(() => this.#inSession(use, undefined))
  }

  /** What is in force stays so. */
  async close(): Promise<void> {
    if (!this.#turns.isOpen) return
    const ended = this.#turns.end()
    this.#tidying.close()
    this.#loading.close()
    const duties = [this.#age, this.#names, this.#refusals, this.#keepalives, this.#latches, this.#units]
    for (const duty of duties) duty.close()
    this.#record.close()
    this.#watchman.close()
    await ended
    this.#keeper.clear()
    this.#kept.close()
    this.journal.close()
    this.#lock.release()
  }

  /** Something has woken the agent. */
  async #turn(): Promise<void> {
    if (this.#watchman.takeNetwork() && this.#loading.networkChanged()) await this.#load()
    else await this.#round()
  }

  /** Never throws: what goes wrong is told, and tried again when something happens. */
  async #round(): Promise<'busy' | undefined> {
    if (!this.#turns.isOpen) return
    const started = performance.now()
    try {
      const report = this.#inSession((session) => {
        this.#rules = session.state.rules.length
        this.#tunables = session.state.tunables
        this.#listenTo(session)
        // First of all: whatever else fails, what is ours is put right.
        const found = this.#keeper.round(
          session,
          this.#watchman,
          this.#loading.settings.drift,
          performance.now(),
        )
        this.#names.note(session)
        this.#refusals.note(session)
        this.#keepalives.note(session)
        this.#latches.note(session)
        return found
      }, 0)
      this.#failures = 0
      this.#meet(report.obstacles)
      this.#teller.take(report)
      this.#soft.prune((key) => this.#keeper.keeps(key))
      this.#age.plan()
    } catch (error) {
      if (error instanceof LockedError) {
        this.#turns.wake(BUSY_MS)
        return 'busy'
      }
      this.#failure = `Looking after policy and SAs failed: ${this.#options.describe(error)}`
      this.#options.tell({ level: 'error', event: 'failed', message: this.#failure })
      this.#turns.wake(Math.min(RETRY_MS.first * 2 ** this.#failures++, RETRY_MS.last))
    } finally {
      this.#tidying.plan()
      this.#rounds++
      this.#lastRound = performance.now() - started
      this.#turns.rest(this.#lastRound)
      this.#kept.keep(this.status)
    }
  }

  #inSession<T>(use: (session: Session) => T, waitMs: number | undefined): T {
    const session = Session.open(this.#loading.settings.algorithms, undefined, waitMs)
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

  /** What is in the way is told once; it may go by itself. */
  #meet(obstacles: readonly unknown[]): void {
    const known = this.#failure
    this.#failure = undefined
    if (obstacles.length === 0) return
    const { tell, describe } = this.#options
    this.#failure = `Not all could be put right: ${obstacles.map(describe).join(' ')}`
    this.#turns.wake(RETRY_MS.last)
    if (this.#failure !== known) tell({ level: 'error', event: 'failed', message: this.#failure })
  }
}
