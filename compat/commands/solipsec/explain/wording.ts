/**
 * What becomes of a packet, in sentences.
 *
 * @module
 */

import { isClear, pathOf, type Wrapping } from '../../../../agent/explain/associations.ts'
import { wrappingOf } from '../../../../agent/explain/compare.ts'
import type { Exception } from '../../../../agent/explain/exceptions.ts'
import type { Explanation, Situation } from '../../../../agent/explain/explain.ts'
import type { KernelDeparture } from '../../../../agent/explain/kernel-answer.ts'
import { type ArrivalReason, decidingRule, type RulesAnswer } from '../../../../agent/explain/rules-answer.ts'
import type { AlgorithmTable } from '../../../../agent/model/algorithm.ts'
import { reachableActions } from '../../../../agent/model/policy.ts'
import { mode, proto } from '../../../../netlink/xfrm/constants.ts'
import { associationLine } from '../change/words.ts'

/** Why a packet passes whatever the rules say. */
export const EXCEPTIONS: Readonly<Record<Exception, string>> = {
  own: 'Both addresses are of this host: what it sends to itself is never protected.',
  forwarded:
    'This host only passes the packet on: rules of the host are about its own packets, and those of tunnels about what\n' +
    'goes through the tunnel.',
  'key management':
    'UDP 500 and 4500 of this host always pass: key management has to work before there are keys.',
  link: 'Neighbour discovery and multicast listener discovery always pass: without them the link does not work.',
  'multicast routing':
    'IGMP and PIM are let in in clear (igmp_accept_clear_messages, pim_accept_clear_messages).',
}

export const ARRIVAL_REASONS: Readonly<Record<ArrivalReason, string>> = {
  exception: 'always passes',
  'no rule': 'no rule is about it',
  bypass: 'the rule lets it pass in clear',
  'clear ICMP': 'ICMP that is let in although protection is asked for (icmp_accept_clear_messages)',
  'as asked': 'as asked',
  'not asked for': 'protected, and no rule asks for that',
  'not as asked': 'not as asked',
  drop: 'the rule drops it',
}

/** What a packet is wrapped in, outermost first. */
export function wrappingText(wrapping: Wrapping, algorithms: AlgorithmTable): string {
  if (isClear(wrapping)) return 'in clear'
  return pathOf(wrapping)
    .map(({ association }) => associationLine(association, algorithms))
    .join(', inside it ')
}

/** In one word, what becomes of the packet. */
export function fateOf({ departure, arrivals = [] }: RulesAnswer): {
  readonly word: string
  readonly isGood: boolean
} {
  if (departure) {
    const word = { clear: 'IN CLEAR', protected: 'PROTECTED', dropped: 'DROPPED', held: 'HELD BACK' }[
      departure.kind
    ]
    return { word, isGood: departure.kind === 'clear' || departure.kind === 'protected' }
  }
  const [clear] = arrivals
  if (clear?.isAccepted) return { word: 'LET IN IN CLEAR', isGood: true }
  if (arrivals.some(({ isAccepted }) => isAccepted)) return { word: 'LET IN IF PROTECTED', isGood: true }
  return { word: 'REFUSED', isGood: false }
}

/** The same in a sentence. */
export function fateSentence(
  { decider, departure, arrivals = [] }: RulesAnswer,
  algorithms: AlgorithmTable,
): string {
  if (departure) {
    switch (departure.kind) {
      case 'protected':
        return `It leaves under ${wrappingText(departure.wrapping, algorithms)}.`
      case 'held':
        return 'The rule asks for protection, and no SA gives it.'
      case 'dropped':
        return departure.why === 'rule'
          ? 'The rule drops it. A program that sends it gets EPERM.'
          : 'The tunnel has rules, and none of them is about it.'
      case 'clear':
        return CLEAR_DEPARTURES[departure.why]
    }
  }
  const [clear] = arrivals
  if (clear?.isAccepted) return clear.why === 'no rule' ? CLEAR_DEPARTURES['no rule'] : ''
  if (arrivals.some(({ isAccepted }) => isAccepted)) return 'In clear it is refused.'
  const isProtecting = reachableActions(decidingRule(decider)?.actions ?? []).length > 0
  return isProtecting ? 'In clear it is refused, and there is no SA that would let it in.' : ''
}

const CLEAR_DEPARTURES = {
  exception: '',
  'no rule': 'No rule is about it.',
  bypass: 'The rule lets it pass in clear.',
  'no SA': 'There is no SA, and the rule then lets it pass in clear.',
} as const

/** What happens, or would happen, without an SA; `undefined` where none is asked for. */
export function withoutSa({ rules, passage: { way } }: Explanation, larvalDrop: boolean): string | undefined {
  const { decider, departure } = rules
  const rule = decidingRule(decider)
  if (!rule) return undefined
  const reachable = reachableActions(rule.actions)
  if (!reachable.some(({ kind }) => kind === 'protect')) return undefined
  const lets = reachable.some(({ kind }) => kind === 'bypass')
  if (way === 'in') {
    return lets
      ? 'It is let in in clear (or pass).'
      : 'The other side cannot protect what it sends; in clear, it is refused here without a word to it.'
  }
  if (departure?.kind === 'dropped') return undefined
  if (lets) return 'It leaves in clear (or pass).'
  const wait = larvalDrop
    ? 'The packet is dropped: the program is not told, XfrmOutNoStates counts it, TCP sends it again.'
    : 'The packet waits for it (net.core.xfrm_larval_drop is 0).'
  return `The kernel asks key management for one (ACQUIRE; see ipseckey monitor). ${wait}`
}

/** What the kernel does with a packet that leaves, as a short clause. */
export function kernelFate(departure: KernelDeparture, algorithms: AlgorithmTable): string {
  switch (departure.kind) {
    case 'clear':
      return 'sends it IN CLEAR'
    case 'blocked':
      return 'drops it'
    case 'held': {
      const { missing } = departure
      const name = missing.id.proto === proto.AH ? 'AH' : 'ESP'
      const inMode = missing.mode === mode.TUNNEL ? ' in tunnel mode' : ''
      return `holds it back: there is no ${name} SA${inMode} with reqid 0x${missing.reqid.toString(16)}`
    }
    case 'protected':
      return `sends it under ${wrappingText(wrappingOf(departure.associations), algorithms)}`
  }
}

/** What is to be known beside the answer. */
export function notesFor(
  { kernel, agreement, rules: { decider } }: Explanation,
  { hasMarks }: Situation,
): string[] {
  const notes: string[] = []
  if (kernel?.isNotAsked) notes.push('Over IPv4 the kernel does not ask policy for such packets at all.')
  if (agreement === 'reserved' && decider.kind === 'exception') {
    notes.push("Without nft, this host's IPv6 traffic with itself is held to the rules.")
  } else if (agreement === 'reserved') {
    notes.push(
      hasMarks
        ? 'SAs for single flows are there: among alternatives the kernel chooses for two hosts, not for each flow.'
        : 'Without mark bits the kernel tolerates protection that was not asked for, and one alternative only.',
    )
  }
  return notes
}
