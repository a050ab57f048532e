/**
 * A whole set of rules as the kernel policies that carry it out.
 *
 * @module
 */
import { type Address, type Family, isLoopback } from '../model/address.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { SaProtocol } from '../model/association.ts'
import { familiesOf } from '../model/entries.ts'
import { greatest } from '../model/lists.ts'
import { type Rule, reachableActions } from '../model/policy.ts'
import { type OutboundAssociation, Peers } from './choice.ts'
import { type Alternatives, buildClasses, type ClassTable } from './classes.ts'
import { dropsInboundIcmp } from './clear-icmp.ts'
import { type ClearMessages, framePolicies } from './frame.ts'
import { type KernelPolicy, withoutShadowed } from './kernel-policy.ts'
import { fieldOf, type MarkLayout } from './marks.ts'
import { addPolicies, type PlacedRule, type PolicyContext } from './policies.ts'
import { requirementsOf, type SaKind } from './requirements.ts'
import { requirementOfKind } from './socket-kinds.ts'
import { TermsTable } from './terms.ts'
import { type Tunnel, transportRules, tunnelFence, tunnelOf } from './tunnels.ts'

/** What the rules' translation depends on besides the rules: facts about this host. */
export interface HostFacts {
  readonly algorithms: AlgorithmTable
  /** `undefined` = no mark bits may be used. */
  readonly marks: MarkLayout | undefined
  readonly forwarding: boolean
  readonly localAddresses: readonly Address[]
  readonly tunnels: ReadonlyMap<string, Tunnel>
  /** Netfilter drops what comes from outside under an IPv6 address of this host. */
  readonly guardsOwnAddresses: boolean
  /** Kinds of SAs that sockets are bound to; absent: none. */
  readonly socketKinds?: readonly SaKind[]
  /** What may come in clear although rules ask for protection. Absent: all of it, as Solaris has it at first. */
  readonly clearMessages?: ClearMessages
}

const ALL_CLEAR_MESSAGES: ClearMessages = { icmp: true, igmp: true, pim: true }

/** One rule accepts more kinds of SAs than the mark bits can tell apart. */
export class MarkCapacityError extends Error {
  constructor(protocol: SaProtocol, needed: number, capacity: number) {
    super(
      `a rule accepts ${needed} kinds of ${protocol.toUpperCase()} SAs that other rules tell apart, but the mark ` +
        `bits can tell only ${capacity} apart`,
    )
    this.name = 'MarkCapacityError'
  }
}

/**
 * The protection classes that a set of rules divides SAs into.
 *
 * @throws MarkCapacityError
 */
export function classesOf(rules: Iterable<Rule>, facts: HostFacts): ClassTable {
  const kinds = (facts.socketKinds ?? []).map(requirementOfKind)
  const classes = buildClasses(alternativesOfRules(rules, facts), facts.algorithms, kinds)
  for (const protocol of ['esp', 'ah'] as const) {
    const needed = Math.max(0, greatest(classes[protocol].map(({ colour }) => colour)))
    const capacity = facts.marks && fieldOf(facts.marks, protocol).capacity
    if (capacity !== undefined && needed > capacity) throw new MarkCapacityError(protocol, needed, capacity)
  }
  return classes
}

/** Rules share lists of actions: each list is looked at once. */
function* alternativesOfRules(rules: Iterable<Rule>, facts: HostFacts): Generator<Alternatives> {
  const seen = new Map<Tunnel | undefined, Set<Rule['actions']>>()
  for (const rule of rules) {
    const { tunnel: reference, actions } = rule
    const tunnel = reference?.mode === 'tunnel' ? tunnelOf(rule, facts.tunnels) : undefined
    const known = seen.get(tunnel) ?? new Set()
    if (known.has(actions)) continue
    seen.set(tunnel, known.add(actions))
    yield reachableActions(actions).flatMap((action) =>
      action.kind === 'protect' ? [requirementsOf(action.protection, tunnel?.endpoints)] : [],
    )
  }
}

/**
 * Every policy for these rules, the frame included. No rules, no policies: an empty set leaves the host as if
 * solipsec were not there.
 *
 * @param associations SAs that this host may send with, for rules with several alternatives
 */
export function translatePolicySet(
  placed: readonly PlacedRule[],
  classes: ClassTable,
  associations: Iterable<OutboundAssociation>,
  facts: HostFacts,
): readonly KernelPolicy[] {
  if (placed.length === 0) return []
  const { marks, forwarding, tunnels, clearMessages = ALL_CLEAR_MESSAGES } = facts
  const terms = new TermsTable(classes)
  const byRule = clearMessages.icmp && placed.some(({ rule }) => dropsInboundIcmp(rule))
  const peers = new Peers(associations)
  const context: PolicyContext = {
    terms,
    marks,
    forwarding,
    tunnels,
    peers,
    acceptsClearIcmpByRule: byRule,
  }
  const policies: KernelPolicy[] = []
  const families = new Set<Family>()
  const fenced = new Set<Tunnel>()
  const translate = (one: PlacedRule): void => {
    for (const family of familiesOf(one.pair)) families.add(family)
    const tunnel = tunnelOf(one.rule, tunnels)
    if (tunnel) fenced.add(tunnel)
    addPolicies(one, context, policies)
  }
  for (const one of placed) {
    if (one.rule.tunnel?.mode === 'transport') overTransportTunnel(one, tunnels).forEach(translate)
    else translate(one)
  }
  for (const tunnel of fenced) policies.push(...tunnelFence(tunnel))
  const frame = framePolicies({
    classes,
    marks,
    families: [...families].sort(),
    ownAddresses: facts.localAddresses.filter((one) => facts.guardsOwnAddresses || isLoopback(one)),
    clearMessages: { ...clearMessages, icmp: clearMessages.icmp && !byRule },
  })
  return withoutShadowed(frame.concat(policies))
}

/** A `negotiate transport` rule is about the tunnel's outer packets: a host rule between its ends. */
function overTransportTunnel(placed: PlacedRule, tunnels: HostFacts['tunnels']): PlacedRule[] {
  const { rule, position } = placed
  const tunnel = tunnelOf(rule, tunnels)
  return tunnel ? transportRules(rule, tunnel).map((outer) => ({ ...outer, position })) : [placed]
}
