/**
 * Loaded rules as plain lists for a JSON file. Rules come by the ten thousand, and a JSON object for each would be
 * slow to write and to read: what many rules share stands in a list once, and the rest in one list of numbers.
 *
 * @module
 */
import { formatPrefix, type Prefix } from '../model/address.ts'
import type { AddressPair, Rule, Selector } from '../model/policy.ts'
import type { LoadedRule, Placement } from './policy-state.ts'
import { decodePrefix } from './stored-addresses.ts'

/** What rules about the same traffic say, but for the hosts. */
interface Sort extends Pick<Rule, 'direction' | 'tunnel'> {
  readonly traffic: Omit<Selector, 'pairs'>
  /** Places in the lists of files and actions. */
  readonly file: number
  readonly actions: number
}

export interface StoredRules {
  readonly files: readonly string[]
  readonly actions: readonly Rule['actions'][]
  readonly prefixes: readonly string[]
  readonly sorts: readonly Sort[]
  /** By rule. */
  readonly texts: readonly string[]
  /**
   * For each rule its sort, line, column, length and number of pairs; then for each pair the local and the remote
   * prefix (0 = none, 1 = the first of `prefixes`), position and first index.
   */
  readonly numbers: readonly number[]
}

/** Writes rules. What neighbours share is written once; to look further would cost more than it saves. */
export function encodeRules(rules: readonly LoadedRule[]): StoredRules {
  const files = new Places<string>()
  const actions = new Places<Rule['actions']>()
  const prefixes: string[] = []
  const [locals, remotes] = [new End(prefixes), new End(prefixes)]
  const sorts: Sort[] = []
  const texts: string[] = []
  const numbers: number[] = []
  let before: Rule | undefined
  for (const { rule, placements } of rules) {
    if (!before || !isSameSort(before, rule)) {
      sorts.push(sortOf(rule, files.of(rule.file), actions.of(rule.actions)))
    }
    before = rule
    const { line, column, length } = rule.span
    const { pairs } = rule.selector
    texts.push(rule.text)
    numbers.push(sorts.length - 1, line, column, length, pairs.length)
    for (let i = 0; i < pairs.length; i++) {
      const { local, remote } = pairs[i] ?? {}
      const { position = 0, firstIndex = 0 } = placements[i] ?? {}
      numbers.push(locals.numberOf(local), remotes.numberOf(remote), position, firstIndex)
    }
  }
  return { files: files.items, actions: actions.items, prefixes, sorts, texts, numbers }
}

/** A list without repetitions, and the place of each item in it. */
class Places<T> {
  readonly items: T[] = []
  readonly #places = new Map<T, number>()

  /** The place of an item; at the end where it is new. */
  of(item: T): number {
    let place = this.#places.get(item)
    if (place === undefined) {
      place = this.items.push(item) - 1
      this.#places.set(item, place)
    }
    return place
  }
}

/** One end of the pairs. */
class End {
  readonly #texts: string[]
  #last: Prefix | undefined
  #number = 0

  constructor(texts: string[]) {
    this.#texts = texts
  }

  /** The number that stands for a prefix, whose text is appended where it is not that of the pair before. */
  numberOf(prefix: Prefix | undefined): number {
    if (!prefix) return 0
    if (prefix !== this.#last) {
      this.#number = this.#texts.push(formatPrefix(prefix))
      this.#last = prefix
    }
    return this.#number
  }
}

/** False also for some that are the same. */
function isSameSort(a: Rule, b: Rule): boolean {
  const [one, other] = [a.selector, b.selector]
  return (
    a.file === b.file &&
    a.actions === b.actions &&
    a.direction === b.direction &&
    a.tunnel === b.tunnel &&
    one.protocol === other.protocol &&
    one.localPort === other.localPort &&
    one.remotePort === other.remotePort &&
    one.icmpType === other.icmpType &&
    one.icmpCode === other.icmpCode
  )
}

function sortOf({ selector, direction, tunnel }: Rule, file: number, actions: number): Sort {
  const { pairs, ...traffic } = selector
  return { traffic, direction, ...(tunnel && { tunnel }), file, actions }
}

/**
 * Reads rules back.
 *
 * @throws Error where these are no stored rules
 */
export function decodeRules(stored: StoredRules): LoadedRule[] {
  const { files, actions, sorts, texts, numbers } = stored
  const prefixes = stored.prefixes.map(decodePrefix)
  let at = 0
  const rules = texts.map((text): LoadedRule => {
    const { traffic, direction, tunnel, ...shared } = item(sorts, item(numbers, at))
    const span = { line: item(numbers, at + 1), column: item(numbers, at + 2), length: item(numbers, at + 3) }
    const pairs: AddressPair[] = []
    const placements: Placement[] = []
    const count = item(numbers, at + 4)
    at += 5
    for (let i = 0; i < count; i++, at += 4) {
      pairs.push(pairOf(prefixes, item(numbers, at), item(numbers, at + 1)))
      placements.push({ position: item(numbers, at + 2), firstIndex: item(numbers, at + 3) })
    }
    const rule = {
      selector: { pairs, ...traffic },
      direction,
      actions: item(actions, shared.actions),
      text,
      file: item(files, shared.file),
      span,
    }
    return { rule: tunnel ? { ...rule, tunnel } : rule, placements }
  })
  if (at !== numbers.length)
    throw new Error(`policy state: ${numbers.length} numbers, but ${at} have a meaning`)
  return rules
}

function pairOf(prefixes: readonly Prefix[], local: number, remote: number): AddressPair {
  if (local && remote) return { local: item(prefixes, local - 1), remote: item(prefixes, remote - 1) }
  if (local) return { local: item(prefixes, local - 1) }
  return remote ? { remote: item(prefixes, remote - 1) } : {}
}

function item<T>(list: readonly T[], number: number): T {
  const found = list[number]
  if (found === undefined) throw new Error(`policy state: ${number} is not in a list of ${list.length}`)
  return found
}
