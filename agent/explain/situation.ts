/**
 * What a packet is explained in: the rules that are loaded and the tables of the kernel, or a configuration that is not
 * loaded and the tables that it would make.
 *
 * @module
 */
import { defaultPolicy } from '../../netlink/xfrm/defaults.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { SecurityAssociation } from '../model/association.ts'
import type { Rule } from '../model/policy.ts'
import type { TunableValues } from '../model/tunables.ts'
import { isOutboundOnly } from '../reconcile/association-status.ts'
import { outboundAssociations } from '../reconcile/classify.ts'
import type { HostNetwork } from '../reconcile/host.ts'
import { ConflictError } from '../reconcile/joint-plan.ts'
import { isOurState, policyIndex } from '../reconcile/ownership.ts'
import { type InstalledPolicy, type PolicyPlan, planPolicies } from '../reconcile/plan.ts'
import { emptyState, replaceRules, replaceTunables } from '../reconcile/policy-edit.ts'
import { placedRules, tunnelsFor } from '../reconcile/policy-state.ts'
import type { Session } from '../reconcile/session.ts'
import { clearMessagesFor, survey } from '../reconcile/survey.ts'
import { contentOf, newState } from '../translate/associations.ts'
import type { KernelPolicy } from '../translate/kernel-policy.ts'
import { DEFAULT_MARK_MASK, markLayout } from '../translate/marks.ts'
import { classesOf, MarkCapacityError, translatePolicySet } from '../translate/policy-set.ts'
import { type KernelAssociation, readState } from '../translate/read-association.ts'
import { TunnelRuleError } from '../translate/tunnels.ts'
import type { Situation } from './explain.ts'
import { inAskingOrder } from './kernel-answer.ts'

/** What is loaded in the namespace of a session. Changes nothing. @throws NetlinkError */
export function loadedSituation(session: Session): Situation {
  const { state, network } = session
  const { policies, associations } = session.tables()
  const drift = driftOf(session, policies)
  return {
    rules: state.rules,
    tunnels: tunnelsFor(state, network.tunnels),
    localAddresses: network.localAddresses,
    associations: associations.filter(({ reqid }) => isOurState(reqid)),
    hasMarks: markLayout(state.markMask) !== undefined,
    clearMessages: clearMessagesFor(state.tunables),
    pins: state.pins,
    kernel: {
      policies: inAskingOrder(policies),
      associations,
      forwardedMark: state.netfilter.forwardedMark,
      blocked: session.blockedByDefault(),
    },
    ...(drift && { drift }),
  }
}

/** `undefined` where the rules cannot be put into force as things are now, so that nothing can be said. */
function driftOf(session: Session, policies: readonly InstalledPolicy[]): PolicyPlan | undefined {
  try {
    return session.plan(session.state).reconciliation.plan
  } catch (error) {
    if (error instanceof ConflictError) {
      return { ...planPolicies([], policies), remove: [], conflicts: error.conflicts }
    }
    if (error instanceof TunnelRuleError || error instanceof MarkCapacityError) return undefined
    throw error
  }
}

/** A configuration that is not loaded. */
export interface Proposal {
  readonly rules: readonly Rule[]
  readonly associations: readonly SecurityAssociation[]
  readonly algorithms: AlgorithmTable
  /** Of this host, or what takes its place. */
  readonly network: HostNetwork
  /** It passes packets on, whatever this host does. */
  readonly isRouter?: boolean
  /** Those that are not as they are at first. */
  readonly tunables?: TunableValues
}

/** What would be, were this loaded on a host that has nothing else. Nothing is asked of the kernel. */
export function proposedSituation({
  rules,
  associations,
  algorithms,
  network,
  isRouter = false,
  tunables = {},
}: Proposal): Situation {
  const state = replaceTunables(replaceRules(emptyState(DEFAULT_MARK_MASK), rules, { kind: 'all' }), tunables)
  const surveyed = survey(state, network)
  const { localAddresses } = network
  const about = {
    rules: state.rules,
    tunnels: tunnelsFor(state, network.tunnels),
    localAddresses,
    hasMarks: true,
    clearMessages: clearMessagesFor(tunables),
    pins: [],
  }
  try {
    const forwarding = isRouter || surveyed.facts.forwarding
    const facts = { ...surveyed.facts, algorithms, forwarding }
    const classes = classesOf(rules, facts)
    const known = associations.flatMap((sa): KernelAssociation | [] => {
      const message = newState(sa, {
        protectionClass: classes.classOf(contentOf(sa)),
        marks: rules.length > 0 ? facts.marks : undefined,
        outboundOnly: isOutboundOnly(sa, localAddresses),
      })
      return readState(message) ?? []
    })
    // As in a dump: the last one of the file is the newest.
    known.reverse()
    const outbound = outboundAssociations(known, classes, { notes: new Map(), localAddresses })
    const policies = translatePolicySet(placedRules(state), classes, outbound, facts).map(asInstalled)
    const kernel = {
      policies: inAskingOrder(policies.reverse()),
      associations: known,
      forwardedMark: forwarding && facts.marks ? facts.marks.forwarded : 0,
      blocked: [],
    }
    return { ...about, associations: known, kernel }
  } catch (error) {
    if (!(error instanceof TunnelRuleError || error instanceof MarkCapacityError)) throw error
    return { ...about, associations: [], kernel: { unknown: error.message } }
  }
}

/** As the kernel would dump it, with a number of ours. */
function asInstalled(
  { dir, sel, priority, action, tmpl, mark }: KernelPolicy,
  serial: number,
): InstalledPolicy {
  const info = { ...defaultPolicy(), dir, sel, priority, action, index: policyIndex(serial + 1, dir) }
  return { info, tmpl, ifId: 0, ...(mark && { mark }) }
}
