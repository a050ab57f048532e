/**
 * What was loaded, beyond what the kernel has room for: the rules' texts, their order and index numbers. The
 * kernel is the truth about what is in force; losing this loses names, not protection.
 *
 * @module
 */
import { type Pin, pinnedRules } from '../latch/pins.ts'
import { formatAddress } from '../model/address.ts'
import { directionsOf, familiesOf, type PolicyEntry, policyEntries } from '../model/entries.ts'
import type { AddressPair, Rule } from '../model/policy.ts'
import type { TunableValues } from '../model/tunables.ts'
import type { OwnTunnel } from '../model/tunnel.ts'
import type { PlacedRule } from '../translate/policies.ts'
import type { SaKind } from '../translate/requirements.ts'
import type { Tunnel } from '../translate/tunnels.ts'
import type { NetfilterRules } from './netfilter.ts'
import { decodeAddress } from './stored-addresses.ts'
import { decodeKind, encodeKind, type StoredKind } from './stored-kinds.ts'
import { decodeRules, encodeRules, type StoredRules } from './stored-rules.ts'
import { decodeOwnTunnel, encodeOwnTunnel, type StoredOwnTunnel } from './stored-tunnels.ts'
import { NO_SYSTEM_SETTINGS, type SystemSettings } from './system-settings.ts'

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
  /** The tunnel interfaces that we have made, as they are to be. */
  readonly ownTunnels: readonly OwnTunnel[]
  /** Kinds of SAs that sockets are bound to; absent: none. */
  readonly socketKinds?: readonly SaKind[]
  /** Those that are not as they are at first. */
  readonly tunables: TunableValues
  /** Settings of the kernel that follow from them. */
  readonly settings: SystemSettings
  /** Established connections keep the policy that they began under, by pins. */
  readonly latch: boolean
  readonly pins: readonly Pin[]
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

/** All rules that SAs are sorted by: those that are loaded, and those of pins. */
export function rulesInForce({ rules, pins }: Pick<PolicyState, 'rules' | 'pins'>): Rule[] {
  return [...rules.map(({ rule }) => rule), ...pinnedRules(pins).rules]
}

/** All placed rules of a state. Pins are among them while there are rules. */
export function placedRules({ rules, pins }: Pick<PolicyState, 'rules' | 'pins'>): PlacedRule[] {
  const placed: PlacedRule[] = rules.length > 0 ? pinnedRules(pins).placed : []
  for (const { rule, placements } of rules) {
    const { pairs } = rule.selector
    for (let i = 0; i < pairs.length; i++) {
      placed.push({ rule, pair: pairs[i] ?? {}, position: placements[i]?.position ?? 0 })
    }
  }
  return placed
}

/** The tunnels of the rules as they are, or as they were last seen, where their interfaces are gone. */
export function tunnelsFor(
  { tunnels }: Pick<PolicyState, 'tunnels'>,
  present: ReadonlyMap<string, Tunnel>,
): ReadonlyMap<string, Tunnel> {
  return new Map([...tunnels, ...present])
}

/** How many entries, and so index numbers, a pair of a rule takes. */
export function entryCount(rule: Rule, pair: AddressPair): number {
  return familiesOf(pair).length * directionsOf(rule.direction).length
}

/** The entries of a rule, in the order of their numbers. */
export function entriesOf({ rule, placements }: LoadedRule): RuleEntry[] {
  const entries: RuleEntry[] = []
  let at = -1
  let index = 0
  let position = 0
  for (const { pair, family, direction } of policyEntries(rule)) {
    if (pair !== rule.selector.pairs[at]) {
      const placement = placements[++at]
      index = placement?.firstIndex ?? 0
      position = placement?.position ?? 0
    }
    entries.push({ rule, pair, family, direction, index: index++, position })
  }
  return entries
}

/** The number that a rule is shown under: that of its last entry. */
export function shownIndex(loaded: LoadedRule): number {
  return entriesOf(loaded).at(-1)?.index ?? 0
}

const VERSION = 5
/** Knew no tunables and no latching. */
const OLD_VERSION = 4

interface StoredTunnel extends Omit<Tunnel, 'endpoints'> {
  readonly local: string
  readonly remote: string
}

interface StoredPin extends Omit<Pin, 'local' | 'remote'> {
  readonly local: string
  readonly remote: string
}

interface StoredState
  extends Omit<
      PolicyState,
      'rules' | 'tunnels' | 'ownTunnels' | 'tunables' | 'settings' | 'latch' | 'pins' | 'socketKinds'
    >,
    Partial<Pick<PolicyState, 'tunables' | 'settings' | 'latch'>>,
    StoredRules {
  readonly version: number
  readonly socketKinds?: readonly StoredKind[]
  readonly pins?: readonly StoredPin[]
  readonly tunnels: readonly StoredTunnel[]
  readonly ownTunnels?: readonly StoredOwnTunnel[]
}

/** Writes a state as JSON text. */
export function encodeState({ rules, tunnels, ownTunnels, pins, socketKinds, ...rest }: PolicyState): string {
  const stored: StoredState = {
    version: VERSION,
    ...rest,
    tunnels: [...tunnels.values()].map(encodeTunnel),
    ownTunnels: ownTunnels.map(encodeOwnTunnel),
    ...(socketKinds && { socketKinds: socketKinds.map(encodeKind) }),
    pins: pins.map((pin) => ({ ...pin, local: formatAddress(pin.local), remote: formatAddress(pin.remote) })),
    ...encodeRules(rules),
  }
  return JSON.stringify(stored)
}

function encodeTunnel({ endpoints, ...rest }: Tunnel): StoredTunnel {
  return { ...rest, local: formatAddress(endpoints.local), remote: formatAddress(endpoints.remote) }
}

function decodeTunnel({ local, remote, ...rest }: StoredTunnel): Tunnel {
  return { ...rest, endpoints: { local: decodeAddress(local), remote: decodeAddress(remote) } }
}

/**
 * Reads a state back, also one of the version before.
 *
 * @throws Error where the text is no state
 */
export function decodeState(text: string): PolicyState {
  const stored = JSON.parse(text) as StoredState
  const { version, markMask, netfilter, nextIndex, socketKinds } = stored
  const { tunables = {}, settings = NO_SYSTEM_SETTINGS, latch = false, pins = [], ownTunnels = [] } = stored
  if (version !== VERSION && version !== OLD_VERSION) {
    throw new Error(`policy state of version ${version} is not understood`)
  }
  return {
    markMask,
    netfilter,
    tunnels: new Map(stored.tunnels.map(decodeTunnel).map((tunnel) => [tunnel.name, tunnel])),
    ownTunnels: ownTunnels.map(decodeOwnTunnel),
    ...(socketKinds && { socketKinds: socketKinds.map(decodeKind) }),
    tunables,
    settings,
    latch,
    pins: pins.map((pin) => ({
      ...pin,
      local: decodeAddress(pin.local),
      remote: decodeAddress(pin.remote),
    })),
    nextIndex,
    rules: decodeRules(stored),
  }
}
