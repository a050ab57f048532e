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
import { dir } from '../../netlink/xfrm/constants.ts'
import type { Mark, Selector } from '../../netlink/xfrm/structs.ts'
import { type Family, hostPrefix } from '../model/address.ts'
import { familiesOf } from '../model/entries.ts'
import type { AddressPair, Rule } from '../model/policy.ts'
import { type Choice, chooseForTunnel, chooseOutbound, type Peers } from './choice.ts'
import { reqidsOf } from './combinations.ts'
import { allow, block, type KernelPolicy, type PolicyDirection } from './kernel-policy.ts'
import type { MarkLayout } from './marks.ts'
import { priorityOf, SLOT_REFUSE, SLOT_RULE, SLOT_SATELLITE, SLOT_WIDE_SATELLITE } from './priorities.ts'
import { selectorPairs } from './selectors.ts'
import type { Terms, TermsTable } from './terms.ts'
import type { Tunnel } from './tunnels.ts'

/** One address pair of a rule, with its place among all others. */
export interface PlacedRule {
  readonly rule: Rule
  readonly pair: AddressPair
  readonly position: number
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
}

/** A placed rule, with all that its policies have in common worked out. */
interface Plan {
  readonly base: number
  readonly terms: Terms
  readonly choice: Choice
  readonly outMark: Mark | undefined
}

/** The policies of one placed rule. */
export function policiesOf(placed: PlacedRule, context: PolicyContext): KernelPolicy[] {
  const { rule, pair } = placed
  const plan = planOf(placed, context)
  const policies: KernelPolicy[] = []
  for (const family of familiesOf(pair)) {
    for (const selectors of selectorPairs(rule.selector, pair, family)) {
      if (rule.direction !== 'in') policies.push(outbound(plan, selectors.out, family))
      if (rule.direction !== 'out') policies.push(...inbound(plan, context, selectors.in, family))
    }
  }
  if (rule.direction !== 'in') policies.push(...satellites(plan, placed, context))
  return policies
}

function planOf({ rule, pair, position }: PlacedRule, context: PolicyContext): Plan {
  const tunnel = rule.tunnel && context.tunnels.get(rule.tunnel.name)
  const terms = context.terms.get(rule.actions, tunnel)
  return {
    base: priorityOf(terms.band, position),
    terms,
    choice: tunnel
      ? chooseForTunnel(terms.acceptance, tunnel.endpoints, context.peers)
      : chooseOutbound(terms.acceptance, pair, context.peers),
    // A tunnel is entered by forwarded packets too; a host rule is about this host's own packets only.
    outMark:
      context.forwarding && context.marks && !tunnel ? { v: 0, m: context.marks.forwarded } : undefined,
  }
}

function outbound(plan: Plan, selector: Selector, family: Family): KernelPolicy {
  const { main } = plan.choice
  const { tunnel, acceptance } = plan.terms
  const sel = tunnel ? { ...selector, ifindex: tunnel.ifindex } : selector
  const priority = plan.base + SLOT_RULE
  if (main) return allow(dir.OUT, sel, priority, plan.terms.outTemplates(main, family), plan.outMark)
  const verdict = acceptance.clear ? allow(dir.OUT, sel, priority) : block(dir.OUT, sel, priority)
  return plan.outMark ? { ...verdict, mark: plan.outMark } : verdict
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
      return [out, allow(dir.IN, sel.in, priority, plan.terms.inTemplates(reqidsOf(combination), family))]
    })
  })
}

function inbound(plan: Plan, context: PolicyContext, selector: Selector, family: Family): KernelPolicy[] {
  const { acceptance, tunnel } = plan.terms
  if (!tunnel) return admit(plan, context, dir.IN, selector, family)
  // Clear packets of a tunnel are known by the interface that they come in on, protected ones by their SAs.
  const policies: KernelPolicy[] = []
  if (acceptance.combinations.length > 0) {
    policies.push(...admit(plan, context, dir.IN, selector, family))
    policies.push(...admit(plan, context, dir.FWD, selector, family))
  }
  if (acceptance.clear || acceptance.combinations.length === 0) {
    const verdict = acceptance.clear ? allow : block
    policies.push(verdict(dir.IN, { ...selector, ifindex: tunnel.ifindex }, plan.base + SLOT_RULE))
  }
  return policies
}

/** Lets in exactly what the rule accepts, but for a tunnel's clear packets. */
function admit(
  plan: Plan,
  { marks }: PolicyContext,
  direction: PolicyDirection,
  sel: Selector,
  family: Family,
): KernelPolicy[] {
  const { terms } = plan
  const { combinations, clear } = terms.admitted
  const priority = plan.base + SLOT_RULE
  if (!clear && combinations.length === 0) return [block(direction, sel, priority)]
  if (!marks || terms.exactWithoutMark) {
    const { main } = plan.choice
    const tmpl = clear || !main ? undefined : terms.inTemplates(reqidsOf(main), family)
    return [allow(direction, sel, priority, tmpl)]
  }
  const admitted = terms.admissions.map(({ mark, reqids }) =>
    allow(direction, sel, priority, terms.inTemplates(reqids, family), mark),
  )
  return [...admitted, block(direction, sel, plan.base + SLOT_REFUSE)]
}
