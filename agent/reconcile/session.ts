/**
 * The IPsec of one network namespace under one lock: loaded policy, SAs, and how they change. Everything that a
 * command or a daemon does to them goes through here.
 *
 * @module
 */
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import { type DataPath, type DataPathRequest, openDataPath } from '../datapath/data-path.ts'
import { EncapSockets } from '../datapath/kernel/encap-socket.ts'
import { type AlgorithmTable, joinTables } from '../model/algorithm.ts'
import type { AssociationStatus } from '../model/association.ts'
import { defaultAlgorithmTable } from '../model/default-algorithms.ts'
import { DEFAULT_MARK_MASK } from '../translate/marks.ts'
import { classesOf } from '../translate/policy-set.ts'
import { takeBack, undoMessages } from './association-journal.ts'
import { statusOf } from './association-status.ts'
import { AssociationTransaction } from './association-transaction.ts'
import {
  applySteps,
  installedAssociations,
  installedPolicies,
  type Reconciliation,
  reconcile,
} from './engine.ts'
import { type HostNetwork, readHostNetwork } from './host.ts'
import {
  hasNft,
  type NetfilterRules,
  NO_NETFILTER_RULES,
  sameNetfilterRules,
  syncNetfilter,
} from './netfilter.ts'
import { isOurPolicyIndex, isOurState } from './ownership.ts'
import type { InstalledPolicy } from './plan.ts'
import { emptyState } from './policy-edit.ts'
import type { PolicyState } from './policy-state.ts'
import { Store } from './store.ts'
import { survey } from './survey.ts'

/** A change that was planned; {@link Session.apply} carries it out. */
export interface PlannedChange {
  readonly next: PolicyState
  readonly reconciliation: Reconciliation
  /** What will not hold as the rules say, as sentences. */
  readonly warnings: readonly string[]
}

/** A change failed, and so did taking it back. The next command tries again before it does anything else. */
export class RestoreError extends Error {
  override readonly cause: unknown
  readonly why: unknown

  constructor(cause: unknown, why: unknown) {
    super('a change failed, and taking it back failed, too')
    this.name = 'RestoreError'
    this.cause = cause
    this.why = why
  }
}

/** Whatever data path is in use will do. */
const LOOKING: DataPathRequest = { choice: 'auto', needs: [] }

/** True where a table has entries of ours. */
function hasOurs(connection: XfrmConnection): boolean {
  return (
    installedPolicies(connection).some(({ info }) => isOurPolicyIndex(info.index)) ||
    installedAssociations(connection).some(({ reqid }) => isOurState(reqid))
  )
}

export class Session {
  readonly #store: Store
  /** Who carries the packets. */
  readonly dataPath: Omit<DataPath, 'connection'>
  readonly #connection: XfrmConnection
  readonly #algorithms: AlgorithmTable
  #network: HostNetwork | undefined
  #state: PolicyState
  #isRecorded: boolean
  /** Why a broken-off change could not be taken back. Only taking everything away is possible then. */
  #unrecovered: unknown

  private constructor(store: Store, dataPath: DataPath, algorithms: AlgorithmTable) {
    this.#store = store
    this.dataPath = dataPath
    this.#connection = dataPath.connection
    this.#algorithms = joinTables(algorithms, defaultAlgorithmTable)
    const recorded = store.loadPolicy()
    this.#isRecorded = recorded !== undefined
    this.#state = recorded ?? emptyState(DEFAULT_MARK_MASK)
  }

  /**
   * Opens the namespace that the calling thread is in, keeps other commands out until {@link close}, and takes
   * back what a process that died in the middle of a change has left.
   *
   * @throws LockedError, DataPathConflictError, ServiceStartError, NetlinkError (`EPERM` without CAP_NET_ADMIN)
   */
  static open(algorithms: AlgorithmTable, request: DataPathRequest = LOOKING): Session {
    const store = Store.open()
    store.lock()
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

  /** The loaded policy. */
  get state(): PolicyState {
    return this.#state
  }

  /** Tunnel interfaces, addresses and routing rules of this namespace. */
  get network(): HostNetwork {
    this.#network ??= readHostNetwork()
    return this.#network
  }

  /** The policies of ours that the kernel has. */
  policies(): InstalledPolicy[] {
    return installedPolicies(this.#connection).filter(({ info }) => isOurPolicyIndex(info.index))
  }

  /** The AH and ESP SAs that the kernel has: ours, or those of other programs as well. */
  associations(which: 'ours' | 'all'): AssociationStatus[] {
    const notes = this.#store.loadNotes()
    const { localAddresses } = this.network
    return installedAssociations(this.#connection)
      .filter(({ reqid }) => which === 'all' || isOurState(reqid))
      .map(({ association, counters }) => statusOf(association, counters, { notes, localAddresses }))
  }

  /**
   * Works out what it takes to get to another policy. Changes nothing.
   *
   * @throws ConflictError, HiddenKeysError, MarkCapacityError, TunnelRuleError
   */
  plan(next: PolicyState): PlannedChange {
    const { facts, warnings, state } = survey(next, this.network)
    const reconciliation = reconcile(this.#connection, state, this.#store.loadNotes(), {
      ...facts,
      algorithms: this.#algorithms,
    })
    return { next: state, reconciliation, warnings }
  }

  /**
   * True where the kernel has policies of ours, but the rules that they were made from are not known any more: what
   * is planned from {@link state} would take them away.
   */
  get isUnrecorded(): boolean {
    return !this.#isRecorded && this.policies().length > 0
  }

  /**
   * Carries a planned change out, all or nothing. A process that dies in between leaves a trace from which the
   * next {@link open} takes everything back.
   *
   * @throws ApplyError, NetfilterError after everything has been taken back; RestoreError where that failed too
   */
  apply({ next, reconciliation }: PlannedChange): void {
    if (this.#unrecovered && next.rules.length > 0) throw this.#unrecovered
    const { steps } = reconciliation
    const undo = undoMessages(steps)
    this.#store.writePendingPolicy(next)
    this.#store.writeJournal(undo)
    try {
      const { netfilter } = this.#state
      // The mark of forwarded packets is there before policies look for it, and goes after them.
      const needsNetfilter = !sameNetfilterRules(next.netfilter, NO_NETFILTER_RULES)
      if (needsNetfilter) syncNetfilter(next.netfilter)
      applySteps(this.#connection, steps)
      if (!needsNetfilter && !sameNetfilterRules(netfilter, NO_NETFILTER_RULES)) syncNetfilter(next.netfilter)
    } catch (error) {
      this.#restore(undo, error)
      throw error
    }
    // In this order: a journal that outlives its change would take it back.
    this.#store.dropJournal()
    this.#store.commitPolicy()
    this.#state = next
    this.#isRecorded = true
  }

  /** Begins a series of changes to the SADB. Nothing happens before {@link commit}. */
  transaction(): AssociationTransaction {
    const { facts } = survey(this.#state, this.network)
    const rules = this.#state.rules.map(({ rule }) => rule)
    return new AssociationTransaction(installedAssociations(this.#connection), this.#store.loadNotes(), {
      classes: classesOf(rules, { ...facts, algorithms: this.#algorithms }),
      marks: rules.length > 0 ? facts.marks : undefined,
      localAddresses: facts.localAddresses,
    })
  }

  /**
   * Carries a transaction out, all or nothing, and lets outbound policies follow where SAs of another
   * alternative have come or gone.
   *
   * @throws ApplyError after everything has been taken back, RestoreError where that failed too; SystemError where a
   *   UDP port cannot be bound
   */
  commit({ steps, notes, receivingPorts }: AssociationTransaction): void {
    if (this.#unrecovered) throw this.#unrecovered
    // The software data path listens by itself.
    const sockets = EncapSockets.bind(this.dataPath.kind === 'kernel' ? receivingPorts : [])
    const before = this.#store.loadNotes()
    const undo = undoMessages(steps)
    try {
      this.#store.writeJournal(undo)
      // Notes first: who hears of an SA from the kernel finds its note. Those of SAs that go stay until they have gone.
      this.#store.writeNotes(new Map([...before, ...notes]))
      applySteps(this.#connection, steps)
      if (this.#state.rules.length > 0) this.#follow(undo)
      sockets.handOver(this.#store.lockPath)
      this.#store.dropJournal()
      this.#store.writeNotes(notes)
    } catch (error) {
      this.#restore(undo, error)
      this.#store.writeNotes(before)
      throw error
    } finally {
      sockets.close()
    }
  }

  /** Policies and classes after SAs have changed. What that adds to the journal stands before what is in it. */
  #follow(undo: XfrmMessage[]): void {
    const { next, reconciliation } = this.plan(this.#state)
    undo.unshift(...undoMessages(reconciliation.steps))
    this.#store.writeJournal(undo)
    if (!sameNetfilterRules(next.netfilter, NO_NETFILTER_RULES)) syncNetfilter(next.netfilter)
    applySteps(this.#connection, reconciliation.steps)
  }

  /**
   * Takes a change back that went wrong: SAs by their journal, policies by a plan from what the kernel has now.
   *
   * @throws RestoreError; the traces stay, and the next {@link open} tries again
   */
  #restore(undo: readonly XfrmMessage[], cause: unknown): void {
    try {
      if (!takeBack(this.#connection, undo)) throw new Error('the kernel refused it')
      const { next, reconciliation } = this.plan(this.#state)
      applySteps(this.#connection, reconciliation.steps)
      if (!sameNetfilterRules(next.netfilter, NO_NETFILTER_RULES) || this.#store.hasPendingPolicy()) {
        this.#syncIfThere(next.netfilter)
      }
    } catch (error) {
      throw new RestoreError(cause, error)
    }
    this.#store.dropPendingPolicy()
    this.#store.dropJournal()
  }

  /** Where nothing is needed, a host without nft is as good as one with an empty table. */
  #syncIfThere(rules: NetfilterRules): void {
    if (hasNft() || !sameNetfilterRules(rules, NO_NETFILTER_RULES)) syncNetfilter(rules)
  }

  #recover(): void {
    const journal = this.#store.loadJournal()
    if (!this.#store.hasPendingPolicy() && !journal) return
    // Without a record of what was, there is no way back to it: what the kernel has stays.
    if (!this.#isRecorded && this.#store.hasPolicyFile()) return
    try {
      this.#restore(journal ?? [], new Error('a command died in the middle of a change'))
    } catch (error) {
      this.#unrecovered = error
    }
  }
}
