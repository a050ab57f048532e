/**
 * The IPsec of one network namespace under one lock: loaded policy, SAs, and how they change. Everything that a
 * command or a daemon does to them goes through here.
 *
 * @module
 */
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import { userpolicy } from '../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import { type DataPath, type DataPathRequest, openDataPath } from '../datapath/data-path.ts'
import type { Pin } from '../latch/pins.ts'
import { type AlgorithmTable, joinTables } from '../model/algorithm.ts'
import type { AssociationStatus } from '../model/association.ts'
import { defaultAlgorithmTable } from '../model/default-algorithms.ts'
import type { TunnelInterface } from '../model/tunnel.ts'
import { DEFAULT_MARK_MASK } from '../translate/marks.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import type { AssociationNotes } from './association-notes.ts'
import { statusOf } from './association-status.ts'
import type { AssociationTransaction } from './association-transaction.ts'
import { carryOut, type Transition } from './carry-out.ts'
import { ApplyError, installedAssociations, ownAssociations, ownPolicies, readTables } from './engine.ts'
import type { HostNetwork } from './host.ts'
import { associationsOnly, type Tables } from './joint-plan.ts'
import type { InstalledPolicy } from './plan.ts'
import {
  beginTransaction,
  type Ground,
  isUnrecorded,
  type PlannedChange,
  planChange,
  planInterfaces,
  planPolicy,
  planRepair,
  type Wanted,
} from './planner.ts'
import { emptyState } from './policy-edit.ts'
import type { PolicyState } from './policy-state.ts'
import { planRelease } from './release-plan.ts'
import { type SocketView, socketView } from './socket-view.ts'
import { Store } from './store.ts'
import { Surroundings } from './surroundings.ts'
import { RestoreError, takeChangeBack } from './take-back.ts'
import { isEmptyTunnelPlan, type TunnelPlan } from './tunnel-plan.ts'

/** Whatever data path is in use will do. */
const LOOKING: DataPathRequest = { choice: 'auto', needs: [] }

const BROKEN_OFF = new Error('a command died in the middle of a change')

/** True where a table has entries of ours. */
function hasOurs(connection: XfrmConnection): boolean {
  return ownPolicies(connection).length > 0 || ownAssociations(connection).length > 0
}

export class Session {
  readonly #store: Store
  /** Who carries the packets. */
  readonly dataPath: Omit<DataPath, 'connection'>
  readonly #connection: XfrmConnection
  readonly #algorithms: AlgorithmTable
  readonly #around = new Surroundings()
  #state: PolicyState
  #isRecorded: boolean
  /** Why a broken-off change could not be taken back. Only taking everything away is possible then. */
  #unrecovered: unknown

  private constructor(store: Store, dataPath: DataPath, algorithms: AlgorithmTable) {
    this.#store = store
    this.dataPath = dataPath
    // What has keys does not outlive the lock.
    this.#connection = dataPath.connection.wipeAtClose()
    this.#algorithms = joinTables(algorithms, defaultAlgorithmTable)
    const recorded = store.loadPolicy()
    this.#isRecorded = recorded !== undefined
    this.#state = recorded ?? emptyState(DEFAULT_MARK_MASK)
  }

  /**
   * Opens the namespace that the calling thread is in, keeps other commands out until {@link close}, and takes
   * back what a process that died in the middle of a change has left.
   *
   * @param waitMs how long to wait for another command's end
   * @throws LockedError, DataPathConflictError, ServiceStartError, NetlinkError (`EPERM` without CAP_NET_ADMIN)
   */
  static open(algorithms: AlgorithmTable, request: DataPathRequest = LOOKING, waitMs?: number): Session {
    const store = Store.open()
    store.lock(waitMs)
    try {
      const dataPath = openDataPath(store.folder, request, hasOurs)
      try {
        const session = new Session(store, dataPath, algorithms)
        session.#recover()
        return session
      } catch (error) {
        dataPath.connection.close()
        throw error
      }
    } catch (error) {
      store.unlock()
      throw error
    }
  }

  close(): void {
    this.#connection.close()
    this.#store.unlock()
  }

  /** What plans start from. */
  get #ground(): Ground {
    return {
      state: this.#state,
      isRecorded: this.#isRecorded,
      store: this.#store,
      connection: this.#connection,
      dataPath: this.dataPath.kind,
      around: this.#around,
      algorithms: this.#algorithms,
    }
  }

  /** Events that this session causes bear this number. */
  get portId(): number {
    return this.#connection.portId
  }

  /** The state folder of the namespace. */
  get folder(): string {
    return this.#store.folder
  }

  /** How many changes were made since boot, by whichever command. */
  get changeCount(): number {
    return this.#store.changeCount()
  }

  /** The loaded policy. */
  get state(): PolicyState {
    return this.#state
  }

  /** Tunnel interfaces, addresses and routing rules of this namespace. */
  get network(): HostNetwork {
    return this.#around.network
  }

  /** The same as it will be after a planned change. */
  networkAfter({ next }: PlannedChange): HostNetwork {
    return this.#around.networkFor(this.#state.ownTunnels, next.ownTunnels)
  }

  /** The policies of ours that the kernel has. */
  policies(): InstalledPolicy[] {
    return ownPolicies(this.#connection)
  }

  /** Policies and SAs that the kernel has, whoever's they are. */
  tables(): Tables {
    return readTables(this.#connection)
  }

  /** Directions in which whoever carries the packets drops what no policy is about. */
  blockedByDefault(): ('in' | 'fwd' | 'out')[] {
    const actions = this.#connection.defaultActions()
    if (!actions) return []
    return (['in', 'fwd', 'out'] as const).filter((one) => actions[one] === userpolicy.BLOCK)
  }

  /** The AH and ESP SAs that the kernel has: ours, or those of other programs as well. */
  associations(which: 'ours' | 'all'): AssociationStatus[] {
    const notes = this.#store.loadNotes()
    const { localAddresses } = this.network
    const found = which === 'all' ? installedAssociations(this.#connection) : this.ownStates()
    return found.map(({ association, counters }) =>
      statusOf(association, counters, { notes, localAddresses }),
    )
  }

  /** The SAs of ours as the kernel has them. */
  ownStates(): KernelAssociation[] {
    return ownAssociations(this.#connection)
  }

  /** What was noted of SAs. */
  get notes(): AssociationNotes {
    return this.#store.loadNotes()
  }

  /** What policies of sockets are made from. */
  forSockets(): SocketView {
    return socketView(this.#connection, this.#algorithms)
  }

  /**
   * Works out what it takes to get to another policy. Changes nothing.
   *
   * @throws ConflictError, HiddenKeysError, MarkCapacityError, TunnelRuleError
   */
  plan(next: PolicyState): PlannedChange {
    return this.planAll({ policy: next })
  }

  /**
   * The same for policy, SAs and tunnel interfaces together. Those SAs that are as they are to be stay untouched, unless
   * another policy has another class for them.
   *
   * @throws as {@link plan}; AssociationError, TunnelBlockedError
   */
  planAll(wanted: Wanted): PlannedChange {
    return planChange(wanted, this.#ground)
  }

  /** What it takes to have these tunnel interfaces. Changes nothing. @throws TunnelBlockedError */
  planTunnels(wanted: readonly TunnelInterface[]): TunnelPlan {
    return planInterfaces(wanted, this.#ground)
  }

  /**
   * Takes the policies of pins away whose connections have ended. SAs stay in the classes that they have.
   *
   * @returns how many there were
   * @throws ApplyError after everything has been taken back; RestoreError where that failed, too
   */
  releasePins(ended: readonly Pin[]): number {
    if (this.#unrecovered) throw this.#unrecovered
    const { next, steps } = planRelease(this.#state, ended, this.policies())
    if (next !== this.#state) {
      const { netfilter } = next
      this.#carryOut({ steps, netfilter: { before: netfilter, after: netfilter }, next })
    }
    return ended.length
  }

  /**
   * True where the kernel has policies of ours, but the rules that they were made from are not known any more: what
   * is planned from {@link state} would take them away.
   */
  get isUnrecorded(): boolean {
    return isUnrecorded(this.#ground)
  }

  /**
   * Carries a planned change out, all or nothing. A process that dies in between leaves a trace from which the
   * next {@link open} takes everything back.
   *
   * @throws ApplyError, TunnelError, NetfilterError after everything has been taken back; RestoreError where that failed
   *   too; SystemError where a UDP port cannot be bound
   */
  apply({ next, reconciliation, associations, tunnels, keepsRecord }: PlannedChange): void {
    const isMore = next.rules.length > 0 || associations || (tunnels && tunnels.own.length > 0)
    if (this.#unrecovered && isMore) throw this.#unrecovered
    this.#carryOut({
      steps: reconciliation.steps,
      ...(tunnels && { tunnels: { plan: tunnels, place: reconciliation.beforeTunnels } }),
      netfilter: { before: this.#state.netfilter, after: next.netfilter },
      ...(!keepsRecord && { next, settings: { before: this.#state.settings, after: next.settings } }),
      ...(associations && { associations: associations.transaction }),
    })
    if (tunnels && !isEmptyTunnelPlan(tunnels)) this.#followAddresses()
  }

  /** The kernel gives interfaces that come up addresses of its own, which policies about this host with itself follow. */
  #followAddresses(): void {
    if (this.#state.rules.length === 0) return
    try {
      const { next, reconciliation } = planPolicy(this.#state, this.#ground)
      const netfilter = { before: this.#state.netfilter, after: next.netfilter }
      if (reconciliation.steps.length > 0) this.#carryOut({ steps: reconciliation.steps, netfilter, next })
    } catch (error) {
      // The change is complete. Without these policies less passes, and the next change, or the agent, brings them.
      if (!(error instanceof ApplyError)) throw error
    }
  }

  /** Begins a series of changes to the SADB. Nothing happens before {@link commit}. */
  transaction(): AssociationTransaction {
    return beginTransaction(this.#state, this.#ground)
  }

  /**
   * Carries a transaction out, all or nothing, and lets outbound policies follow where SAs of another
   * alternative have come or gone.
   *
   * @throws ApplyError after everything has been taken back, RestoreError where that failed too; SystemError where a
   *   UDP port cannot be bound
   */
  commit(transaction: AssociationTransaction): void {
    if (this.#unrecovered) throw this.#unrecovered
    const follows = this.#state.rules.length > 0
    const { next, reconciliation } = follows
      ? planPolicy(this.#state, this.#ground, transaction)
      : { next: this.#state, reconciliation: associationsOnly(transaction.steps) }
    this.#carryOut({
      steps: reconciliation.steps,
      netfilter: { before: this.#state.netfilter, after: next.netfilter },
      associations: transaction,
    })
  }

  /**
   * What it takes to have the kernel as the loaded policy and a transaction of SAs say, whoever made it otherwise: as far
   * as policies of other programs are not in the way (`conflicts` of the plan). Changes nothing. {@link apply} carries it
   * out.
   *
   * @throws as {@link plan}, but for ConflictError
   */
  planRepair(transaction: AssociationTransaction): PlannedChange {
    return planRepair(transaction, this.#ground)
  }

  /** What it takes to have the tunnel interfaces of ours as they are to be. Changes nothing. */
  planTunnelRepair(): TunnelPlan {
    return this.#around.planRepair(this.#state.ownTunnels)
  }

  /**
   * Carries such a plan out, as far as the kernel lets it: policies are there already, and the record stays as it is.
   *
   * @throws TunnelError
   */
  repairTunnels(plan: TunnelPlan): void {
    this.#around.repair(plan)
  }

  #carryOut(transition: Transition): void {
    carryOut(transition, {
      store: this.#store,
      connection: this.#connection,
      dataPath: this.dataPath.kind,
      restore: (undo, cause) => this.#restore(undo, cause),
    })
    if (transition.tunnels) this.#around.forget()
    if (!transition.next) return
    this.#state = transition.next
    this.#isRecorded = true
  }

  #restore(undo: readonly XfrmMessage[], cause: unknown): void {
    takeChangeBack(undo, cause, {
      store: this.#store,
      connection: this.#connection,
      around: this.#around,
      state: this.#state,
      plan: () => this.plan(this.#state),
    })
  }

  #recover(): void {
    let journal: XfrmMessage[] | undefined
    try {
      journal = this.#store.loadJournal()
    } catch (why) {
      // Damaged, or of another version: what it would take back is not known.
      this.#unrecovered = new RestoreError(BROKEN_OFF, why)
      return
    }
    if (!this.#store.hasPendingPolicy() && !journal) {
      this.#store.dropJournal()
      return
    }
    // Without a record of what was, there is no way back to it: what the kernel has stays.
    if (!this.#isRecorded && this.#store.hasPolicyFile()) return
    try {
      this.#restore(journal ?? [], BROKEN_OFF)
    } catch (error) {
      this.#unrecovered = error
    }
  }
}
