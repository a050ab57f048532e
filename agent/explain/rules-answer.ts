/**
 * What becomes of a packet by the rules alone: Solaris's answer.
 *
 * @module
 */
import { type Pin, pinnedRules } from '../latch/pins.ts'
import { type Address, sameAddress } from '../model/address.ts'
import { familiesOf } from '../model/entries.ts'
import { type Protection, type Rule, reachableActions } from '../model/policy.ts'
import type { LoadedRule } from '../reconcile/policy-state.ts'
import type { ClearMessages } from '../translate/frame.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import type { Tunnel } from '../translate/tunnels.ts'
import {
  fittingAssociations,
  isClear,
  isExactly,
  type Wrapping,
  wrappingFor,
  wrappingsOf,
} from './associations.ts'
import { type Exception, exceptionFor, isToleratedIcmp } from './exceptions.ts'
import { type Candidate, type Considered, candidatesOf, consider, type RuleSet } from './order.ts'
import type { Packet, Passage } from './packet.ts'

/** What the rules are asked with. */
export interface RuleFacts {
  /** In order of position. */
  readonly rules: readonly LoadedRule[]
  readonly tunnels: ReadonlyMap<string, Tunnel>
  readonly localAddresses: readonly Address[]
  /** SAs of ours, the newest first. */
  readonly associations: readonly KernelAssociation[]
  readonly clearMessages: ClearMessages
  /** Established connections that keep the policy that they began under. */
  readonly pins: readonly Pin[]
}

/** What decides. */
export type Decider =
  | { readonly kind: 'rule'; readonly candidate: Candidate }
  | { readonly kind: 'exception'; readonly exception: Exception }
  /** Latching: the packet is one of a connection that began under other rules, which hold for it still. */
  | { readonly kind: 'latched'; readonly rule: Rule }
  /** No rule is about the packet: one of the host passes in clear, one of a tunnel with rules is dropped. */
  | { readonly kind: 'none' }

/** What becomes of a packet that leaves. */
export type Departure =
  | { readonly kind: 'clear'; readonly why: 'exception' | 'no rule' | 'bypass' | 'no SA' }
  /** @property alternative - number of the rule's action, from 0 */
  | { readonly kind: 'protected'; readonly alternative: number; readonly wrapping: Wrapping }
  | { readonly kind: 'dropped'; readonly why: 'rule' | 'no rule' }
  /** Protection is asked for, and there is no SA. */
  | { readonly kind: 'held' }

export type ArrivalReason =
  | 'exception'
  | 'no rule'
  | 'bypass'
  /** ICMP that is let in although protection is asked for. */
  | 'clear ICMP'
  | 'as asked'
  /** Protected, and no rule asks for that. */
  | 'not asked for'
  | 'not as asked'
  | 'drop'

/** A way in which a packet can arrive, and whether it is let in. */
export interface Arrival {
  readonly wrapping: Wrapping
  readonly isAccepted: boolean
  readonly why: ArrivalReason
}

export interface RulesAnswer {
  readonly set: RuleSet
  readonly considered: Considered
  readonly decider: Decider
  /** Present for packets on their way out. */
  readonly departure?: Departure
  /** Present for packets on their way in: in clear first, then under the SAs that there are. */
  readonly arrivals?: readonly Arrival[]
}

/** Which rules are asked for a packet. */
export function ruleSetFor({ tunnel }: Passage, rules: readonly LoadedRule[]): RuleSet {
  const isTunnelSet = rules.some(
    ({ rule }) => rule.tunnel?.mode === 'tunnel' && rule.tunnel.name === tunnel?.name,
  )
  return tunnel && isTunnelSet ? { kind: 'tunnel', name: tunnel.name } : { kind: 'host' }
}

/** Asks the rules. */
export function askRules(packet: Packet, passage: Passage, facts: RuleFacts): RulesAnswer {
  const { rules, tunnels, localAddresses, associations, clearMessages, pins } = facts
  const set = ruleSetFor(passage, rules)
  const route = set.kind === 'tunnel' ? passage : withoutTunnel(passage)
  const considered = consider(candidatesOf(rules, set, tunnels), packet, passage.way)
  const exception = exceptionFor(packet, route, localAddresses, clearMessages)
  const { winner } = considered
  const latched = latchedRule(packet, route, pins)
  const decider: Decider = exception
    ? { kind: 'exception', exception }
    : latched
      ? { kind: 'latched', rule: latched }
      : winner
        ? { kind: 'rule', candidate: winner }
        : { kind: 'none' }
  const fitting = fittingAssociations(associations, packet, route)
  const about = { set, considered, decider }
  if (route.way === 'out') {
    return { ...about, departure: departureOf(decider, fitting, route.tunnel) }
  }
  // Where no rule is about a family, solipsec has nothing to do with its packets.
  const isConcerned = rules.some(({ rule }) =>
    rule.selector.pairs.some((pair) => familiesOf(pair).includes(packet.family)),
  )
  const isKnownWhole = isConcerned && !exception
  const wrappings = isKnownWhole ? wrappingsOf(fitting) : [{}]
  return {
    ...about,
    arrivals: wrappings.map((wrapping) => arrivalOf(decider, wrapping, packet, route.tunnel, clearMessages)),
  }
}

function withoutTunnel({ tunnel: _, ...rest }: Passage): Passage {
  return rest
}

function departureOf(
  decider: Decider,
  fitting: ReturnType<typeof fittingAssociations>,
  tunnel: Tunnel | undefined,
): Departure {
  if (decider.kind === 'exception') return { kind: 'clear', why: 'exception' }
  if (decider.kind === 'none')
    return tunnel ? { kind: 'dropped', why: 'no rule' } : { kind: 'clear', why: 'no rule' }
  const reachable = reachableActions(decidingRule(decider)?.actions ?? [])
  if (reachable.length === 0) return { kind: 'dropped', why: 'rule' }
  for (const [alternative, action] of reachable.entries()) {
    if (action.kind !== 'protect') continue
    const wrapping = wrappingFor(action.protection, fitting, tunnel?.endpoints)
    if (wrapping) return { kind: 'protected', alternative, wrapping }
  }
  if (!reachable.some(({ kind }) => kind === 'bypass')) return { kind: 'held' }
  return { kind: 'clear', why: reachable.length === 1 ? 'bypass' : 'no SA' }
}

function arrivalOf(
  decider: Decider,
  wrapping: Wrapping,
  packet: Packet,
  tunnel: Tunnel | undefined,
  { icmp }: ClearMessages,
): Arrival {
  const accepted = (why: ArrivalReason): Arrival => ({ wrapping, isAccepted: true, why })
  const refused = (why: ArrivalReason): Arrival => ({ wrapping, isAccepted: false, why })
  const inClear = isClear(wrapping)
  if (decider.kind === 'exception') return accepted('exception')
  if (decider.kind === 'none') {
    if (tunnel) return refused('no rule')
    return inClear ? accepted('no rule') : refused('not asked for')
  }
  const reachable = reachableActions(decidingRule(decider)?.actions ?? [])
  const protections = reachable.flatMap((action) => (action.kind === 'protect' ? [action.protection] : []))
  if (inClear && reachable.some(({ kind }) => kind === 'bypass')) return accepted('bypass')
  if (icmp && inClear && !tunnel && protections.length > 0 && isToleratedIcmp(packet))
    return accepted('clear ICMP')
  if (protections.some((one) => isExactly(one, wrapping, tunnel?.endpoints))) return accepted('as asked')
  if (reachable.length === 0) return refused('drop')
  return refused(protections.length === 0 ? 'not asked for' : 'not as asked')
}

/** The rule whose actions count; `undefined` where none decides. */
export function decidingRule(decider: Decider): Rule | undefined {
  if (decider.kind === 'rule') return decider.candidate.rule
  return decider.kind === 'latched' ? decider.rule : undefined
}

/** What the connection of a packet is latched to, in the packet's direction. */
function latchedRule(
  packet: Packet,
  { way, isForwarded, tunnel }: Passage,
  pins: readonly Pin[],
): Rule | undefined {
  if (isForwarded || tunnel) return undefined
  const pin = pins.find(
    ({ isEnded, protocol, local, remote, localPort, remotePort }) =>
      !isEnded &&
      protocol === packet.protocol &&
      localPort === packet.localPort &&
      remotePort === packet.remotePort &&
      sameAddress(local, packet.local) &&
      sameAddress(remote, packet.remote),
  )
  return pin && pinnedRules([pin]).rules.find(({ direction }) => direction === way)
}

/** What the rule that decides asks for, in order of preference. */
export function protectionsOf(rule: Rule): Protection[] {
  return reachableActions(rule.actions).flatMap((action) =>
    action.kind === 'protect' ? [action.protection] : [],
  )
}
