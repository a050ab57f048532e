/**
 * Words that policies and states of `ip xfrm` (ip-xfrm(8)) have in common.
 *
 * @module
 */
import { formatAddress } from '../../../agent/model/address.ts'
import { readAddress } from '../../../agent/translate/selectors.ts'
import { proto } from '../../../netlink/xfrm/constants.ts'
import type { Mark, Selector } from '../../../netlink/xfrm/structs.ts'

const ICMP = [1, 58]
/** The protocols that `sport` and `dport` may follow: UDP-Lite is not among them. */
const WITH_PORTS = [6, 17, 33, 132]
const EXACT = 0xffff

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
  const [first, second] = ICMP.includes(sel.proto) ? ['type', 'code'] : ['sport', 'dport']
  if (sel.sport_mask !== 0) words.push(first, String(sel.sport))
  if (sel.dport_mask !== 0) words.push(second, String(sel.dport))
  return words
}

export function address(bytes: Uint8Array, family: number): string {
  return formatAddress(readAddress(bytes, family))
}

export function protocolWord(number: number): string {
  return number === proto.AH ? 'ah' : 'esp'
}

export function markWords(word: 'mark' | 'output-mark', { v, m }: Mark): string[] {
  return [word, hex(v), 'mask', hex(m)]
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`
}

/** More selectors than this from one are not for a batch file. */
const MOST = 4096

/**
 * A selector as several that have exact ICMP types and codes, for there are no words for masks.
 *
 * @returns why it cannot be said, where it cannot
 */
export function exactSelectors(sel: Selector): readonly Selector[] | string {
  if (!ICMP.includes(sel.proto)) {
    const hasPorts = sel.sport_mask !== 0 || sel.dport_mask !== 0
    return hasPorts && !WITH_PORTS.includes(sel.proto)
      ? `ip xfrm has no ports for IP protocol ${sel.proto}`
      : [sel]
  }
  const types = valuesOf(sel.sport, sel.sport_mask)
  const codes = valuesOf(sel.dport, sel.dport_mask)
  if (types.length * codes.length > MOST) return 'ip xfrm takes ICMP types and codes only one by one'
  return types.flatMap(([sport, sport_mask]) =>
    codes.map(([dport, dport_mask]) => ({ ...sel, sport, sport_mask, dport, dport_mask })),
  )
}

/** Numbers of 8 bits: a mask that leaves all of them open is none. */
function valuesOf(value: number, mask: number): (readonly [number, number])[] {
  if ((mask & 0xff) === 0) return [[0, 0]]
  const free = EXACT ^ mask
  const found: (readonly [number, number])[] = []
  for (let i = 0; i <= free; i++) if ((i & mask) === 0) found.push([value + i, EXACT])
  return found
}
