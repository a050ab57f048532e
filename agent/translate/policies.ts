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
import type { Mark, Selector, UserTmpl } from '../../netlink/xfrm/structs.ts'
import { type Family, hostPrefix } from '../model/address.ts'
import type { AddressPair, Rule } from '../model/policy.ts'
import { type Choice, chooseOutbound, type Peers } from './choice.ts'
import type { ClassTable, Combination } from './classes.ts'
import {
  type Acceptance,
  acceptanceOf,
  combinationMark,
  isExactWithoutMark,
  templatesOf,
} from './combinations.ts'
import {
  ALLOW,
  BLOCK,
  DIR_FWD,
  DIR_IN,
  DIR_OUT,
  type KernelPolicy,
  NO_TEMPLATES,
  type PolicyDirection,
} from './kernel-policy.ts'
import type { MarkLayout } from './marks.ts'
import { bandOf, priorityOf, SLOT_REFUSE, SLOT_RULE, SLOT_SATELLITE } from './priorities.ts'
import { familiesOf, selectorPairs } from './selectors.ts'
import type { Tunnel } from './tunnels.ts'

/** One address pair of a rule, with its place among all others. */
export interface PlacedRule {
  readonly rule: Rule
  readonly pair: AddressPair
  readonly position: number
}

/** What the translation of one rule needs to know of everything else. */
export interface PolicyContext {
  readonly classes: ClassTable
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
  readonly tunnel: Tunnel | undefined
  readonly acceptance: Acceptance
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
  if (rule.direction !== 'in') policies.push(...satellites(plan, rule))
  return policies
}

function planOf({ rule, pair, position }: PlacedRule, context: PolicyContext): Plan {
  const tunnel = rule.tunnel && context.tunnels.get(rule.tunnel.name)
  const acceptance = acceptanceOf(rule.actions, context.classes, tunnel?.endpoints)
  return {
    base: priorityOf(bandOf(rule.actions), position),
    tunnel,
    acceptance,
    choice: chooseOutbound(acceptance.combinations, pair, context.peers),
    // A tunnel is entered by forwarded packets too; a host rule is about this host's own packets only.
    outMark: context.forwarding && context.marks && !tunnel ? { v: 0, m: context.marks.forwarded } : undefined,
  }
}

function outbound(plan: Plan, selector: Selector, family: Family): KernelPolicy {
  const { main } = plan.choice
  const sel = plan.tunnel ? { ...selector, ifindex: plan.tunnel.ifindex } : selector
  const action = main || plan.acceptance.clear ? ALLOW : BLOCK
  const tmpl = main ? outTemplates(plan, main, family) : NO_TEMPLATES
  return policy(DIR_OUT, sel, plan.base + SLOT_RULE, action, tmpl, plan.outMark)
}

/** Outbound policies for pairs of hosts that have SAs of another alternative than the rest. */
function satellites(plan: Plan, rule: Rule): KernelPolicy[] {
  return plan.choice.exceptions.flatMap(({ peer, combination }) => {
    const { family } = peer.local
    const pair = { local: hostPrefix(peer.local), remote: hostPrefix(peer.remote) }
    const tmpl = outTemplates(plan, combination, family)
    return selectorPairs(rule.selector, pair, family).map(({ out }) =>
      policy(DIR_OUT, out, plan.base + SLOT_SATELLITE, ALLOW, tmpl, plan.outMark),
    )
  })
}

function outTemplates({ tunnel, acceptance }: Plan, combination: Combination, family: Family): UserTmpl[] {
  const ends = tunnel && { source: tunnel.endpoints.local, destination: tunnel.endpoints.remote }
  return templatesOf(combination, family, ends, acceptance.clear)
}

function inbound(plan: Plan, context: PolicyContext, selector: Selector, family: Family): KernelPolicy[] {
  const { acceptance, tunnel } = plan
  if (!tunnel) return admit(plan, context, DIR_IN, selector, family)
  // Clear packets of a tunnel are known by the interface that they come in on, protected ones by their SAs.
  const fromTunnel = { ...selector, ifindex: tunnel.ifindex }
  const policies: KernelPolicy[] = []
  if (acceptance.combinations.length > 0) {
    const protectedOnly = { ...plan, acceptance: { ...acceptance, clear: false } }
    policies.push(...admit(protectedOnly, context, DIR_IN, selector, family))
    policies.push(...admit(protectedOnly, context, DIR_FWD, selector, family))
  }
  if (acceptance.clear || acceptance.combinations.length === 0) {
    const action = acceptance.clear ? ALLOW : BLOCK
    policies.push(policy(DIR_IN, fromTunnel, plan.base + SLOT_RULE, action, NO_TEMPLATES))
  }
  return policies
}

/** Lets in exactly what the rule accepts. */
function admit(
  plan: Plan,
  { classes, marks, peers: _ }: PolicyContext,
  dir: PolicyDirection,
  sel: Selector,
  family: Family,
): KernelPolicy[] {
  const { acceptance, base, choice } = plan
  const templates = (combination: Combination) => inTemplates(plan, combination, family)
  const { combinations, clear } = acceptance
  if (!clear && combinations.length === 0) return [policy(dir, sel, base + SLOT_RULE, BLOCK, NO_TEMPLATES)]
  if (!marks || isExactWithoutMark(acceptance, classes)) {
    const tmpl = clear || !choice.main ? NO_TEMPLATES : templates(choice.main)
    return [policy(dir, sel, base + SLOT_RULE, ALLOW, tmpl)]
  }
  const accepted = combinations.map((one) =>
    policy(dir, sel, base + SLOT_RULE, ALLOW, templates(one), combinationMark(one, marks)),
  )
  if (clear) accepted.push(policy(dir, sel, base + SLOT_RULE, ALLOW, NO_TEMPLATES, combinationMark({}, marks)))
  return [...accepted, policy(dir, sel, base + SLOT_REFUSE, BLOCK, NO_TEMPLATES)]
}

function inTemplates({ tunnel }: Plan, combination: Combination, family: Family): UserTmpl[] {
  const ends = tunnel && { source: tunnel.endpoints.remote, destination: tunnel.endpoints.local }
  return templatesOf(combination, family, ends, false)
}

function policy(
  dir: PolicyDirection,
  sel: Selector,
  priority: number,
  action: KernelPolicy['action'],
  tmpl: readonly UserTmpl[],
  mark?: Mark,
): KernelPolicy {
  return mark ? { dir, sel, priority, action, tmpl, mark } : { dir, sel, priority, action, tmpl }
}
