/**
 * Which rule decides for a packet, what becomes of it by the rules and by the kernel's tables, and whether the two agree.
 * Pure.
 *
 * @module
 */
import type { PolicyPlan } from '../reconcile/plan.ts'
import { hasFlowAssociations, pathOf } from './associations.ts'
import { completions } from './cases.ts'
import { type Agreement, compareArrival, compareDeparture } from './compare.ts'
import { type Drift, driftFor } from './drift.ts'
import { hostException } from './exceptions.ts'
import {
  type ArrivalAnswer,
  askArrival,
  askDeparture,
  type DepartureAnswer,
  type KernelTables,
} from './kernel-answer.ts'
import { candidatesOf, consider } from './order.ts'
import {
  isWithItself,
  type OpenPart,
  outerPacket,
  type Packet,
  type PartialPacket,
  type Passage,
} from './packet.ts'
import { askRules, type RuleFacts, type RulesAnswer, ruleSetFor } from './rules-answer.ts'

/** What is asked in. */
export interface Situation extends RuleFacts {
  /** Mark bits tell protection classes apart. */
  readonly hasMarks: boolean
  /** What the kernel has, or why that is not known. */
  readonly kernel: KernelTables | { readonly unknown: string }
  /** From what the kernel has to what the rules ask for; absent where it was not worked out. */
  readonly drift?: PolicyPlan
}

/** What the kernel's tables say. */
export interface KernelAnswer {
  readonly departure?: DepartureAnswer
  /** As those of the rules. */
  readonly arrivals?: readonly ArrivalAnswer[]
  /** Over IPv4, the kernel does not ask policy for what a host sends to itself. */
  readonly isNotAsked?: boolean
}

/** The answer for one packet. */
export interface Explanation {
  readonly packet: Packet
  readonly passage: Passage
  readonly rules: RulesAnswer
  /** Absent where the tables are not known. */
  readonly kernel?: KernelAnswer
  readonly agreement?: Agreement
  readonly drift: readonly Drift[]
}

/** One of the packets that a question with open parts is about. */
export interface Case {
  /** The parts that were left open, and have these values here. Empty: the packet was asked about as it is. */
  readonly assumed: readonly OpenPart[]
  readonly explanation: Explanation
}

export interface Answer {
  /** The packet inside goes through a tunnel whose own packets the rules are about: the answer is about those. */
  readonly carried?: PartialPacket
  /** For the packets that no narrower rule is about; absent where there are none. */
  readonly main?: Case
  /** For rules that are about some of the packets only, in the order of asking. */
  readonly narrower: readonly Case[]
}

/** Explains a packet of which parts may be left open. */
export function explain(asked: PartialPacket, passage: Passage, situation: Situation): Answer {
  const { packet, route, isCarried } = throughTunnel(asked, passage, situation)
  const { rules, tunnels } = situation
  const candidates = candidatesOf(rules, ruleSetFor(route, rules), tunnels)
  // Where an exception holds whatever the open parts are, no rule is asked.
  const isExempt = hostException(packet, route, situation.localAddresses) !== undefined
  const { asked: inTurn } = consider(isExempt ? [] : candidates, packet, route.way)
  const { main, narrower } = completions(packet, inTurn)
  const caseOf = ({ assumed, packet: complete }: { assumed: readonly OpenPart[]; packet: Packet }): Case => ({
    assumed,
    explanation: explainPacket(complete, route, situation),
  })
  return {
    ...(isCarried && { carried: asked }),
    ...(main && { main: caseOf(main) }),
    narrower: narrower.map(caseOf),
  }
}

/** Rules of `negotiate transport` are about what the interface sends, not about what is routed into it. */
function throughTunnel(asked: PartialPacket, passage: Passage, { rules }: Situation) {
  const { tunnel } = passage
  const isTransport =
    tunnel && rules.some(({ rule }) => rule.tunnel?.mode === 'transport' && rule.tunnel.name === tunnel.name)
  if (!isTransport) return { packet: asked, route: passage, isCarried: false }
  // What the interface sends is this host's own packet, also where it carries one that is passed on.
  const route: Passage = { way: passage.way, isForwarded: false, ifindex: 0 }
  return { packet: outerPacket(asked, tunnel), route, isCarried: true }
}

/** Explains one whole packet. */
export function explainPacket(packet: Packet, passage: Passage, situation: Situation): Explanation {
  const rules = askRules(packet, passage, situation)
  const drift = situation.drift ? driftFor(situation.drift, packet, passage) : []
  const about = { packet, passage, rules, drift }
  if ('unknown' in situation.kernel) return about
  if (packet.family === 'inet' && isWithItself(packet, situation.localAddresses)) {
    return { ...about, kernel: { isNotAsked: true }, agreement: 'same' }
  }
  const kernel = askKernel(packet, passage, rules, situation.kernel)
  const agreement = agreementOf(packet, passage, rules, kernel, situation)
  // Without nft, a host's IPv6 traffic with itself is held to the rules; a warning has told so.
  const isOwn = rules.decider.kind === 'exception' && rules.decider.exception === 'own'
  return { ...about, kernel, agreement: isOwn && agreement === 'different' ? 'reserved' : agreement }
}

function askKernel(
  packet: Packet,
  passage: Passage,
  { departure, arrivals = [] }: RulesAnswer,
  tables: KernelTables,
): KernelAnswer {
  if (departure) return { departure: askDeparture(packet, passage, tables) }
  return { arrivals: arrivals.map(({ wrapping }) => askArrival(packet, passage, pathOf(wrapping), tables)) }
}

function agreementOf(
  packet: Packet,
  { tunnel }: Passage,
  { departure, arrivals = [], decider, set }: RulesAnswer,
  kernel: KernelAnswer,
  { hasMarks, associations }: Situation,
): Agreement {
  if (departure && kernel.departure) {
    const hasFlows = hasFlowAssociations(associations, packet)
    const endpoints = set.kind === 'tunnel' ? tunnel?.endpoints : undefined
    return compareDeparture(departure, kernel.departure.departure, { decider, tunnel: endpoints, hasFlows })
  }
  return worst(
    arrivals.map((arrival, i) => {
      const answer = kernel.arrivals?.[i]
      return answer ? compareArrival(arrival, answer, hasMarks) : 'same'
    }),
  )
}

function worst(agreements: readonly Agreement[]): Agreement {
  return (['different', 'reserved'] as const).find((one) => agreements.includes(one)) ?? 'same'
}

/** True where the kernel does otherwise than the rules say, in some case. */
export function isDifferent({ main, narrower }: Answer): boolean {
  return [main, ...narrower].some((one) => one?.explanation.agreement === 'different')
}
