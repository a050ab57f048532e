/**
 * Rules that never decide, for one that is asked before is about all of their packets; and how many SAs there are for a rule.
 * Pure.
 *
 * @module
 */

import { ICMP_ANY } from '../explain/match.ts'
import type { Candidate } from '../explain/order.ts'
import { hasPorts, isIcmp } from '../explain/packet.ts'
import { type Address, isUnspecified, type Prefix, prefixContains } from '../model/address.ts'
import { type IcmpRange, reachableActions } from '../model/policy.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import { requirementsOf, satisfies, type TunnelEndpoints } from '../translate/requirements.ts'

/** With more rules than that, comparing each with each takes too long. */
const MOST_COMPARED = 3000

/**
 * @param candidates in the order of asking
 * @returns by hidden rule, the one that hides it
 */
export function hiddenRules(candidates: readonly Candidate[]): ReadonlyMap<Candidate, Candidate> {
  const hidden = new Map<Candidate, Candidate>()
  if (candidates.length > MOST_COMPARED) return hidden
  for (const [i, one] of candidates.entries()) {
    for (let k = 0; k < i; k++) {
      const before = candidates[k]
      if (!before || hidden.has(before) || !isWhollyCovered(one, before)) continue
      hidden.set(one, before)
      break
    }
  }
  return hidden
}

/** True where `wider` is about every packet that `narrower` is about. */
function isWhollyCovered({ rule, pair }: Candidate, { rule: wider, pair: around }: Candidate): boolean {
  const [one, other] = [rule.selector, wider.selector]
  if (wider.direction !== 'both' && wider.direction !== rule.direction) return false
  const family = pair.local?.family ?? pair.remote?.family
  if (!covers(around.local, pair.local, family) || !covers(around.remote, pair.remote, family)) return false
  if (other.protocol !== undefined && other.protocol !== one.protocol) return false
  const named = (port: number | undefined) => port !== undefined && port !== 0
  if (named(other.localPort) && other.localPort !== one.localPort) return false
  if (named(other.remotePort) && other.remotePort !== one.remotePort) return false
  // A port without a protocol is for those that have ports.
  const isForPorts =
    one.protocol === undefined ? named(one.localPort) || named(one.remotePort) : hasPorts(one.protocol)
  if ((named(other.localPort) || named(other.remotePort)) && !isForPorts) return false
  if ((other.icmpType || other.icmpCode) && (one.protocol === undefined || !isIcmp(one.protocol)))
    return false
  return spans(other.icmpType, one.icmpType) && spans(other.icmpCode, one.icmpCode)
}

function covers(
  wider: Prefix | undefined,
  narrower: Prefix | undefined,
  family: string | undefined,
): boolean {
  if (!wider) return true
  if (!narrower) return wider.length === 0 && wider.family === family
  return wider.length <= narrower.length && prefixContains(wider, narrower)
}

function spans(wider: IcmpRange | undefined, narrower: IcmpRange | undefined): boolean {
  if (!wider || wider.from === ICMP_ANY) return true
  if (!narrower || narrower.from === ICMP_ANY) return false
  return wider.from <= narrower.from && wider.to >= narrower.to
}

/**
 * The SAs, of either direction, that some alternative of a rule would take; 0 where each alternative lacks one of its headers.
 *
 * @returns `undefined` for a rule that asks for none
 */
export function countAssociations(
  { rule, pair }: Candidate,
  associations: readonly KernelAssociation[],
  tunnel: TunnelEndpoints | undefined,
): number | undefined {
  const alternatives = reachableActions(rule.actions).flatMap((action) =>
    action.kind === 'protect' ? [requirementsOf(action.protection, tunnel)] : [],
  )
  if (alternatives.length === 0) return undefined
  const between = associations.filter(({ association: { source, destination } }) => {
    if (tunnel) return true
    const isOut = isEnd(pair.local, source) && isEnd(pair.remote, destination)
    return isOut || (isEnd(pair.local, destination) && isEnd(pair.remote, source))
  })
  const found = new Set<KernelAssociation>()
  for (const requirements of alternatives) {
    const ofEach = requirements.map((one) => between.filter(({ content }) => satisfies(content, one)))
    if (ofEach.every((some) => some.length > 0)) for (const one of ofEach.flat()) found.add(one)
  }
  return found.size
}

/** An SA without a source is for every one. */
function isEnd(prefix: Prefix | undefined, address: Address): boolean {
  return !prefix || isUnspecified(address) || prefixContains(prefix, address)
}
