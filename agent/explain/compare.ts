/**
 * Whether the kernel does with a packet what the rules say.
 *
 * @module
 */
import type { KernelAssociation } from '../translate/read-association.ts'
import type { TunnelEndpoints } from '../translate/requirements.ts'
import { isClear, isExactly, type Wrapping } from './associations.ts'
import type { ArrivalAnswer, KernelDeparture } from './kernel-answer.ts'
import { type Arrival, type Decider, type Departure, decidingRule, protectionsOf } from './rules-answer.ts'

/**
 * `reserved`: not the same, but within what is known of Linux: it chooses among alternatives for two hosts, not for
 * each flow; and without mark bits it lets in protection that was not asked for.
 */
export type Agreement = 'same' | 'reserved' | 'different'

export interface DepartureContext {
  readonly decider: Decider
  readonly tunnel: TunnelEndpoints | undefined
  /** SAs for single flows are between these hosts. */
  readonly hasFlows: boolean
}

export function compareDeparture(
  byRules: Departure,
  byKernel: KernelDeparture,
  { decider, tunnel, hasFlows }: DepartureContext,
): Agreement {
  const rule = decidingRule(decider)
  const protections = rule ? protectionsOf(rule) : []
  if (isSameDeparture(byRules, byKernel, decider, tunnel)) return 'same'
  if (!hasFlows || !rule) return 'different'
  // The choice was made for all flows of these hosts at once. It is one that the rule allows.
  if (byKernel.kind === 'held') return 'reserved'
  if (byKernel.kind === 'clear') {
    return rule.actions.some(({ kind }) => kind === 'bypass') ? 'reserved' : 'different'
  }
  if (byKernel.kind === 'blocked') return 'different'
  const wrapping = wrappingOf(byKernel.associations)
  return protections.some((one) => isExactly(one, wrapping, tunnel)) ? 'reserved' : 'different'
}

function isSameDeparture(
  byRules: Departure,
  byKernel: KernelDeparture,
  decider: Decider,
  tunnel: TunnelEndpoints | undefined,
): boolean {
  if (byRules.kind === 'clear') return byKernel.kind === 'clear'
  if (byRules.kind === 'dropped') return byKernel.kind === 'blocked'
  // A rule that no algorithm can satisfy blocks: it waits for SAs that cannot be.
  if (byRules.kind === 'held') return byKernel.kind === 'held' || byKernel.kind === 'blocked'
  if (byKernel.kind !== 'protected') return false
  const action = decidingRule(decider)?.actions[byRules.alternative]
  return action?.kind === 'protect' && isExactly(action.protection, wrappingOf(byKernel.associations), tunnel)
}

/** @param associations the innermost first */
export function wrappingOf(associations: readonly KernelAssociation[]): Wrapping {
  return Object.fromEntries(associations.map((one) => [one.content.protocol, one]))
}

/** @param hasMarks whether mark bits tell protection classes apart */
export function compareArrival(byRules: Arrival, byKernel: ArrivalAnswer, hasMarks: boolean): Agreement {
  if (byRules.isAccepted === byKernel.isAccepted) return 'same'
  return hasMarks || isClear(byRules.wrapping) ? 'different' : 'reserved'
}
