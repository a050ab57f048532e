/**
 * Rules to kernel policies.
 *
 * One rule and address pair becomes, for each family and selector: an outbound policy with the templates of the
 * chosen combination, and inbound either one policy whose templates say all, or, where that would let through
 * more than the rule does, one policy for each accepted combination (told apart by the packet mark, see
 * `marks.ts`) followed by one that refuses the rest.
 *
 * @module
 */
import { family as af, dir } from '../../netlink/xfrm/constants.ts'
import type { Mark, Selector } from '../../netlink/xfrm/structs.ts'
import { type Family, hostPrefix } from '../model/address.ts'
import { familiesOf } from '../model/entries.ts'
import { append } from '../model/lists.ts'
import { type AddressPair, type Rule, reachableActions } from '../model/policy.ts'
import { type Choice, chooseForTunnel, chooseOutbound, type Peers } from './choice.ts'
import { clearIcmpSelectors } from './clear-icmp.ts'
import { combinationMark } from './combinations.ts'
import { allow, block, type KernelPolicy } from './kernel-policy.ts'
import type { MarkLayout } from './marks.ts'
import {
  priorityOf,
  SLOT_EXCEPTION,
  SLOT_REFUSE,
  SLOT_RULE,
  SLOT_SATELLITE,
  SLOT_WIDE_SATELLITE,
} from './priorities.ts'
import { selectorPairs } from './selectors.ts'
import type { Terms, TermsTable } from './terms.ts'
import { type Tunnel, TunnelRuleError, tunnelOf } from './tunnels.ts'

/** One address pair of a rule, with its place among all others. */
export interface PlacedRule {
  readonly rule: Rule
  readonly pair: AddressPair
  readonly position: number
  /** First priority of its own; absent: what follows from its actions and position. */
  readonly base?: number
}

/** What the translation of one rule needs to know of everything else. */
export interface PolicyContext {
  readonly terms: TermsTable
  /** Absent where no mark bits may be used: rules are then narrowed to one alternative, never widened. */
  readonly marks: MarkLayout | undefined
  /** This host forwards packets: outbound policies leave out those that nftables marked as forwarded. */
  readonly forwarding: boolean
  readonly peers: Peers
  readonly tunnels: ReadonlyMap<string, Tunnel>
  /** Some rule drops ICMP, so each rule that protects has exceptions of its own for clear ICMP. */
  readonly acceptsClearIcmpByRule: boolean
}

/** A placed rule, with all that its policies have in common worked out. */
interface Plan {
  readonly base: number
  readonly terms: Terms
  readonly choice: Choice
  readonly outMark: Mark | undefined
}

/** Appends the policies of one placed rule. */
export function addPolicies(placed: PlacedRule, context: PolicyContext, policies: KernelPolicy[]): void {
  const { rule, pair } = placed
  const plan = planOf(placed, context)
  for (const family of familiesOf(pair)) {
    for (const selectors of selectorPairs(rule.selector, pair, family)) {
      if (rule.direction !== 'in') policies.push(outbound(plan, selectors.out, family))
      if (rule.direction === 'out') continue
      if (plan.terms.tunnel) policies.push(...fromTunnel(plan, rule, context, selectors.in, family))
      else addInbound(plan, context, selectors.in, family, policies)
    }
  }
  if (rule.direction !== 'in' && plan.choice.exceptions.length > 0) {
    append(policies, satellites(plan, placed, context))
  }
  if (context.acceptsClearIcmpByRule) policies.push(...clearIcmp(plan, placed, context))
}

function planOf({ rule, pair, position, base }: PlacedRule, context: PolicyContext): Plan {
  const tunnel = tunnelOf(rule, context.tunnels)
  const terms = context.terms.get(rule.actions, tunnel)
  const { acceptance } = terms
  return {
    base: base ?? priorityOf(terms.band, position),
    terms,
    choice: tunnel
      ? chooseForTunnel(acceptance, tunnel.endpoints, context.peers)
      : chooseOutbound(acceptance, pair, context.peers),
    // A tunnel is entered by forwarded packets too; a host rule is about this host's own packets only.
    outMark:
      context.forwarding && context.marks && !tunnel ? { v: 0, m: context.marks.forwarded } : undefined,
  }
}

function outbound(plan: Plan, selector: Selector, family: Family): KernelPolicy {
  const { main } = plan.choice
  const { tunnel, acceptance } = plan.terms
  const sel = tunnel && !isKnownByAddress(selector) ? { ...selector, ifindex: tunnel.ifindex } : selector
  const priority = plan.base + SLOT_RULE
  if (main) return allow(dir.OUT, sel, priority, plan.terms.outTemplates(main, family), plan.outMark)
  const verdict = acceptance.clear ? allow(dir.OUT, sel, priority) : block(dir.OUT, sel, priority)
  return plan.outMark ? { ...verdict, mark: plan.outMark } : verdict
}

/**
 * The kernel knows the interface that IPv6 packets of its own leave by only after it has looked for a policy. Where
 * a tunnel rule names the other side's addresses, they say enough.
 */
function isKnownByAddress({ family, prefixlen_d }: Selector): boolean {
  return family === af.INET6 && prefixlen_d > 0
}

/**
 * Policies for pairs of hosts that have SAs of another alternative than the rest. Without marks, which would let
 * the rule accept every alternative inbound, they are needed for both directions.
 */
function satellites(plan: Plan, { rule, pair }: PlacedRule, { marks }: PolicyContext): KernelPolicy[] {
  return plan.choice.exceptions.flatMap(({ peer, combination }) => {
    const { family } = peer.remote
    const priority = plan.base + (peer.local ? SLOT_SATELLITE : SLOT_WIDE_SATELLITE)
    const local = peer.local ? hostPrefix(peer.local) : pair.local
    const ends = { ...(local && { local }), remote: hostPrefix(peer.remote) }
    return selectorPairs(rule.selector, ends, family).flatMap((sel) => {
      const tmpl = plan.terms.outTemplates(combination, family)
      const out = allow(dir.OUT, sel.out, priority, tmpl, plan.outMark)
      if (marks || rule.direction === 'out') return [out]
      return [out, allow(dir.IN, sel.in, priority, plan.terms.inTemplates(combination, family))]
    })
  })
}

/** Before a rule that asks for protection: ICMP that may come in clear from its other side. */
function clearIcmp(plan: Plan, { rule, pair }: PlacedRule, { marks }: PolicyContext): KernelPolicy[] {
  const { acceptance, tunnel } = plan.terms
  const protects = !acceptance.clear && reachableActions(rule.actions).length > 0
  if (rule.direction === 'out' || tunnel || !protects) return []
  const mark = marks && combinationMark({}, marks)
  return familiesOf(pair)
    .flatMap((family) => clearIcmpSelectors(family, rule.selector, pair))
    .map((sel) => allow(dir.IN, sel, plan.base + SLOT_EXCEPTION, undefined, mark))
}

/** Lets in exactly what the rule accepts. */
function addInbound(
  plan: Plan,
  { marks }: PolicyContext,
  sel: Selector,
  family: Family,
  policies: KernelPolicy[],
): void {
  const { terms } = plan
  const { combinations, clear } = terms.acceptance
  const priority = plan.base + SLOT_RULE
  if (!clear && combinations.length === 0) policies.push(block(dir.IN, sel, priority))
  else if (!marks || terms.exactWithoutMark) {
    const { main } = plan.choice
    const tmpl = clear || !main ? undefined : terms.inTemplates(main, family)
    policies.push(allow(dir.IN, sel, priority, tmpl))
  } else {
    for (const { mark, tmpl } of terms.admissions(marks, family)) {
      policies.push(allow(dir.IN, sel, priority, tmpl, mark))
    }
    policies.push(block(dir.IN, sel, plan.base + SLOT_REFUSE))
  }
}

/**
 * Lets in, and through, what comes out of a tunnel's SAs. Nothing is refused here: these selectors may be those of
 * other traffic too, the tunnel's clear packets are fenced off as a whole (`tunnels.ts`), and packets out of a
 * tunnel SA that no policy admits are dropped by the kernel.
 */
function fromTunnel(
  plan: Plan,
  rule: Rule,
  { marks }: PolicyContext,
  sel: Selector,
  family: Family,
): KernelPolicy[] {
  const { main } = plan.choice
  if (!main) return []
  if (!marks && sel.prefixlen_s === 0 && sel.prefixlen_d === 0) {
    throw new TunnelRuleError(
      rule,
      'without mark bits, a tunnel rule for all addresses would hold all other traffic to it.',
      'name inner addresses in the rule, or leave some mark bits to solipsec',
    )
  }
  const admissions = marks
    ? plan.terms.admissions(marks, family)
    : [{ mark: undefined, tmpl: plan.terms.inTemplates(main, family) }]
  return [dir.IN, dir.FWD].flatMap((direction) =>
    admissions.map(({ mark, tmpl }) => allow(direction, sel, plan.base + SLOT_RULE, tmpl, mark)),
  )
}
