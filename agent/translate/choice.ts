/**
 * Which of several acceptable combinations an outbound policy asks for.
 *
 * An XFRM policy has one list of templates, so `or` on output is a choice made beforehand: for each pair of hosts,
 * the most preferred combination that has SAs there (ipsecconf(8): the sender uses the first that works). Where
 * pairs of hosts differ, those that do not follow the rule's main choice get a policy of their own.
 *
 * `or pass` after one header is an optional template: the kernel itself looks whether there is an SA. Optional
 * templates for two headers would let a packet leave with one of them, which no alternative asks for, and tunnel
 * mode has none: there the choice is made beforehand as well.
 *
 * @module
 */
import {
  type Address,
  addressBits,
  formatAddress,
  isUnspecified,
  type Prefix,
  prefixContains,
} from '../model/address.ts'
import type { AddressPair } from '../model/policy.ts'
import type { Combination, ProtectionClass } from './classes.ts'
import type { Acceptance } from './combinations.ts'
import type { TunnelEndpoints } from './requirements.ts'

/** An SA that this host may send with. */
export interface OutboundAssociation {
  readonly source: Address
  readonly destination: Address
  readonly protectionClass: ProtectionClass
  /** Bound to one flow: it counts only where the two hosts have no other. */
  readonly unique: boolean
}

/** The SAs between two hosts. */
export interface Peer {
  /** Absent: SAs without a source, good for every address of this host. */
  readonly local?: Address
  readonly remote: Address
  readonly classes: ReadonlySet<ProtectionClass>
}

export interface Wish {
  readonly peer: Peer
  readonly combination: Combination
}

export interface Choice {
  /** For every packet of the rule that no exception covers; `undefined` = nothing can satisfy the rule. */
  readonly main: Combination | undefined
  /** Those for one address of this host count before those for all. */
  readonly exceptions: readonly Wish[]
}

/** The hosts that this host can send to under some SA, by address. */
export class Peers {
  readonly #byHosts = new Map<string, Peer>()

  constructor(associations: Iterable<OutboundAssociation>) {
    const byHosts = new Map<string, Peer & { classes: Set<ProtectionClass> }>()
    const all = [...associations]
    const shared = new Set(all.filter(({ unique }) => !unique).map(hostsOf))
    for (const one of all) {
      const { source, destination, protectionClass } = one
      if (one.unique && shared.has(hostsOf(one))) continue
      const local = isUnspecified(source) ? undefined : source
      const key = hostsKey(local, destination)
      const peer = byHosts.get(key)
      if (peer) peer.classes.add(protectionClass)
      else
        byHosts.set(key, {
          ...(local && { local }),
          remote: destination,
          classes: new Set([protectionClass]),
        })
    }
    for (const [key, peer] of byHosts) {
      const sourceless = byHosts.get(hostsKey(undefined, peer.remote))
      for (const one of sourceless?.classes ?? []) peer.classes.add(one)
      this.#byHosts.set(key, peer)
    }
  }

  /** The peers that an address pair of a rule covers. */
  covering({ local, remote }: AddressPair): Peer[] {
    if (local && remote && isHost(local) && isHost(remote)) {
      const peer = this.between(local, remote)
      return peer ? [peer] : []
    }
    return [...this.#byHosts.values()].filter(
      (peer) =>
        (!local || (peer.local ? prefixContains(local, peer.local) : local.family === peer.remote.family)) &&
        (!remote || prefixContains(remote, peer.remote)),
    )
  }

  /** What there is for packets from one host to another. */
  between(local: Address, remote: Address): Peer | undefined {
    return this.#byHosts.get(hostsKey(local, remote)) ?? this.#byHosts.get(hostsKey(undefined, remote))
  }
}

function hostsOf({ source, destination }: OutboundAssociation): string {
  return hostsKey(isUnspecified(source) ? undefined : source, destination)
}

function hostsKey(local: Address | undefined, remote: Address): string {
  return `${local ? formatAddress(local) : '*'} ${formatAddress(remote)}`
}

function isHost(prefix: Prefix): boolean {
  return prefix.length === addressBits(prefix.family)
}

/** Chooses among what a rule accepts for the traffic of one of its address pairs. */
export function chooseOutbound(acceptance: Acceptance, pair: AddressPair, peers: Peers): Choice {
  const { combinations, clear } = acceptance
  const general = clear ? combinations.filter(canBeOptional) : combinations
  if (combinations.length < 2 && general.length === combinations.length) {
    return { main: general[0], exceptions: [] }
  }
  const wishes: Wish[] = []
  for (const peer of peers.covering(pair)) {
    const combination = preferredFor(peer, combinations)
    if (combination) wishes.push({ peer, combination })
  }
  const main = mostWished(general, wishes) ?? general[0]
  const forAll = new Set(wishes.flatMap(({ peer }) => (peer.local ? [] : [formatAddress(peer.remote)])))
  // Who wants the main choice still needs a policy of its own where one for all addresses stands before the rule's.
  const differs = ({ peer, combination }: Wish) =>
    combination !== main || (peer.local !== undefined && forAll.has(formatAddress(peer.remote)))
  return { main, exceptions: wishes.filter(differs) }
}

/** Chooses for a tunnel, whose packets all go between the same two hosts. */
export function chooseForTunnel(
  { combinations, clear }: Acceptance,
  { local, remote }: TunnelEndpoints,
  peers: Peers,
): Choice {
  const peer = peers.between(local, remote)
  const available = peer && preferredFor(peer, combinations)
  return { main: available ?? (clear ? undefined : combinations[0]), exceptions: [] }
}

/** True where "use it if there is an SA" means all or nothing. */
export function canBeOptional({ esp, ah }: Combination): boolean {
  return !esp || !ah
}

function preferredFor(peer: Peer, combinations: readonly Combination[]): Combination | undefined {
  return combinations.find(({ esp, ah }) => (!esp || peer.classes.has(esp)) && (!ah || peer.classes.has(ah)))
}

/** The combination that most pairs of hosts want; the more preferred one on a tie. */
function mostWished(combinations: readonly Combination[], wishes: readonly Wish[]): Combination | undefined {
  const counts = new Map<Combination, number>()
  for (const { combination } of wishes) counts.set(combination, (counts.get(combination) ?? 0) + 1)
  let best: Combination | undefined
  for (const combination of combinations) {
    if ((counts.get(combination) ?? 0) > (best ? (counts.get(best) ?? 0) : 0)) best = combination
  }
  return best
}
