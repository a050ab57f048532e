/**
 * Selectors in the words of setkey's `spdadd`.
 *
 * @module
 */
import { PROTOCOLS_WITH_PORTS } from '../../../agent/model/policy.ts'
import type { Selector } from '../../../netlink/xfrm/structs.ts'
import { address, isIcmp, oneByOne } from '../kernel/words.ts'

/** The kernel's PF_KEY takes this number for all protocols, and 0 for all ports, types and codes. */
const ANY_PROTOCOL = 255

/**
 * A selector as several that have exact ICMP types and codes.
 *
 * @returns why it cannot be said, where it cannot
 */
export function exactSelectors(sel: Selector): readonly Selector[] | string {
  if (sel.proto === ANY_PROTOCOL) return 'to setkey, protocol 255 is all protocols'
  const hasPorts = sel.sport_mask !== 0 || sel.dport_mask !== 0
  if (hasPorts && !isIcmp(sel.proto) && !PROTOCOLS_WITH_PORTS.some((one) => one === sel.proto)) {
    return `setkey has no ports for IP protocol ${sel.proto}`
  }
  const exact = oneByOne(sel)
  if (!exact) return 'setkey takes ICMP types and codes only one by one'
  const meansAll = exact.some(
    ({ sport, sport_mask, dport, dport_mask }) =>
      (sport_mask !== 0 && sport === 0) || (dport_mask !== 0 && dport === 0),
  )
  return meansAll ? 'to setkey, ICMP type 0 is all types, and code 0 all codes' : exact
}

/** Source, destination, protocol. @param sel as of {@link exactSelectors} */
export function selectorWords(sel: Selector): string[] {
  const { family, saddr, daddr, prefixlen_s, prefixlen_d, proto, sport, dport } = sel
  const hasIcmp = isIcmp(proto) && (sport !== 0 || dport !== 0)
  const port = (number: number) => (number === 0 || isIcmp(proto) ? '' : `[${number}]`)
  return [
    `${address(saddr, family)}/${prefixlen_s}${port(sport)}`,
    `${address(daddr, family)}/${prefixlen_d}${port(dport)}`,
    proto === 0 ? 'any' : String(proto),
    ...(hasIcmp ? [`${sport},${dport}`] : []),
  ]
}
