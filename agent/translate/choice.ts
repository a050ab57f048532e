/**
 * Which of several acceptable combinations an outbound policy asks for.
 *
 * An XFRM policy has one list of templates, so `or` on output is a choice made beforehand: for each pair of hosts,
 * the most preferred combination that has SAs there (ipsecconf(8): the sender uses the first that works). Where
 * pairs of hosts differ, those that do not follow the rule's main choice get a policy of their own.
 *
 * @module
 */
import { type Address, addressBits, formatAddress, type Prefix, prefixContains } from '../model/address.ts'
import type { AddressPair } from '../model/policy.ts'
import type { Combination, ProtectionClass } from './classes.ts'

/** An SA that this host may send with. */
export interface OutboundAssociation {
  readonly source: Address
  readonly destination: Address
  readonly protectionClass: ProtectionClass
}

/** The SAs between two hosts. */
export interface Peer {
  readonly local: Address
  readonly remote: Address
  readonly classes: ReadonlySet<ProtectionClass>
}

export interface Choice {
  /** For every packet of the rule that no exception covers; `undefined` = nothing can satisfy the rule. */
  readonly main: Combination | undefined
  readonly exceptions: readonly { readonly peer: Peer; readonly combination: Combination }[]
}

/** The hosts that this host can send to under some SA, by address. */
export class Peers {
  readonly #byHosts = new Map<string, Peer & { classes: Set<ProtectionClass> }>()

  constructor(associations: Iterable<OutboundAssociation>) {
    for (const { source, destination, protectionClass } of associations) {
      const key = hostsKey(source, destination)
      const peer = this.#byHosts.get(key)
      if (peer) peer.classes.add(protectionClass)
      else {
        const classes = new Set([protectionClass])
        this.#byHosts.set(key, { local: source, remote: destination, classes })
      }
    }
  }

  /** The peers that an address pair of a rule covers. */
  covering({ local, remote }: AddressPair): Peer[] {
    if (local && remote && isHost(local) && isHost(remote)) {
      const peer = this.#byHosts.get(hostsKey(local, remote))
      return peer ? [peer] : []
    }
    return [...this.#byHosts.values()].filter(
      (peer) =>
        (!local || prefixContains(local, peer.local)) && (!remote || prefixContains(remote, peer.remote)),
    )
  }
}

function hostsKey(local: Address, remote: Address): string {
  return `${formatAddress(local)} ${formatAddress(remote)}`
}

function isHost(prefix: Prefix): boolean {
  return prefix.length === addressBits(prefix.family)
}

/** Chooses among `combinations`, most preferred first, for the traffic of one address pair of a rule. */
export function chooseOutbound(
  combinations: readonly Combination[],
  pair: AddressPair,
  peers: Peers,
): Choice {
  const [preferred] = combinations
  if (combinations.length < 2) return { main: preferred, exceptions: [] }
  const wishes: { peer: Peer; combination: Combination }[] = []
  for (const peer of peers.covering(pair)) {
    const combination = combinations.find((one) => isAvailable(one, peer))
    if (combination) wishes.push({ peer, combination })
  }
  const main = mostWished(combinations, wishes) ?? preferred
  return { main, exceptions: wishes.filter((wish) => wish.combination !== main) }
}

function isAvailable({ esp, ah }: Combination, peer: Peer): boolean {
  return (!esp || peer.classes.has(esp)) && (!ah || peer.classes.has(ah))
}

/** The combination that most pairs of hosts want; the more preferred one on a tie. */
function mostWished(
  combinations: readonly Combination[],
  wishes: readonly { combination: Combination }[],
): Combination | undefined {
  let best: Combination | undefined
  let most = 0
  for (const combination of combinations) {
    const count = wishes.filter((wish) => wish.combination === combination).length
    if (count > most) {
      best = combination
      most = count
    }
  }
  return best
}
