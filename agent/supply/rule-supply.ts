/**
 * Which SAs there are for a rule, and the rules that have none: what these are about is held back until there are some.
 * Pure.
 *
 * @module
 */
import { type Candidate, candidatesOf, type RuleSet } from '../explain/order.ts'
import {
  type Address,
  hostPrefix,
  isUnspecified,
  type Prefix,
  prefixContains,
  prefixesOverlap,
} from '../model/address.ts'
import type { SecurityAssociation } from '../model/association.ts'
import { type AddressPair, type Rule, reachableActions, type Selector } from '../model/policy.ts'
import type { LoadedRule } from '../reconcile/policy-state.ts'
import {
  type Requirement,
  requirementsOf,
  satisfies,
  type TunnelEndpoints,
} from '../translate/requirements.ts'
import type { Tunnel } from '../translate/tunnels.ts'
import { addressKey, indexByEnd, type Lookup, type Supplier } from './association-index.ts'

export type Way = 'in' | 'out'

/** A rule that asks for protection, between these addresses, and the ways for which no SA gives it. */
export interface Shortage<T extends Supplier = Supplier> {
  readonly rule: Rule
  /** The number that the rule is shown under. */
  readonly index: number
  readonly pair: AddressPair
  readonly ways: readonly Way[]
  /** SAs between these addresses that are not what the rule asks for. */
  readonly unfit: readonly T[]
}

export interface Supply<T extends Supplier = Supplier> {
  /** In the order of the rules. */
  readonly shortages: readonly Shortage<T>[]
  /** SAs that no rule would have. */
  readonly unclaimed: readonly T[]
}

export interface SupplyFacts<T extends Supplier> {
  readonly rules: readonly LoadedRule[]
  readonly tunnels: ReadonlyMap<string, Tunnel>
  readonly localAddresses: readonly Address[]
  /** Of ours. */
  readonly associations: readonly T[]
}

/** Where rules and SAs are that many times compared, there is no answer: it would take too long. */
const MOST_COMPARED = 5_000_000

/** @returns `undefined` where there are too many rules about too many SAs to say */
export function supplyOf<T extends Supplier>(facts: SupplyFacts<T>): Supply<T> | undefined {
  const { rules, tunnels, associations } = facts
  const seeker = seekerFor(facts)
  const shortages: Shortage<T>[] = []
  const wanted = new Set<T>()
  for (const set of setsOf(rules)) {
    const endpoints = set.kind === 'tunnel' ? tunnels.get(set.name)?.endpoints : undefined
    // Without its interface, nothing passes through the tunnel anyway.
    if (set.kind === 'tunnel' && !endpoints) continue
    for (const candidate of candidatesOf(rules, set, tunnels)) {
      const found = seeker.find(candidate, endpoints)
      if (!found) continue
      if (seeker.compared > MOST_COMPARED) return undefined
      for (const one of found.wanted) wanted.add(one)
      const { rule, pair, index } = candidate
      if (found.lacking.length > 0)
        shortages.push({ rule, pair, index, ways: found.lacking, unfit: found.unfit })
    }
  }
  return {
    shortages: shortages.sort((a, b) => a.index - b.index),
    unclaimed: associations.filter((one) => !wanted.has(one)),
  }
}

/** The rules of the host, and those of each tunnel. */
function setsOf(rules: readonly LoadedRule[]): RuleSet[] {
  const names = new Set(
    rules.flatMap(({ rule }) => (rule.tunnel?.mode === 'tunnel' ? [rule.tunnel.name] : [])),
  )
  return [{ kind: 'host' }, ...[...names].map((name): RuleSet => ({ kind: 'tunnel', name }))]
}

/** What was found for one pair of addresses of a rule. */
export interface Found<T> {
  /** SAs of either way that give all that some alternative asks for. */
  readonly fit: readonly T[]
  /** With them those that give a part of it, as AH without the ESP within. */
  readonly wanted: readonly T[]
  /** The ways for which there is nothing whole, where the rule does not let pass in clear what finds no SA. */
  readonly lacking: readonly Way[]
  /** SAs between these addresses, of a way that lacks some, that are nothing of what is asked for. */
  readonly unfit: readonly T[]
}

/** Finds the SAs for rules. `compared` counts the work. */
export function seekerFor<T extends Supplier>({
  associations,
  localAddresses,
}: Pick<SupplyFacts<T>, 'associations' | 'localAddresses'>) {
  const bySource = indexByEnd(associations, 'source')
  const byDestination = indexByEnd(associations, 'destination')
  const own = new Set(localAddresses.map(addressKey))
  const seeker = {
    compared: 0,
    /** @returns `undefined` for a rule that asks for no SA */
    find(candidate: Candidate, tunnel: TunnelEndpoints | undefined): Found<T> | undefined {
      const { rule, pair } = candidate
      const alternatives = alternativesOf(rule, tunnel)
      const [fit, wanted, unfit, lacking] = [new Set<T>(), new Set<T>(), new Set<T>(), [] as Way[]]
      if (alternatives.length === 0) return undefined
      const ends = tunnel ? { local: hostPrefix(tunnel.local), remote: hostPrefix(tunnel.remote) } : pair
      for (const way of waysOf(rule)) {
        const near =
          way === 'out' ? nearest(bySource, byDestination, ends) : nearest(byDestination, bySource, ends)
        seeker.compared += near.length
        const between = near.filter(
          ({ association }) =>
            connects(association, way, ends) &&
            canGo(association, way, own) &&
            carries(association, way, rule.selector, tunnel && pair),
        )
        const parts = alternatives.map((requirements) =>
          requirements.map((one) => between.filter(({ content }) => satisfies(content, one))),
        )
        const whole = parts.filter((each) => each.every((some) => some.length > 0))
        for (const one of parts.flat(2)) wanted.add(one)
        for (const one of whole.flat(2)) fit.add(one)
        if (whole.length > 0 || passesInClear(rule)) continue
        lacking.push(way)
        for (const one of between) unfit.add(one)
      }
      return {
        fit: [...fit],
        wanted: [...wanted],
        lacking,
        unfit: [...unfit].filter((one) => !wanted.has(one)),
      }
    },
  }
  return seeker
}

function alternativesOf({ actions }: Rule, tunnel: TunnelEndpoints | undefined): Requirement[][] {
  return reachableActions(actions).flatMap((action) =>
    action.kind === 'protect' ? [requirementsOf(action.protection, tunnel)] : [],
  )
}

function passesInClear({ actions }: Rule): boolean {
  return reachableActions(actions).some(({ kind }) => kind === 'bypass')
}

function waysOf({ direction }: Rule): readonly Way[] {
  return direction === 'both' ? ['out', 'in'] : [direction]
}

/** The SAs at the end that says more about them. */
function nearest<T>(byLocal: Lookup<T>, byRemote: Lookup<T>, { local, remote }: AddressPair): readonly T[] {
  return (remote?.length ?? 0) >= (local?.length ?? 0) ? byRemote(remote) : byLocal(local)
}

function connects(
  { source, destination }: SecurityAssociation,
  way: Way,
  { local, remote }: AddressPair,
): boolean {
  const [from, to] = way === 'out' ? [local, remote] : [remote, local]
  return isEnd(from, source) && isEnd(to, destination)
}

/** An SA without a source is for every one. */
function isEnd(prefix: Prefix | undefined, address: Address): boolean {
  return !prefix || isUnspecified(address) || prefixContains(prefix, address)
}

/** False where it is for the other way by its flag, or since just one of its ends is this host's. */
function canGo(
  { direction, source, destination }: SecurityAssociation,
  way: Way,
  own: ReadonlySet<string>,
): boolean {
  if (direction) return direction === way
  const [isFromUs, isToUs] = [own.has(addressKey(source)), own.has(addressKey(destination))]
  return isFromUs === isToUs || isFromUs === (way === 'out')
}

/** True where some packets that the rule is about are not for another SA. */
function carries(
  { upperProtocol, sourcePort, destinationPort, inner }: SecurityAssociation,
  way: Way,
  { protocol = 0, localPort = 0, remotePort = 0 }: Selector,
  pair: AddressPair | undefined,
): boolean {
  const [from, to] = way === 'out' ? [localPort, remotePort] : [remotePort, localPort]
  const meets = (one: number, other: number) => one === 0 || other === 0 || one === other
  if (!inner) return meets(upperProtocol, protocol) && meets(sourcePort, from) && meets(destinationPort, to)
  const [source, destination] = way === 'out' ? [pair?.local, pair?.remote] : [pair?.remote, pair?.local]
  return (
    overlaps(inner.source, source) &&
    overlaps(inner.destination, destination) &&
    meets(inner.protocol, protocol) &&
    meets(inner.sourcePort, from) &&
    meets(inner.destinationPort, to)
  )
}

/** The selector of a tunnel SA for both families is left unspecified. */
function overlaps(inner: Prefix, asked: Prefix | undefined): boolean {
  return !asked || (inner.length === 0 && isUnspecified(inner)) || prefixesOverlap(inner, asked)
}
