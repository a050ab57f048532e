/**
 * Brings the kernel in line with a set of rules: reads what is there, plans, applies in batches, and takes
 * everything back if a step fails.
 *
 * @module
 */
import type { NetlinkError } from '../../netlink/socket/error.ts'
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import { dir } from '../../netlink/xfrm/constants.ts'
import { classesOf, type HostFacts, translatePolicySet } from '../translate/policy-set.ts'
import { type KernelAssociation, readState } from '../translate/read-association.ts'
import type { AssociationNotes } from './association-notes.ts'
import { classifySteps, outboundAssociations } from './classify.ts'
import { freeSerials } from './ownership.ts'
import { type InstalledPolicy, type PolicyPlan, planPolicies } from './plan.ts'
import { type PolicyState, placedRules } from './policy-state.ts'
import { messageOf, policySteps, type Step } from './steps.ts'

export interface Reconciliation {
  readonly plan: PolicyPlan
  /** SAs that move to another class or mark. */
  readonly stateSteps: readonly Step[]
  /** Everything, in order. */
  readonly steps: readonly Step[]
}

/** A step that the kernel refused. */
export class ApplyError extends Error {
  readonly step: Step
  override readonly cause: NetlinkError

  constructor(step: Step, cause: NetlinkError) {
    super(cause.message)
    this.name = 'ApplyError'
    this.step = step
    this.cause = cause
  }
}

/** Policies of other programs are in the way of ours. */
export class ConflictError extends Error {
  readonly conflicts: PolicyPlan['conflicts']

  constructor(conflicts: PolicyPlan['conflicts']) {
    super(`${conflicts.length} policies of another program have the selectors of ours`)
    this.name = 'ConflictError'
    this.conflicts = conflicts
  }
}

/** The policies that the kernel has in its main table, those of single sockets left out. */
export function installedPolicies(connection: XfrmConnection): InstalledPolicy[] {
  const policies: InstalledPolicy[] = []
  for (const { body, attributes } of connection.policies()) {
    if (body.dir > dir.FWD || (attributes.policy_type?.type ?? 0) !== 0) continue
    const { tmpl = [], mark, if_id: ifId = 0 } = attributes
    policies.push({ info: body, tmpl, ifId, ...(mark && { mark }) })
  }
  return policies
}

/** The AH and ESP SAs that the kernel has. */
export function installedAssociations(connection: XfrmConnection): KernelAssociation[] {
  const associations: KernelAssociation[] = []
  for (const message of connection.states()) {
    const association = readState(message)
    if (association) associations.push(association)
  }
  return associations
}

/**
 * Plans the way from what the kernel has to what `state` says.
 *
 * @throws ConflictError, HiddenKeysError
 */
export function reconcile(
  connection: XfrmConnection,
  state: PolicyState,
  notes: AssociationNotes,
  facts: HostFacts,
): Reconciliation {
  const classes = classesOf(
    state.rules.map(({ rule }) => rule),
    facts,
  )
  const associations = installedAssociations(connection)
  const known = { notes, localAddresses: facts.localAddresses }
  const outbound = outboundAssociations(associations, classes, known)
  const desired = translatePolicySet(placedRules(state), classes, outbound, facts)
  const installed = installedPolicies(connection)
  const plan = planPolicies(desired, installed)
  if (plan.conflicts.length > 0) throw new ConflictError(plan.conflicts)
  const stateSteps = state.rules.length > 0 ? classifySteps(associations, classes, facts.marks, known) : []
  const serials = freeSerials(installed.map(({ info }) => info.index))
  return { plan, stateSteps, steps: [...stateSteps, ...policySteps(plan, serials)] }
}

/**
 * Carries steps out, in order, up to the first that the kernel refuses. Those before it stay: a caller that wants all
 * or nothing plans anew, from a dump, the way back to what was.
 *
 * @throws ApplyError, NetlinkError
 */
export function applySteps(connection: XfrmConnection, steps: readonly Step[]): void {
  const [failure] = connection.batchOf(steps, messageOf, { stopOnError: true }).failures
  if (!failure) {
    // Whoever carries the packets is done with all of it when it answers this.
    if (steps.length > 0) connection.spdInfo()
    return
  }
  const step = steps[failure.index]
  throw step ? new ApplyError(step, failure.error) : failure.error
}
