/**
 * Entries that are there twice: same tunnel, selectors, family and direction. A kernel holds one of them, so the
 * second is either superfluous or a contradiction.
 *
 * @module
 */
import { anyPrefix, type Family, type Prefix } from '../../../agent/model/address.ts'
import { mix, wordAt } from '../../../agent/model/bytes.ts'
import { directionsOf, familiesOf, type PolicyEntry } from '../../../agent/model/entries.ts'
import type {
  Action,
  AddressPair,
  AlgorithmRequirement,
  Direction,
  IcmpRange,
  Rule,
} from '../../../agent/model/policy.ts'

/** An entry for which an earlier rule has one as well. */
export interface Duplicate {
  readonly entry: PolicyEntry
  readonly earlier: Rule
  /** The two rules do different things with the same packets. */
  readonly conflict: boolean
}

/** What is known of one set of selectors: the rule that has it in each direction. */
interface Known {
  readonly rule: Rule
  readonly pair: AddressPair
  readonly family: Family
  in: Rule | undefined
  out: Rule | undefined
  /** Another one with the same hash. */
  readonly next: Known | undefined
}

/**
 * Remembers the entries of the rules that it has seen. Numbers as keys and no texts: this runs over every rule of
 * a file.
 */
export class DuplicateFinder {
  readonly #known = new Map<number, Known>()
  readonly #hash: typeof hashSelectors

  /** @param hash for tests: any function does, a poor one slowly */
  constructor(hash: typeof hashSelectors = hashSelectors) {
    this.#hash = hash
  }

  /** The entries of `rule` that an earlier rule has; the others are remembered. */
  add(rule: Rule): Duplicate[] {
    const duplicates: Duplicate[] = []
    for (const pair of rule.selector.pairs) {
      for (const family of familiesOf(pair)) {
        const known = this.#find(rule, pair, family)
        for (const direction of directionsOf(rule.direction)) {
          const earlier = known[direction]
          if (!earlier) known[direction] = rule
          else {
            const conflict = !sameActions(earlier.actions, rule.actions)
            duplicates.push({ entry: { rule, pair, family, direction }, earlier, conflict })
          }
        }
      }
    }
    return duplicates
  }

  #find(rule: Rule, pair: AddressPair, family: Family): Known {
    const hash = this.#hash(rule, pair, family)
    const first = this.#known.get(hash)
    for (let known = first; known; known = known.next) {
      if (
        known.family === family &&
        sameEnd(known.pair.local, pair.local) &&
        sameEnd(known.pair.remote, pair.remote) &&
        sameTraffic(known.rule, rule)
      ) {
        return known
      }
    }
    const fresh = { rule, pair, family, in: undefined, out: undefined, next: first }
    this.#known.set(hash, fresh)
    return fresh
  }
}

/** Every entry of `rules` that an earlier one of `loaded` or `rules` has already, in order. */
export function findDuplicates(rules: readonly Rule[], loaded: readonly Rule[] = []): Duplicate[] {
  const finder = new DuplicateFinder()
  for (const rule of loaded) finder.add(rule)
  return rules.flatMap((rule) => finder.add(rule))
}

/**
 * What is left of a rule without some of its entries: nothing, or up to three rules (both directions, out, in)
 * which differ from it in pairs and direction.
 *
 * @param entries entries of this rule, with pairs of its own
 */
export function withoutEntries(rule: Rule, entries: readonly PolicyEntry[]): Rule[] {
  if (entries.length === 0) return [rule]
  const left: Record<Direction, AddressPair[]> = { both: [], out: [], in: [] }
  for (const pair of rule.selector.pairs) {
    const gone = entries.filter((entry) => entry.pair === pair)
    for (const family of familiesOf(pair)) {
      const [first, second] = directionsOf(rule.direction).filter(
        (direction) => !gone.some((entry) => entry.family === family && entry.direction === direction),
      )
      // A pair that stood for both families has its family written out now.
      const own = pair.local || pair.remote ? pair : { local: anyPrefix(family) }
      if (first) left[second ? 'both' : first].push(own)
    }
  }
  return (['both', 'out', 'in'] as const)
    .filter((direction) => left[direction].length > 0)
    .map((direction) => ({ ...rule, direction, selector: { ...rule.selector, pairs: left[direction] } }))
}

function hashSelectors(rule: Rule, pair: AddressPair, family: Family): number {
  const { protocol = 0, localPort = 0, remotePort = 0, icmpType, icmpCode } = rule.selector
  let hash = hashEnd(family === 'inet' ? 1 : 2, pair.local)
  hash = mix(hashEnd(hash, pair.remote), protocol)
  hash = mix(hash, (localPort << 16) | remotePort)
  if (icmpType) hash = mix(hash, (icmpType.from << 8) | icmpType.to)
  if (icmpCode) hash = mix(hash, (icmpCode.from << 16) | icmpCode.to)
  const name = rule.tunnel?.name ?? ''
  for (let i = 0; i < name.length; i++) hash = mix(hash, name.charCodeAt(i))
  // Small enough for V8 to keep it as a plain integer.
  return hash >>> 2
}

function hashEnd(hash: number, end: Prefix | undefined): number {
  let mixed = mix(hash, end?.length ?? 0)
  if (end?.length) for (let i = 0; i < end.bytes.length; i += 4) mixed = mix(mixed, maskedWord(end, i))
  return mixed
}

/** Same addresses in ends of one family. No address is the same as /0, and bits beyond the prefix do not count. */
function sameEnd(a: Prefix | undefined, b: Prefix | undefined): boolean {
  if ((a?.length ?? 0) !== (b?.length ?? 0)) return false
  if (!a || !b) return true
  for (let i = 0; i < a.bytes.length; i += 4) if (maskedWord(a, i) !== maskedWord(b, i)) return false
  return true
}

/** Four bytes from `i` on as a number, bits beyond the prefix cleared. */
function maskedWord({ bytes, length }: Prefix, i: number): number {
  const keep = Math.min(32, length - 8 * i)
  if (keep <= 0) return 0
  return wordAt(bytes, i) & (-1 << (32 - keep))
}

function sameTraffic(a: Rule, b: Rule): boolean {
  return (
    a.selector.protocol === b.selector.protocol &&
    a.selector.localPort === b.selector.localPort &&
    a.selector.remotePort === b.selector.remotePort &&
    sameRange(a.selector.icmpType, b.selector.icmpType) &&
    sameRange(a.selector.icmpCode, b.selector.icmpCode) &&
    a.tunnel?.name === b.tunnel?.name
  )
}

function sameRange(a: IcmpRange | undefined, b: IcmpRange | undefined): boolean {
  return a?.from === b?.from && a?.to === b?.to
}

function sameActions(a: readonly Action[], b: readonly Action[]): boolean {
  return a === b || actionsKey(a) === actionsKey(b)
}

function actionsKey(actions: readonly Action[]): string {
  return actions.map(actionKey).join(' or ')
}

function actionKey(action: Action): string {
  if (action.kind !== 'protect') return action.kind
  const { ah, esp, unique } = action.protection
  const { encryption, authentication } = esp ?? {}
  return `${requirementKey(ah)} ${requirementKey(encryption)} ${requirementKey(authentication)} ${unique}`
}

function requirementKey(requirement: AlgorithmRequirement | undefined): string {
  return requirement ? `${requirement.algorithm}(${requirement.minBits}..${requirement.maxBits})` : '-'
}
