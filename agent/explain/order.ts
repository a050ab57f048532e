/**
 * The order in which rules are asked: by kind, and within a kind by place (ipsecconf(8)). The first that is about a
 * packet decides.
 *
 * @module
 */
import type { AddressPair, Rule } from '../model/policy.ts'
import { type LoadedRule, shownIndex } from '../reconcile/policy-state.ts'
import { BAND, bandOf } from '../translate/priorities.ts'
import { type Tunnel, transportRules } from '../translate/tunnels.ts'
import { type Match, matchRule } from './match.ts'
import type { PartialPacket } from './packet.ts'

export type RuleKind = 'bypass' | 'AH and ESP' | 'ESP' | 'AH' | 'drop'

const KINDS: ReadonlyMap<number, RuleKind> = new Map([
  [BAND.bypass, 'bypass'],
  [BAND.ahEsp, 'AH and ESP'],
  [BAND.esp, 'ESP'],
  [BAND.ah, 'AH'],
  [BAND.drop, 'drop'],
])

/** One address pair of a loaded rule, as something to ask. */
export interface Candidate {
  readonly rule: Rule
  readonly pair: AddressPair
  readonly position: number
  /** The number that its rule is shown under, as in `ipsecconf` and `solipsec status`. */
  readonly index: number
  readonly kind: RuleKind
}

/** Rules of the host are one set, those of each tunnel in tunnel mode another (ipsecconf(8)). */
export type RuleSet = { readonly kind: 'host' } | { readonly kind: 'tunnel'; readonly name: string }

/**
 * The rules of one set in the order of asking. Those of `negotiate transport` are of the host: they are about the
 * tunnel's own packets.
 */
export function candidatesOf(
  loaded: readonly LoadedRule[],
  set: RuleSet,
  tunnels: ReadonlyMap<string, Tunnel>,
): Candidate[] {
  const candidates: (Candidate & { readonly band: number })[] = []
  for (const one of loaded) {
    const { rule, placements } = one
    const { tunnel } = rule
    const isOfTunnel = tunnel?.mode === 'tunnel'
    if (set.kind === 'tunnel' ? !isOfTunnel || tunnel.name !== set.name : isOfTunnel) continue
    const band = bandOf(rule.actions)
    const kind = KINDS.get(band) ?? 'drop'
    const index = shownIndex(one)
    rule.selector.pairs.forEach((pair, i) => {
      const { position = 0 } = placements[i] ?? {}
      for (const outer of expanded(rule, pair, tunnels))
        candidates.push({ ...outer, position, index, kind, band })
    })
  }
  return candidates.sort((a, b) => a.band - b.band || a.position - b.position)
}

/** A rule about a tunnel's own packets says which these are by the tunnel's ends. */
function expanded(rule: Rule, pair: AddressPair, tunnels: ReadonlyMap<string, Tunnel>) {
  const { tunnel: reference } = rule
  if (reference?.mode !== 'transport') return [{ rule, pair }]
  const tunnel = tunnels.get(reference.name)
  if (!tunnel) return []
  return transportRules(rule, tunnel).map((outer) => ({
    rule: { ...outer.rule, tunnel: reference },
    pair: outer.pair,
  }))
}

/** A rule that was asked, and what came of it. */
export interface Consideration {
  readonly candidate: Candidate
  readonly match: Match
}

export interface Considered {
  /** In order, up to the one that is about the packet. */
  readonly asked: readonly Consideration[]
  /** The one that is about the packet whatever its open parts are. */
  readonly winner: Candidate | undefined
  /** How many stand behind the winner. */
  readonly notAsked: number
  /** Those of them that are about the packet as well, in vain. */
  readonly inVain: readonly Candidate[]
}

/** Asks rules one after the other until one is about the packet. */
export function consider(
  candidates: readonly Candidate[],
  packet: PartialPacket,
  way: 'in' | 'out',
): Considered {
  const matchOf = ({ rule, pair }: Candidate) => matchRule(rule, pair, packet, way)
  const asked: Consideration[] = []
  for (const candidate of candidates) {
    const match = matchOf(candidate)
    asked.push({ candidate, match })
    if (match.kind !== 'yes') continue
    const behind = candidates.slice(asked.length)
    const inVain = behind.filter((one) => matchOf(one).kind === 'yes')
    return { asked, winner: candidate, notAsked: behind.length, inVain }
  }
  return { asked, winner: undefined, notAsked: 0, inVain: [] }
}
