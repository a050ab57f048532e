/**
 * Words that policies and states of `ip xfrm` (ip-xfrm(8)) have in common.
 *
 * @module
 */
import type { Mark, Selector } from '../../../netlink/xfrm/structs.ts'
import { address, hex, isIcmp, oneByOne } from '../kernel/words.ts'

/** The protocols that `sport` and `dport` may follow: UDP-Lite is not among them. */
const WITH_PORTS = [6, 17, 33, 132]

/** Interfaces by their number. */
export type InterfaceNames = ReadonlyMap<number, string>

/** A selector that has no masks but all and nothing. */
export function selectorWords(sel: Selector, names: InterfaceNames): string[] {
  const words = [
    'src',
    `${address(sel.saddr, sel.family)}/${sel.prefixlen_s}`,
    'dst',
    `${address(sel.daddr, sel.family)}/${sel.prefixlen_d}`,
  ]
  if (sel.ifindex !== 0) words.push('dev', names.get(sel.ifindex) ?? `if${sel.ifindex}`)
  if (sel.proto === 0) return words
  words.push('proto', String(sel.proto))
  const [first, second] = isIcmp(sel.proto) ? ['type', 'code'] : ['sport', 'dport']
  if (sel.sport_mask !== 0) words.push(first, String(sel.sport))
  if (sel.dport_mask !== 0) words.push(second, String(sel.dport))
  return words
}

export function markWords(word: 'mark' | 'output-mark', { v, m }: Mark): string[] {
  return [word, hex(v), 'mask', hex(m)]
}

/**
 * A selector as several that have exact ICMP types and codes, for there are no words for masks.
 *
 * @returns why it cannot be said, where it cannot
 */
export function exactSelectors(sel: Selector): readonly Selector[] | string {
  const hasPorts = !isIcmp(sel.proto) && (sel.sport_mask !== 0 || sel.dport_mask !== 0)
  if (hasPorts && !WITH_PORTS.includes(sel.proto)) return `ip xfrm has no ports for IP protocol ${sel.proto}`
  return oneByOne(sel) ?? 'ip xfrm takes ICMP types and codes only one by one'
}
