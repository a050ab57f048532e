/**
 * The IPsec of one network namespace under one lock: loaded policy, SAs, and how they change. Everything that a
 * command or a daemon does to them goes through here.
 *
 * @module
 */
import { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import { EncapSockets } from '../datapath/encap-socket.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { AssociationStatus } from '../model/association.ts'
import { DEFAULT_MARK_MASK, markLayout } from '../translate/marks.ts'
import { classesOf, type HostFacts } from '../translate/policy-set.ts'
import { statusOf } from './association-status.ts'
import { AssociationTransaction } from './association-transaction.ts'
import {
  ApplyError,
  applySteps,
  installedAssociations,
  installedPolicies,
  type Reconciliation,
  reconcile,
  undoSteps,
} from './engine.ts'
import { ForwardedMarkError, syncForwardedMark } from './forwarded.ts'
import { type HostNetwork, isForwarding, readHostNetwork } from './host.ts'
import { isOurPolicyIndex, isOurState } from './ownership.ts'
import type { InstalledPolicy } from './plan.ts'
import { emptyState } from './policy-edit.ts'
import type { PolicyState } from './policy-state.ts'
import type { Step } from './steps.ts'
import { Store } from './store.ts'

/** A change that was planned; {@link Session.apply} carries it out. */
export interface PlannedChange {
  readonly next: PolicyState
  readonly reconciliation: Reconciliation
}

export class Session {
  readonly #store: Store
  readonly #connection: XfrmConnection
  readonly #algorithms: AlgorithmTable
  #network: HostNetwork | undefined
  #state: PolicyState
  #isRecorded: boolean

  private constructor(store: Store, connection: XfrmConnection, algorithms: AlgorithmTable) {
    this.#store = store
    this.#connection = connection
    this.#algorithms = algorithms
    const recorded = store.loadPolicy()
    this.#isRecorded = recorded !== undefined
    this.#state = recorded ?? emptyState(DEFAULT_MARK_MASK)
  }

  /**
   * Opens the namespace that the calling thread is in, keeps other commands out until {@link close}, and takes
   * back what a process that died in the middle of a change has left.
   *
   * @throws LockedError, NetlinkError (`EPERM` without CAP_NET_ADMIN)
   */
  static open(algorithms: AlgorithmTable): Session {
    const connection = XfrmConnection.open()
    try {
      const store = Store.open()
      store.lock()
      const session = new Session(store, connection, algorithms)
      session.#recover()
      return session
    } catch (error) {
      connection.close()
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
   * @throws ConflictError, HiddenKeysError
   */
  plan(next: PolicyState): PlannedChange {
    const facts = this.#facts(next)
    const needsMark = facts.forwarding || next.rules.some(({ rule }) => rule.tunnel?.mode === 'transport')
    const forwardedMark = needsMark ? (facts.marks?.forwarded ?? 0) : 0
    return { next: { ...next, forwardedMark }, reconciliation: reconcile(this.#connection, next, facts) }
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
   * @throws ApplyError after everything has been taken back, as far as the kernel lets us; {@link open} tries again
   */
  apply({ next, reconciliation }: PlannedChange): void {
    this.#store.writePendingPolicy(next)
    try {
      this.#carryOut(reconciliation.steps, this.#state, next)
    } catch (error) {
      // Whatever else went wrong, the kernel may have part of the change: the next one to open takes it back.
      const restored = error instanceof ForwardedMarkError || (error instanceof ApplyError && error.restored)
      if (restored) this.#store.dropPendingPolicy()
      throw error
    }
    this.#store.commitPolicy()
    this.#state = next
    this.#isRecorded = true
  }

  /** The mark of forwarded packets must be there while policies look for it: it comes before them, goes after them. */
  #carryOut(steps: readonly Step[], old: PolicyState, next: PolicyState): void {
    if (next.forwardedMark !== 0) syncForwardedMark(next)
    try {
      applySteps(this.#connection, steps)
    } catch (error) {
      if (next.forwardedMark !== old.forwardedMark || next.markMask !== old.markMask) syncForwardedMark(old)
      throw error
    }
    if (next.forwardedMark !== 0 || old.forwardedMark === 0) return
    try {
      syncForwardedMark(next)
    } catch (error) {
      undoSteps(this.#connection, steps)
      throw error
    }
  }

  /** Begins a series of changes to the SADB. Nothing happens before {@link commit}. */
  transaction(): AssociationTransaction {
    const facts = this.#facts(this.#state)
    return new AssociationTransaction(installedAssociations(this.#connection), this.#store.loadNotes(), {
      classes: classesOf(
        this.#state.rules.map(({ rule }) => rule),
        facts,
      ),
      marks: this.#state.rules.length > 0 ? facts.marks : undefined,
      localAddresses: facts.localAddresses,
    })
  }

  /**
   * Carries a transaction out, all or nothing, and lets outbound policies follow where SAs of another
   * alternative have come or gone.
   *
   * @throws ApplyError after everything has been taken back; SystemError where a UDP port cannot be bound
   */
  commit({ steps, notes, receivingPorts }: AssociationTransaction): void {
    const sockets = EncapSockets.bind(receivingPorts)
    const before = this.#store.loadNotes()
    try {
      // Notes first: who hears of an SA from the kernel finds its note. Those of SAs that go stay until they have gone.
      this.#store.writeNotes(new Map([...before, ...notes]))
      this.#change(steps, () => sockets.handOver(this.#store.lockPath))
      this.#store.writeNotes(notes)
    } catch (error) {
      this.#store.writeNotes(before)
      throw error
    } finally {
      sockets.close()
    }
  }

  /** Changes SAs, then what follows from that; all or nothing. */
  #change(steps: readonly Step[], afterwards: () => void): void {
    applySteps(this.#connection, steps)
    try {
      if (this.#state.rules.length > 0)
        applySteps(this.#connection, this.plan(this.#state).reconciliation.steps)
      afterwards()
    } catch (error) {
      undoSteps(this.#connection, steps)
      throw error
    }
  }

  #facts({ markMask, rules }: PolicyState): HostFacts {
    const { localAddresses, tunnels } = this.network
    return {
      algorithms: this.#algorithms,
      marks: markLayout(markMask),
      forwarding: rules.length > 0 && isForwarding(),
      localAddresses,
      tunnels,
    }
  }

  #recover(): void {
    if (!this.#store.hasPendingPolicy()) return
    const { next, reconciliation } = this.plan(this.#state)
    syncForwardedMark(next)
    applySteps(this.#connection, reconciliation.steps)
    this.#store.dropPendingPolicy()
  }
}
