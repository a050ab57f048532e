/**
 * Policies and SAs changed together: the steps from what is there to what is to be, in an order in which no packet that is
 * protected before and after passes in clear in between. Pure.
 *
 * @module
 */
import { dir, family } from '../../netlink/xfrm/constants.ts'
import { formatAddress } from '../model/address.ts'
import { classesOf, type HostFacts, translatePolicySet } from '../translate/policy-set.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import { readAddress } from '../translate/selectors.ts'
import type { AssociationNotes } from './association-notes.ts'
import { classifySteps, outboundAssociations } from './classify.ts'
import { freeSerials, isOurPolicyIndex } from './ownership.ts'
import { type InstalledPolicy, type PolicyPlan, planPolicies } from './plan.ts'
import { asWanted, isLenient, type OrderedSteps, orderPolicies, strictForm } from './policy-order.ts'
import { type PolicyState, placedRules, rulesInForce } from './policy-state.ts'
import { type Step, stateKey } from './steps.ts'

export interface Reconciliation {
  readonly plan: PolicyPlan
  /** SAs that move to another class or mark. */
  readonly stateSteps: readonly Step[]
  /** Everything, in order. */
  readonly steps: readonly Step[]
  /** How many of the steps come before tunnel interfaces go, or get other ends. */
  readonly beforeTunnels: number
}

/** What the kernel has, whoever's it is. */
export interface Tables {
  readonly policies: readonly InstalledPolicy[]
  readonly associations: readonly KernelAssociation[]
}

/** Changes of SAs that go along, as an `AssociationTransaction` has them. */
export interface AccompanyingChanges {
  readonly steps: readonly Step[]
  /** The SAs that there will be. */
  readonly after: readonly KernelAssociation[]
  readonly notes: AssociationNotes
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

/** No policy is looked at. */
const NO_POLICY_CHANGES: PolicyPlan = { add: [], update: [], remove: [], unchanged: 0, conflicts: [] }

/**
 * Plans the way from what the kernel has to what `state` says, with changes of SAs on the way. Where policies of other
 * programs are in the way, all but those of ours: the plan's `conflicts` are for the caller to judge.
 *
 * @throws HiddenKeysError, MarkCapacityError, TunnelRuleError
 */
export function planJointly(
  tables: Tables,
  state: PolicyState,
  facts: HostFacts,
  changes: AccompanyingChanges,
): Reconciliation {
  const rules = rulesInForce(state)
  const classes = classesOf(rules, facts)
  const known = { notes: changes.notes, localAddresses: facts.localAddresses }
  const outbound = outboundAssociations(changes.after, classes, known)
  const desired = translatePolicySet(placedRules(state), classes, outbound, facts)
  const plan = planPolicies(desired, tables.policies)
  const hasRules = rules.length > 0
  // Without rules nobody looks at marks; sockets look at classes alone.
  const marks = hasRules ? facts.marks : undefined
  const stateSteps = hasRules || facts.socketKinds ? classifySteps(changes.after, classes, marks, known) : []
  const serials = freeSerials(tables.policies.map(({ info }) => info.index))
  const ordered = orderSteps(changes.steps, stateSteps, plan, orderPolicies(plan, serials), tables.policies)
  return { plan, stateSteps, ...ordered }
}

/** Changes of SAs alone, where there are no rules that could follow them. */
export function associationsOnly(steps: readonly Step[]): Reconciliation {
  return { plan: NO_POLICY_CHANGES, stateSteps: [], steps, beforeTunnels: steps.length }
}

/**
 * New SAs, then policies, then the removal of SAs: until the new policies are there, the old ones have their SAs, and the
 * new ones find theirs. Where an SA is made anew under its old identifier, the kernel has neither for a moment. Policies
 * that would let a packet pass in clear for want of an SA (`or pass`) refuse it meanwhile.
 */
function orderSteps(
  changes: readonly Step[],
  moves: readonly Step[],
  plan: PolicyPlan,
  { first, main, removals, last }: OrderedSteps,
  installed: readonly InstalledPolicy[],
): Pick<Reconciliation, 'steps' | 'beforeTunnels'> {
  const { early, late } = phases(changes)
  const gaps = new Set([...early, ...moves].flatMap(removedDestination))
  const planned = new Set([...plan.remove, ...plan.update.map(({ from }) => from)])
  const concerned =
    gaps.size === 0 ? [] : lenientOnes(installed).filter((one) => !planned.has(one) && covers(one, gaps))
  const before = [
    ...first,
    ...concerned.map((from): Step => ({ kind: 'update', from, to: strictForm(asWanted(from)) })),
    ...early,
    ...moves,
    ...main,
  ]
  const after = [
    ...removals,
    ...concerned.map((from): Step => ({ kind: 'update', from, to: asWanted(from) })),
    ...last,
    ...late,
  ]
  return { steps: [...before, ...after], beforeTunnels: before.length }
}

/** Removals of SAs that do not come again are late; all else keeps its order. */
function phases(changes: readonly Step[]): { readonly early: Step[]; readonly late: Step[] } {
  const seen = new Set<string>()
  const late = new Set<Step>()
  for (const step of changes.toReversed()) {
    const key = removedKey(step)
    if (key !== undefined && !seen.has(key)) late.add(step)
    const made = step.kind === 'message' && step.message.name === 'NEWSA' ? step.message : undefined
    if (made) seen.add(stateKey(made.body.id, made.body.family))
  }
  return { early: changes.filter((step) => !late.has(step)), late: changes.filter((step) => late.has(step)) }
}

function removedKey(step: Step): string | undefined {
  if (step.kind !== 'message' || step.message.name !== 'DELSA') return undefined
  const { body } = step.message
  return stateKey(body, body.family)
}

function removedDestination(step: Step): string[] {
  if (step.kind !== 'message' || step.message.name !== 'DELSA') return []
  const { daddr, family } = step.message.body
  return [formatAddress(readAddress(daddr, family))]
}

/** Outbound policies of ours that let pass in clear what finds no SA. */
function lenientOnes(policies: readonly InstalledPolicy[]): InstalledPolicy[] {
  return policies.filter(
    ({ info, tmpl }) =>
      info.dir === dir.OUT && isOurPolicyIndex(info.index) && isLenient({ action: info.action, tmpl }),
  )
}

/** Its packets may go to one of these addresses. */
function covers({ info: { sel } }: InstalledPolicy, destinations: ReadonlySet<string>): boolean {
  const bits = sel.family === family.INET ? 32 : 128
  return sel.prefixlen_d < bits || destinations.has(formatAddress(readAddress(sel.daddr, sel.family)))
}

/** Policies of ours that would let packets pass in clear while SAs are away, as ones that do not. */
export function strictSteps(policies: readonly InstalledPolicy[]): Step[] {
  return lenientOnes(policies).map((from): Step => ({ kind: 'update', from, to: strictForm(asWanted(from)) }))
}
