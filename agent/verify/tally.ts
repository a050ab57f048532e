/**
 * What was found so far: how many packets of each category, and of what is not fine each flow.
 *
 * @module
 */

import type { Cover } from '../capture/frame.ts'
import type { Policy } from '../datapath/software/policy/policy.ts'
import type { Flow } from '../packet/flow.ts'
import { copyFlow, newFlow } from '../packet/flow.ts'
import { bytesKey } from '../packet/octets.ts'
import { CATEGORIES, type Category, FAILURES, isFine, type Judgement, type Way } from './verdict.ts'

/** Flows of each category that are remembered: what comes from outside must not take all memory. */
export const MOST_FLOWS = 100

/** Packets of one flow about which the same is wrong. */
export interface Finding {
  readonly category: Category
  readonly way: Way
  readonly isPassing: boolean
  /** Index of the interface; 0 where it is not told. */
  readonly ifindex: number
  /** Addresses, protocol and ports: of what was inside, where that could be opened. */
  readonly flow: Flow
  /** How the packets were. */
  readonly seen: string
  /** That decided. */
  readonly policy?: Policy
  /** The AH or ESP of the first packet. */
  readonly cover?: Cover
  /** Of the first and the last packet; milliseconds since 1970. */
  readonly first: number
  last: number
  count: number
}

export class Tally {
  readonly #counts = new Map<Category, number>(CATEGORIES.map((category) => [category, 0]))
  readonly #findings = new Map<Category, Map<string, Finding>>()
  readonly #beyond = new Map<Category, number>()

  /**
   * Counts a packet.
   *
   * @param flow copied where it is kept
   * @param time milliseconds since 1970
   * @returns the finding that it belongs to, unless it is fine or there is no more room
   */
  add(judgement: Judgement, flow: Flow, ifindex: number, time: number): Finding | undefined {
    const { category } = judgement
    this.#counts.set(category, this.count(category) + 1)
    if (isFine(category)) return undefined
    const finding = this.#findingOf(judgement, flow, ifindex, time)
    if (!finding) {
      this.#beyond.set(category, this.beyond(category) + 1)
      return undefined
    }
    finding.count++
    finding.last = Math.max(finding.last, time)
    return finding
  }

  #findingOf(judgement: Judgement, flow: Flow, ifindex: number, time: number): Finding | undefined {
    const { category, way = 'in', isPassing = false, seen = '', policy, cover } = judgement
    const { source, destination, protocol, sport, dport } = flow
    const numbers = [way, isPassing, ifindex, policy?.info.index, protocol, sport, dport]
    const key = `${numbers.join(' ')} ${bytesKey(source)}${bytesKey(destination)} ${seen}`
    const ofCategory = this.#findings.get(category) ?? new Map<string, Finding>()
    this.#findings.set(category, ofCategory)
    const known = ofCategory.get(key)
    if (known || ofCategory.size === MOST_FLOWS) return known
    const own = newFlow()
    copyFlow(flow, own)
    const optional = { ...(policy && { policy }), ...(cover && { cover }) }
    const times = { first: time, last: time, count: 0 }
    const finding = { category, way, isPassing, ifindex, flow: own, seen, ...optional, ...times }
    ofCategory.set(key, finding)
    return finding
  }

  /** Packets of a category. */
  count(category: Category): number {
    return this.#counts.get(category) ?? 0
  }

  /** Packets of a category that belong to no finding, because there are too many flows. */
  beyond(category: Category): number {
    return this.#beyond.get(category) ?? 0
  }

  /** All packets. */
  get total(): number {
    return CATEGORIES.reduce((sum, category) => sum + this.count(category), 0)
  }

  /** Packets of a category that must not be. */
  get failures(): number {
    return [...FAILURES].reduce((sum, category) => sum + this.count(category), 0)
  }

  /** Of a category, in the order in which they were found. */
  findings(category: Category): readonly Finding[] {
    return [...(this.#findings.get(category)?.values() ?? [])]
  }
}
