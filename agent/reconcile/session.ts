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
  applySteps,
  installedAssociations,
  installedPolicies,
  type Reconciliation,
  reconcile,
  undoSteps,
} from './engine.ts'
import { syncForwardedMark } from './forwarded.ts'
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

  private constructor(store: Store, connection: XfrmConnection, algorithms: AlgorithmTable) {
    this.#store = store
    this.#connection = connection
    this.#algorithms = algorithms
    this.#state = store.loadPolicy() ?? emptyState(DEFAULT_MARK_MASK)
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
    const forwardedMark = facts.forwarding ? (facts.marks?.forwarded ?? 0) : 0
    return { next: { ...next, forwardedMark }, reconciliation: reconcile(this.#connection, next, facts) }
  }

  /**
   * Carries a planned change out, all or nothing. A process that dies in between leaves a trace from which the
   * next {@link open} takes everything back.
   *
   * @throws ApplyError after everything has been taken back
   */
  apply({ next, reconciliation }: PlannedChange): void {
    this.#store.writePendingPolicy(next)
    try {
      if (next.forwardedMark !== 0 || this.#state.forwardedMark !== 0) syncForwardedMark(next.forwardedMark)
      applySteps(this.#connection, reconciliation.steps)
    } catch (error) {
      this.#store.dropPendingPolicy()
      throw error
    }
    this.#store.commitPolicy()
    this.#state = next
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
    syncForwardedMark(next.forwardedMark)
    applySteps(this.#connection, reconciliation.steps)
    this.#store.dropPendingPolicy()
  }
}
