/**
 * A planned change of policies and SAs, carried out: all of it, or, after an error or the death of the process, none.
 *
 * @module
 */
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { DataPathKind } from '../datapath/data-path.ts'
import { type EncapPort, EncapSockets } from '../datapath/kernel/encap-socket.ts'
import { undoMessages } from './association-journal.ts'
import type { AssociationNotes } from './association-notes.ts'
import { applySteps } from './engine.ts'
import { type NetfilterRules, NO_NETFILTER_RULES, sameNetfilterRules, syncNetfilter } from './netfilter.ts'
import type { PolicyState } from './policy-state.ts'
import type { Step } from './steps.ts'
import type { Store } from './store.ts'
import { type SystemSettings, syncSettings } from './system-settings.ts'
import type { TunnelPlan } from './tunnel-plan.ts'
import { runTunnelSteps } from './tunnel-steps.ts'

/** A change, ready to be made. */
export interface Transition {
  readonly steps: readonly Step[]
  /** Changes of tunnel interfaces, and how many of the steps come before those that go or get other ends. */
  readonly tunnels?: { readonly plan: TunnelPlan; readonly place: number }
  readonly netfilter: { readonly before: NetfilterRules; readonly after: NetfilterRules }
  /** Absent: they stay as they are. */
  readonly settings?: { readonly before: SystemSettings; readonly after: SystemSettings }
  /** The policy to be recorded; absent: the record stays as it is. */
  readonly next?: PolicyState
  /** What changes with SAs beside them; absent: they are not changed. */
  readonly associations?: {
    readonly notes: AssociationNotes
    readonly receivingPorts: readonly EncapPort[]
  }
}

/** What a change is made to. */
export interface Place {
  readonly store: Store
  readonly connection: XfrmConnection
  readonly dataPath: DataPathKind
  /** Takes everything back, by what undoes the changes of SAs. @throws RestoreError */
  restore(undo: readonly XfrmMessage[], cause: unknown): void
}

/**
 * Makes a change. Traces are left on disk until it is complete. The end of a change of SAs alone is when its journal goes;
 * where policy is recorded as well, it is when `policy.pending` becomes the record.
 *
 * @throws ApplyError, TunnelError, NetfilterError after everything has been taken back; RestoreError where that failed, too;
 *   SystemError where a UDP port cannot be bound
 */
export function carryOut(transition: Transition, place: Place): void {
  const { next, associations } = transition
  const { store } = place
  // The software data path listens by itself.
  const ports = place.dataPath === 'kernel' ? (associations?.receivingPorts ?? []) : []
  const sockets = EncapSockets.bind(ports)
  const undo = undoMessages(transition.steps)
  try {
    if (associations) store.keepNotes()
    store.writeJournal(undo, next !== undefined)
    if (next) store.writePendingPolicy(next)
    // Notes first: who hears of an SA from the kernel finds its note. Those of SAs that go stay until they have gone.
    if (associations) store.writeNotes(new Map([...store.loadNotes(), ...associations.notes]))
    applyAll(transition, place.connection)
    sockets.handOver(store.lockPath)
    // Before it is complete: whoever watches for drift must not take it for some.
    store.countChange()
    if (next) store.commitPolicy()
    store.dropJournal()
  } catch (error) {
    place.restore(undo, error)
    throw error
  } finally {
    sockets.close()
  }
  if (associations) dropOldNotes(associations.notes, store)
}

/** The change is complete: that notes of SAs that have gone stay, for want of space, is no reason to say otherwise. */
function dropOldNotes(notes: AssociationNotes, store: Store): void {
  try {
    store.writeNotes(notes)
  } catch {
    // The next change of SAs tries again.
  }
}

/**
 * The mark of forwarded packets is there before policies look for it, and goes after them. A new tunnel interface comes up
 * when everything is there that protects what it carries; one that goes does so while the old is.
 */
function applyAll(
  { steps, tunnels, netfilter: { before, after }, settings }: Transition,
  connection: XfrmConnection,
): void {
  const { early = [], middle = [], late = [] } = tunnels?.plan ?? {}
  const place = middle.length > 0 ? (tunnels?.place ?? 0) : steps.length
  runTunnelSteps(early)
  const isNeeded = !sameNetfilterRules(after, NO_NETFILTER_RULES)
  if (isNeeded) syncNetfilter(after)
  if (settings) syncSettings(settings.before, settings.after)
  applySteps(connection, steps.slice(0, place))
  runTunnelSteps(middle)
  applySteps(connection, steps.slice(place))
  if (!isNeeded && !sameNetfilterRules(before, NO_NETFILTER_RULES)) syncNetfilter(after)
  runTunnelSteps(late)
}
