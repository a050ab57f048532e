/**
 * Policy entries: a rule stands for one entry for each address pair, family and direction. The entries are what
 * listings show, what indices count, and what can be there twice.
 *
 * @module
 */
import type { Family } from './address.ts'
import type { AddressPair, Direction, Rule } from './policy.ts'

export interface PolicyEntry {
  readonly rule: Rule
  readonly pair: AddressPair
  readonly family: Family
  readonly direction: 'in' | 'out'
}

const BOTH_FAMILIES: readonly Family[] = ['inet', 'inet6']
const FAMILIES: Readonly<Record<Family, readonly Family[]>> = { inet: ['inet'], inet6: ['inet6'] }
const DIRECTIONS: Readonly<Record<Direction, readonly ('in' | 'out')[]>> = {
  in: ['in'],
  out: ['out'],
  both: ['out', 'in'],
}

/** The families that a pair is about: both where it has no address. */
export function familiesOf(pair: AddressPair): readonly Family[] {
  const family = pair.local?.family ?? pair.remote?.family
  return family ? FAMILIES[family] : BOTH_FAMILIES
}

/** The directions of a rule, outbound first. */
export function directionsOf(direction: Direction): readonly ('in' | 'out')[] {
  return DIRECTIONS[direction]
}

/** The entries of a rule as Solaris numbers them: pair by pair, outbound IPv4, IPv6, then inbound. */
export function policyEntries(rule: Rule): PolicyEntry[] {
  const entries: PolicyEntry[] = []
  for (const pair of rule.selector.pairs) {
    for (const direction of directionsOf(rule.direction)) {
      for (const family of familiesOf(pair)) entries.push({ rule, pair, family, direction })
    }
  }
  return entries
}
