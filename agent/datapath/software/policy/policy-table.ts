/**
 * The SPD: policies by direction, in the order in which XFRM asks them.
 *
 * @module
 */

import type { XfrmAttributes } from '../../../../netlink/xfrm/attributes.ts'
import { family as af, dir } from '../../../../netlink/xfrm/constants.ts'
import type { Selector } from '../../../../netlink/xfrm/structs.ts'
import { type Flow, selectorMatches } from '../../../packet/flow.ts'
import { bytesKey } from '../../../packet/octets.ts'
import { type Policy, policyIdentity } from './policy.ts'

const DIRECTIONS = [dir.IN, dir.OUT, dir.FWD] as const

/** Policies of one direction. */
class Direction {
  readonly byIdentity = new Map<string, Policy>()
  /** Policies between two single hosts, by both addresses: the many of a large policy. In the order of asking. */
  readonly #hostPairs = new Map<string, Policy[]>()
  /** All others, in the order of asking. */
  readonly #others: Policy[] = []

  add(policy: Policy): void {
    const { sel } = policy.info
    this.byIdentity.set(policyIdentity(sel, policy.attributes), policy)
    const key = pairKey(sel.family, sel.saddr, sel.daddr)
    const bucket = isHostPair(sel) ? this.#hostPairs.get(key) : this.#others
    if (bucket) insert(bucket, policy)
    else this.#hostPairs.set(key, [policy])
  }

  remove(policy: Policy): void {
    const { sel } = policy.info
    this.byIdentity.delete(policyIdentity(sel, policy.attributes))
    const key = pairKey(sel.family, sel.saddr, sel.daddr)
    const bucket = isHostPair(sel) ? this.#hostPairs.get(key) : this.#others
    if (!bucket) return
    without(bucket, policy)
    if (bucket.length === 0 && bucket !== this.#others) this.#hostPairs.delete(key)
  }

  find(flow: Flow, mark: number): Policy | undefined {
    const pairs = this.#hostPairs.get(pairKey(flow.family, flow.source, flow.destination))
    const special = pairs && first(pairs, flow, mark)
    const general = first(this.#others, flow, mark)
    if (!special || !general) return special ?? general
    return isBefore(general, special) ? general : special
  }
}

function first(policies: readonly Policy[], flow: Flow, mark: number): Policy | undefined {
  return policies.find(
    (policy) => (mark & policy.markMask) >>> 0 === policy.markValue && selectorMatches(policy.info.sel, flow),
  )
}

function isHostPair({ family, prefixlen_s, prefixlen_d }: Selector): boolean {
  const bits = family === af.INET ? 32 : 128
  return prefixlen_s === bits && prefixlen_d === bits
}

function pairKey(family: number, source: Uint8Array, destination: Uint8Array): string {
  return family === af.INET
    ? bytesKey(source.subarray(0, 4)) + bytesKey(destination.subarray(0, 4))
    : bytesKey(source) + bytesKey(destination)
}

/** Added in this order; tells which of two with one priority is older. */
const ages = new WeakMap<Policy, number>()
let nextAge = 1

function isBefore(a: Policy, b: Policy): boolean {
  if (a.info.priority !== b.info.priority) return a.info.priority < b.info.priority
  return (ages.get(a) ?? 0) < (ages.get(b) ?? 0)
}

/** Puts it behind all with the same or a smaller priority. */
function insert(sorted: Policy[], policy: Policy): void {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle]?.info.priority ?? 0) <= policy.info.priority) low = middle + 1
    else high = middle
  }
  sorted.splice(low, 0, policy)
}

function without(policies: Policy[], policy: Policy): void {
  const at = policies.indexOf(policy)
  if (at >= 0) policies.splice(at, 1)
}

/** The policies of a network namespace. Directions are numbers of `constants.ts` `dir`. */
export class PolicyTable {
  readonly #directions = DIRECTIONS.map(() => new Direction())
  readonly #byIndex = new Map<number, Policy>()
  #nextIndex = 8

  get size(): number {
    return this.#byIndex.size
  }

  /** @param priority decides who is asked first: the smaller; of two equal ones the older */
  add(policy: Policy): void {
    ages.set(policy, nextAge++)
    this.#byIndex.set(policy.info.index, policy)
    this.#direction(policy.info.dir).add(policy)
  }

  remove(policy: Policy): void {
    this.#byIndex.delete(policy.info.index)
    this.#direction(policy.info.dir).remove(policy)
  }

  /** The policy with this identity, if there is one. */
  find(direction: number, sel: Selector, attributes: XfrmAttributes): Policy | undefined {
    return this.#directions[direction]?.byIdentity.get(policyIdentity(sel, attributes))
  }

  byIndex(index: number): Policy | undefined {
    return this.#byIndex.get(index)
  }

  /** The policy that decides about a packet. */
  lookup(direction: number, flow: Flow, mark: number): Policy | undefined {
    return this.#directions[direction]?.find(flow, mark)
  }

  /** A number that no policy has. Like the kernel's, its last three bits are the direction. */
  freeIndex(direction: number): number {
    let index = this.#nextIndex | direction
    while (this.#byIndex.has(index)) {
      this.#nextIndex += 8
      index = this.#nextIndex | direction
    }
    return index
  }

  /** All policies, the newest first as the kernel gives them. */
  all(): Policy[] {
    return [...this.#byIndex.values()].reverse()
  }

  /** All policies, in the order in which they are asked within their direction. */
  inOrder(): Policy[] {
    return this.all().sort((a, b) => (isBefore(a, b) ? -1 : 1))
  }

  #direction(number: number): Direction {
    const direction = this.#directions[number]
    if (!direction) throw new RangeError(`there is no policy direction ${number}`)
    return direction
  }
}
