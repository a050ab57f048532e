/**
 * What was loaded, beyond what the kernel has room for: the rules' texts, their order and index numbers. The
 * kernel is the truth about what is in force; losing this loses names, not protection.
 *
 * @module
 */
import { formatPrefix, type Prefix, parseAddress } from '../model/address.ts'
import { directionsOf, familiesOf, type PolicyEntry, policyEntries } from '../model/entries.ts'
import type { AddressPair, Rule, Selector } from '../model/policy.ts'
import type { PlacedRule } from '../translate/policies.ts'

/** Where one address pair of a rule stands. */
export interface Placement {
  /** Position among all rules: what its kernel priorities derive from. */
  readonly position: number
  /** Index number of its first entry; the others follow. */
  readonly firstIndex: number
}

export interface LoadedRule {
  readonly rule: Rule
  /** One for each of the rule's pairs. */
  readonly placements: readonly Placement[]
}

export interface PolicyState {
  /** Mark bits in use, or 0 for none. */
  readonly markMask: number
  /** The mark bit that nftables sets on forwarded packets for us, or 0 where it does not. */
  readonly forwardedMark: number
  /** Index numbers only grow while the state lives. */
  readonly nextIndex: number
  /** In order of position. */
  readonly rules: readonly LoadedRule[]
}

/** An entry of a loaded rule: what Solaris lists under an index of its own. */
export interface RuleEntry extends PolicyEntry {
  readonly index: number
  readonly position: number
}

/** All placed rules of a state. */
export function placedRules({ rules }: Pick<PolicyState, 'rules'>): PlacedRule[] {
  return rules.flatMap(({ rule, placements }) =>
    rule.selector.pairs.map((pair, i) => ({ rule, pair, position: placements[i]?.position ?? 0 })),
  )
}

/** How many entries, and so index numbers, a pair of a rule takes. */
export function entryCount(rule: Rule, pair: AddressPair): number {
  return familiesOf(pair).length * directionsOf(rule.direction).length
}

/** The entries of a rule, in the order of their numbers. */
export function entriesOf({ rule, placements }: LoadedRule): RuleEntry[] {
  let pair = -1
  let next = 0
  return policyEntries(rule).map((entry) => {
    if (entry.pair !== rule.selector.pairs[pair]) next = placements[++pair]?.firstIndex ?? 0
    return { ...entry, index: next++, position: placements[pair]?.position ?? 0 }
  })
}

/** The number that a rule is shown under: that of its last entry. */
export function shownIndex(loaded: LoadedRule): number {
  return entriesOf(loaded).at(-1)?.index ?? 0
}

const VERSION = 1

/** Writes a state as JSON text. */
export function encodeState(state: PolicyState): string {
  return JSON.stringify({
    version: VERSION,
    markMask: state.markMask,
    forwardedMark: state.forwardedMark,
    nextIndex: state.nextIndex,
    rules: state.rules.map(({ rule, placements }) => ({
      ...rule,
      selector: { ...rule.selector, pairs: rule.selector.pairs.map(encodePair) },
      placements: placements.map(({ position, firstIndex }) => [position, firstIndex]),
    })),
  })
}

function encodePair({ local, remote }: AddressPair): [string | null, string | null] {
  return [local ? formatPrefix(local) : null, remote ? formatPrefix(remote) : null]
}

type StoredSelector = Omit<Selector, 'pairs'> & { pairs: [string | null, string | null][] }
type StoredRule = Omit<Rule, 'selector'> & { selector: StoredSelector; placements: [number, number][] }

/**
 * Reads a state back.
 *
 * @throws Error where the text is not a state of this version
 */
export function decodeState(text: string): PolicyState {
  const stored = JSON.parse(text) as Omit<PolicyState, 'rules'> & { version: number; rules: StoredRule[] }
  if (stored.version !== VERSION)
    throw new Error(`policy state of version ${stored.version} is not understood`)
  return {
    markMask: stored.markMask,
    forwardedMark: stored.forwardedMark,
    nextIndex: stored.nextIndex,
    rules: stored.rules.map(({ placements, selector, ...rest }) => ({
      rule: { ...rest, selector: { ...selector, pairs: selector.pairs.map(decodePair) } },
      placements: placements.map(([position, firstIndex]) => ({ position, firstIndex })),
    })),
  }
}

function decodePair([local, remote]: [string | null, string | null]): AddressPair {
  return { ...(local && { local: decodePrefix(local) }), ...(remote && { remote: decodePrefix(remote) }) }
}

function decodePrefix(text: string): Prefix {
  const [address = '', length = ''] = text.split('/')
  const parsed = parseAddress(address)
  if (!parsed) throw new Error(`policy state: '${text}' is not a prefix`)
  return { ...parsed, length: Number(length) }
}
