/**
 * What it takes to get from what is loaded to something else: changes of policy, SAs and tunnel interfaces are worked out
 * here. Nothing is changed.
 *
 * @module
 */
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import type { DataPathKind } from '../datapath/data-path.ts'
import { type Connection, readConnections } from '../latch/connections.ts'
import { type ConcernedConnection, concernedConnections, pinsFor } from '../latch/pins.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { SecurityAssociation } from '../model/association.ts'
import type { TunnelInterface } from '../model/tunnel.ts'
import { classesOf } from '../translate/policy-set.ts'
import { type AssociationPlan, planAssociations } from './association-plan.ts'
import { AssociationTransaction } from './association-transaction.ts'
import { installedAssociations, ownPolicies, readTables } from './engine.ts'
import type { HostNetwork } from './host.ts'
import { associationsOnly, ConflictError, planJointly, type Reconciliation } from './joint-plan.ts'
import { sameNetfilterRules } from './netfilter.ts'
import { type PolicyState, rulesInForce } from './policy-state.ts'
import { stateWays } from './state-ways.ts'
import type { Store } from './store.ts'
import type { Surroundings } from './surroundings.ts'
import { survey } from './survey.ts'
import { planTunnels, type TunnelPlan, withOwnTunnels } from './tunnel-plan.ts'
import { TunnelBlockedError } from './tunnel-steps.ts'

/** A change that was planned; `Session.apply` carries it out. */
export interface PlannedChange {
  readonly next: PolicyState
  readonly reconciliation: Reconciliation
  /** What will not hold as the rules say, as sentences. */
  readonly warnings: readonly string[]
  /** Present where SAs are changed by the same stroke. */
  readonly associations?: {
    readonly plan: AssociationPlan
    readonly transaction: AssociationTransaction
  }
  /** Present where tunnel interfaces are part of it. */
  readonly tunnels?: TunnelPlan
  /** The record of policy stays as it is. */
  readonly keepsRecord?: true
  /**
   * Established connections for which the new rules decide otherwise. With latching they keep their old policy. Absent
   * where the rules stay as they are, or the kernel does not tell of connections.
   */
  readonly connections?: readonly ConcernedConnection[]
}

/** What is to be. What is absent stays as it is. */
export interface Wanted {
  readonly policy?: PolicyState
  /** All the SAs of ours, with distinct identifiers. */
  readonly associations?: readonly SecurityAssociation[]
  /** All the tunnel interfaces of ours, and others that have to be there, with distinct names. */
  readonly tunnels?: readonly TunnelInterface[]
}

/** What a plan starts from. Kernel and host are asked when it needs to know. */
export interface Ground {
  /** What is loaded. */
  readonly state: PolicyState
  /** False: nobody knows what policies of ours, where there are some, were made from. */
  readonly isRecorded: boolean
  readonly store: Store
  readonly connection: XfrmConnection
  readonly dataPath: DataPathKind
  readonly around: Surroundings
  readonly algorithms: AlgorithmTable
}

/** Of changes that no configuration asks for. */
const NO_PLAN: AssociationPlan = { add: [], change: [], remove: [], untouched: 0 }

/** True where the kernel has policies of ours, but the rules that they were made from are not known any more. */
export function isUnrecorded({ isRecorded, connection }: Ground): boolean {
  return !isRecorded && ownPolicies(connection).length > 0
}

/** As `Session.planAll` says. */
export function planChange(
  { policy: asked, associations, tunnels: interfaces }: Wanted,
  ground: Ground,
): PlannedChange {
  const tunnels = interfaces && planInterfaces(interfaces, ground)
  const policy = tunnels ? withOwnTunnels(asked, ground.state, tunnels) : asked
  const change = planTables({ ...(policy && { policy }), ...(associations && { associations }) }, ground)
  return tunnels ? { ...change, tunnels } : change
}

/** What it takes to have these tunnel interfaces. @throws TunnelBlockedError */
export function planInterfaces(
  wanted: readonly TunnelInterface[],
  { state, around }: Pick<Ground, 'state' | 'around'>,
): TunnelPlan {
  const plan = planTunnels(wanted, state.ownTunnels, around.links)
  if (plan.blocked.length > 0) throw new TunnelBlockedError(plan.blocked)
  return plan
}

function planTables(
  { policy, associations: wanted }: Omit<Wanted, 'tunnels'>,
  ground: Ground,
): PlannedChange {
  const { next, connections } = policy ? latch(policy, ground) : { next: ground.state }
  const concerned = connections && { connections }
  if (!wanted) return { ...planPolicy(next, ground), ...concerned }
  const transaction = beginTransaction(next, ground)
  const plan = planAssociations(wanted, transaction, networkFor(next, ground).localAddresses)
  const associations = { plan, transaction }
  const joined = policy || next.rules.length > 0 ? planPolicy(next, ground, transaction) : undefined
  return {
    ...(joined ?? { next, reconciliation: associationsOnly(transaction.steps), warnings: [] }),
    associations,
    ...(!policy && { keepsRecord: true }),
    ...concerned,
  }
}

/** What other rules mean for connections that are there. While the rules are the same ones, pins stay. */
function latch(
  policy: PolicyState,
  ground: Ground,
): { readonly next: PolicyState; readonly connections?: readonly ConcernedConnection[] } {
  const { state: before, around } = ground
  if (policy.rules === before.rules && policy.latch === before.latch) return { next: policy }
  const free = { ...policy, pins: [] }
  // Of what was in force without a record, nobody knows what it meant for a connection.
  if (isUnrecorded(ground)) return { next: free }
  const all = tryReadConnections(policy.latch)
  if (!all) return { next: free }
  const connections = concernedConnections({
    before,
    after: policy.rules,
    connections: all,
    localAddresses: around.network.localAddresses,
  })
  const isPinning = policy.latch && policy.rules.length > 0
  return { next: isPinning ? { ...policy, pins: pinsFor(connections) } : free, connections }
}

/** @returns `undefined` where the kernel does not tell, and nothing depends on it */
function tryReadConnections(isNeeded: boolean): Connection[] | undefined {
  try {
    return readConnections()
  } catch (error) {
    if (isNeeded) throw error
    return undefined
  }
}

/**
 * What it takes to have the policies of a state, and the SAs as they are or as a transaction makes them.
 *
 * @throws ConflictError: what cannot be whole is not begun
 */
export function planPolicy(
  next: PolicyState,
  ground: Ground,
  transaction?: AssociationTransaction,
): PlannedChange {
  const change = planAround(next, ground, transaction)
  const { conflicts } = change.reconciliation.plan
  if (conflicts.length > 0) throw new ConflictError(conflicts)
  return change
}

/** The same, around policies of other programs that are in the way. */
function planAround(
  next: PolicyState,
  ground: Ground,
  transaction: AssociationTransaction | undefined,
): PlannedChange {
  const { facts, warnings, state } = survey(next, networkFor(next, ground))
  const tables = readTables(ground.connection)
  const changes = transaction ?? {
    steps: [],
    after: tables.associations,
    notes: ground.store.loadNotes(),
  }
  const { algorithms } = ground
  const reconciliation = planJointly(tables, state, { ...facts, algorithms }, changes)
  return { next: state, reconciliation, warnings }
}

/** As `Session.planRepair` says. */
export function planRepair(transaction: AssociationTransaction, ground: Ground): PlannedChange {
  const { state } = ground
  const associations = { plan: NO_PLAN, transaction }
  if (!ground.isRecorded) {
    const reconciliation = associationsOnly(transaction.steps)
    return { next: state, reconciliation, warnings: [], associations, keepsRecord: true }
  }
  const joined = planAround(state, ground, transaction)
  const isSame = sameNetfilterRules(joined.next.netfilter, state.netfilter)
  return { ...joined, associations, ...(isSame && { keepsRecord: true }) }
}

/** Changes of SAs to come, each in the class that it has under a state. */
export function beginTransaction(state: PolicyState, ground: Ground): AssociationTransaction {
  const { store, connection, algorithms, dataPath } = ground
  const { facts } = survey(state, networkFor(state, ground))
  const rules = rulesInForce(state)
  return new AssociationTransaction(installedAssociations(connection), store.loadNotes(), {
    classes: classesOf(rules, { ...facts, algorithms }),
    marks: rules.length > 0 ? facts.marks : undefined,
    localAddresses: facts.localAddresses,
    ways: stateWays(state.tunables, dataPath),
  })
}

/** The network as it is when the tunnel interfaces of ours are as a state says. */
function networkFor({ ownTunnels }: PolicyState, { state, around }: Ground): HostNetwork {
  return around.networkFor(state.ownTunnels, ownTunnels)
}
