/**
 * Rules that never decide, for one that is asked before is about all of their packets. Pure.
 *
 * @module
 */

import { ICMP_ANY } from '../explain/match.ts'
import type { Candidate } from '../explain/order.ts'
import { hasPorts, isIcmp } from '../explain/packet.ts'
import { type Prefix, prefixContains } from '../model/address.ts'
import type { IcmpRange } from '../model/policy.ts'

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
