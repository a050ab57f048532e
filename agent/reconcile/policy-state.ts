/**
 * What was loaded, beyond what the kernel has room for: the rules' texts, their order and index numbers. The
 * kernel is the truth about what is in force; losing this loses names, not protection.
 *
 * @module
 */
import { type Address, formatAddress, formatPrefix, type Prefix, parseAddress } from '../model/address.ts'
import { directionsOf, familiesOf, type PolicyEntry, policyEntries } from '../model/entries.ts'
import type { AddressPair, Rule, Selector } from '../model/policy.ts'
import type { PlacedRule } from '../translate/policies.ts'
import type { Tunnel } from '../translate/tunnels.ts'
import type { NetfilterRules } from './netfilter.ts'

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
  /** What netfilter does for these rules. */
  readonly netfilter: NetfilterRules
  /** The tunnels that rules are about, as they were last seen: their interfaces may be gone. */
  readonly tunnels: ReadonlyMap<string, Tunnel>
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

const VERSION = 3

/** A rule in the file. What thousands of rules share stands there once, and here as a number. */
interface StoredRule extends Omit<Rule, 'selector' | 'file' | 'actions' | 'span'> {
  readonly selector: Omit<Selector, 'pairs'> & { readonly pairs: readonly StoredPair[] }
  readonly file: number
  readonly actions: number
  /** Line, column, length. */
  readonly span: readonly [number, number, number]
  /** Position and first index, by pair. */
  readonly placements: readonly (readonly [number, number])[]
}

type StoredPair = readonly [local: string | null, remote: string | null]

interface StoredTunnel extends Omit<Tunnel, 'endpoints'> {
  readonly local: string
  readonly remote: string
}

interface StoredState extends Omit<PolicyState, 'rules' | 'tunnels'> {
  readonly tunnels: readonly StoredTunnel[]
  readonly version: number
  readonly files: readonly string[]
  readonly actions: readonly Rule['actions'][]
  readonly rules: readonly StoredRule[]
}

/** Writes a state as JSON text. */
export function encodeState({ markMask, netfilter, tunnels, nextIndex, rules }: PolicyState): string {
  const files = new Map<string, number>()
  const actions = new Map<Rule['actions'], number>()
  const stored: Omit<StoredState, 'files' | 'actions'> = {
    version: VERSION,
    markMask,
    netfilter,
    tunnels: [...tunnels.values()].map(encodeTunnel),
    nextIndex,
    rules: rules.map(({ rule, placements }): StoredRule => {
      const { selector, direction, tunnel, text, span } = rule
      return {
        selector: { ...selector, pairs: selector.pairs.map(encodePair) },
        direction,
        ...(tunnel && { tunnel }),
        text,
        file: numberOf(rule.file, files),
        actions: numberOf(rule.actions, actions),
        span: [span.line, span.column, span.length],
        placements: placements.map(({ position, firstIndex }) => [position, firstIndex]),
      }
    }),
  }
  return JSON.stringify({ ...stored, files: [...files.keys()], actions: [...actions.keys()] })
}

function encodeTunnel({ endpoints, ...rest }: Tunnel): StoredTunnel {
  return { ...rest, local: formatAddress(endpoints.local), remote: formatAddress(endpoints.remote) }
}

function decodeTunnel({ local, remote, ...rest }: StoredTunnel): Tunnel {
  return { ...rest, endpoints: { local: decodeAddress(local), remote: decodeAddress(remote) } }
}

/** The place of something in a list without repetitions; at its end where it is new. */
function numberOf<T>(one: T, known: Map<T, number>): number {
  const number = known.get(one) ?? known.size
  if (number === known.size) known.set(one, number)
  return number
}

function encodePair({ local, remote }: AddressPair): StoredPair {
  return [local ? formatPrefix(local) : null, remote ? formatPrefix(remote) : null]
}

/**
 * Reads a state back.
 *
 * @throws Error where the text is not a state of this version
 */
export function decodeState(text: string): PolicyState {
  const stored = JSON.parse(text) as StoredState
  const { version, markMask, netfilter, nextIndex, files, actions } = stored
  if (version !== VERSION) throw new Error(`policy state of version ${version} is not understood`)
  return {
    markMask,
    netfilter,
    tunnels: new Map(stored.tunnels.map(decodeTunnel).map((tunnel) => [tunnel.name, tunnel])),
    nextIndex,
    rules: stored.rules.map(({ placements, selector, span: [line, column, length], ...rest }) => ({
      rule: {
        ...rest,
        selector: { ...selector, pairs: selector.pairs.map(decodePair) },
        file: item(files, rest.file),
        actions: item(actions, rest.actions),
        span: { line, column, length },
      },
      placements: placements.map(([position, firstIndex]) => ({ position, firstIndex })),
    })),
  }
}

function item<T>(list: readonly T[], number: number): T {
  const found = list[number]
  if (found === undefined) throw new Error(`policy state: ${number} is not in a list of ${list.length}`)
  return found
}

function decodePair([local, remote]: StoredPair): AddressPair {
  if (local && remote) return { local: decodePrefix(local), remote: decodePrefix(remote) }
  return { ...(local && { local: decodePrefix(local) }), ...(remote && { remote: decodePrefix(remote) }) }
}

function decodePrefix(text: string): Prefix {
  const slash = text.indexOf('/')
  const address = decodeAddress(text.slice(0, slash))
  return { family: address.family, bytes: address.bytes, length: Number(text.slice(slash + 1)) }
}

function decodeAddress(text: string): Address {
  const address = parseAddress(text)
  if (!address) throw new Error(`policy state: '${text}' is not an address`)
  return address
}
