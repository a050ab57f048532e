/**
 * The order of rules as priorities of strongSwan's policies.
 *
 * Solaris's order is that of bands, then of the file. A fixed priority keeps it. Children whose peers are open cannot have
 * one: the SAs that come of a trap must stand before it, and strongSwan sees to that only where it chooses by itself. So
 * fixed ones lie below or above all that it would choose, and rules for which that is not enough are refused.
 *
 * @module
 */
import { prefixesOverlap } from '../../../agent/model/address.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { bandOf } from '../../../agent/translate/priorities.ts'
import type { Child, Traffic } from './children.ts'

export interface RankedRule {
  readonly rule: Rule
  readonly children: readonly Child[]
}

export interface PlacedChild extends Child {
  readonly rule: Rule
  /** Absent: strongSwan's own. */
  readonly priority?: number
}

/** strongSwan's own priorities lie between: they are 400,000 at most, and above 100,000. */
const BEFORE = 1
const BEHIND = 1_000_000_000
const MOST = 90_000

/** Places the children of all rules that can keep their order; `refuse` hears of the others. */
export function inOrder(
  ranked: readonly RankedRule[],
  refuse: (rule: Rule, reason: string) => void,
): PlacedChild[] {
  const order = ranked.map((one, index) => ({ ...one, index, band: bandOf(one.rule.actions) }))
  order.sort((a, b) => a.band - b.band || a.index - b.index)
  const placed: PlacedChild[] = []
  const open: Traffic[] = []
  const behind: Traffic[] = []
  for (const { rule, children } of order) {
    const meets = (list: readonly Traffic[], { traffic }: Child) => list.some((one) => overlap(one, traffic))
    const isLate = (child: Child) => meets(open, child) || meets(behind, child)
    if (children.some((child) => child.isOpen && isLate(child))) {
      refuse(
        rule,
        'strongSwan orders policies toward networks itself, and this one shares packets with a rule before it',
      )
      continue
    }
    if (placed.length + children.length > MOST) {
      refuse(rule, 'these are more rules than there are priorities')
      continue
    }
    const late = children.map(isLate)
    children.forEach((child, index) => {
      const base = late[index] ? BEHIND : BEFORE
      placed.push(child.isOpen ? { ...child, rule } : { ...child, rule, priority: base + placed.length })
      if (child.isOpen) open.push(child.traffic)
      else if (late[index]) behind.push(child.traffic)
    })
  }
  return placed
}

/** Some packet is among both. */
export function overlap(a: Traffic, b: Traffic): boolean {
  return (
    a.family === b.family &&
    (!a.local || !b.local || prefixesOverlap(a.local, b.local)) &&
    (!a.remote || !b.remote || prefixesOverlap(a.remote, b.remote)) &&
    same(a.protocol, b.protocol) &&
    same(a.localPort, b.localPort) &&
    same(a.remotePort, b.remotePort)
  )
}

function same(a: number | undefined, b: number | undefined): boolean {
  return a === undefined || b === undefined || a === b
}
