/**
 * The way back from a change that went wrong, or that a process died in the middle of.
 *
 * @module
 */
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import { takeBack } from './association-journal.ts'
import { applySteps, ownPolicies } from './engine.ts'
import { type Reconciliation, strictSteps } from './joint-plan.ts'
import {
  hasNft,
  type NetfilterRules,
  NO_NETFILTER_RULES,
  sameNetfilterRules,
  syncNetfilter,
} from './netfilter.ts'
import type { PolicyState } from './policy-state.ts'
import type { Store } from './store.ts'
import type { Surroundings } from './surroundings.ts'
import { syncSettings } from './system-settings.ts'

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

/** Where a change is taken back. */
export interface WayBack {
  readonly store: Store
  readonly connection: XfrmConnection
  readonly around: Surroundings
  /** What is to be again. */
  readonly state: PolicyState
  /** From what the kernel has now to that. */
  plan(): { readonly next: PolicyState; readonly reconciliation: Reconciliation }
}

/**
 * Takes a change back: SAs by their journal, policies by a plan from what the kernel has now.
 *
 * @param cause why
 * @throws RestoreError; the traces stay, and the next session tries again
 */
export function takeChangeBack(undo: readonly XfrmMessage[], cause: unknown, way: WayBack): void {
  const { store, connection, around, state } = way
  try {
    // Tunnel interfaces are changed only where the record is.
    const pending = store.loadPendingPolicy()?.ownTunnels
    if (pending) around.beginBack(state.ownTunnels, pending)
    store.restoreNotes()
    if (undo.length > 0) {
      applySteps(connection, strictSteps(ownPolicies(connection)))
      if (!takeBack(connection, undo)) throw new Error('the kernel refused it')
    }
    // Without rules, and without a change of policy, there is none that was touched.
    if (state.rules.length > 0 || store.hasPendingPolicy()) restorePolicies(way)
    if (pending) around.finishBack(state.ownTunnels, pending)
  } catch (error) {
    throw new RestoreError(cause, error)
  }
  store.dropPendingPolicy()
  store.dropJournal()
}

function restorePolicies({ store, connection, state, plan }: WayBack): void {
  const { next, reconciliation } = plan()
  applySteps(connection, reconciliation.steps)
  // Settings that the change would have left are as good as ours.
  const pending = store.loadPendingPolicy()
  if (pending) syncSettings(pending.settings, state.settings)
  if (!sameNetfilterRules(next.netfilter, NO_NETFILTER_RULES) || store.hasPendingPolicy()) {
    syncIfThere(next.netfilter)
  }
}

/** Where nothing is needed, a host without nft is as good as one with an empty table. */
function syncIfThere(rules: NetfilterRules): void {
  if (hasNft() || !sameNetfilterRules(rules, NO_NETFILTER_RULES)) syncNetfilter(rules)
}
