/**
 * Which kind of SA a socket is bound to. Pure.
 *
 * A policy of a socket names one reqid for each header, so of all the kinds of SAs that would do, one is chosen: that of
 * which there are SAs, to the socket's peer where it has one; without SAs, the only kind that would do. Where there are
 * no SAs and several kinds would do, nothing is chosen: a guess would leave the socket without SAs for good.
 *
 * @module
 */
import { type Address, sameAddress } from '../model/address.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { Protection } from '../model/policy.ts'
import { possibleContents } from '../translate/classes.ts'
import {
  type Requirement,
  requirementsOf,
  type SaContent,
  type SaKind,
  satisfies,
  type TunnelEndpoints,
} from '../translate/requirements.ts'
import { kindKey, kindOf } from '../translate/socket-kinds.ts'

export interface ChoiceFacts {
  /** The SAs that there are. */
  readonly contents: readonly SaContent[]
  readonly algorithms: AlgorithmTable
  /** Whom the socket talks to, where that is known. */
  readonly peer?: Address
}

/** One kind for each header, innermost first; or the requirement that no SA satisfies. */
export type ChosenKinds = { readonly kinds: readonly SaKind[] } | { readonly missing: Requirement }

export function chooseKinds(
  protection: Protection,
  tunnel: TunnelEndpoints | undefined,
  facts: ChoiceFacts,
): ChosenKinds {
  const kinds: SaKind[] = []
  for (const requirement of requirementsOf(protection, tunnel)) {
    const kind = chooseKind(requirement, facts)
    if (!kind) return { missing: requirement }
    kinds.push(kind)
  }
  return { kinds }
}

function chooseKind(
  requirement: Requirement,
  { contents, algorithms, peer }: ChoiceFacts,
): SaKind | undefined {
  const fitting = contents.filter((content) => satisfies(content, requirement))
  const close = peer
    ? fitting.filter(({ source, destination }) => sameAddress(destination, peer) || sameAddress(source, peer))
    : fitting
  return (
    mostFrequent(close, requirement) ?? mostFrequent(fitting, requirement) ?? only(requirement, algorithms)
  )
}

/** The kind with the most SAs; shared ones before unique ones where there are as many, then in a stable order. */
function mostFrequent(contents: readonly SaContent[], { tunnel }: Requirement): SaKind | undefined {
  const counts = new Map<string, { readonly kind: SaKind; count: number }>()
  for (const content of contents) {
    const kind = kindOf(content, tunnel)
    const key = kindKey(kind)
    const known = counts.get(key)
    if (known) known.count++
    else counts.set(key, { kind, count: 1 })
  }
  const ranked = [...counts].sort(
    ([keyA, a], [keyB, b]) =>
      b.count - a.count || Number(a.kind.unique) - Number(b.kind.unique) || (keyA < keyB ? -1 : 1),
  )
  return ranked[0]?.[1].kind
}

/** The one kind that would do, were there SAs. Of tunnels there may be as many as peers that somebody thinks of. */
function only(requirement: Requirement, algorithms: AlgorithmTable): SaKind | undefined {
  const { protocol, tunnel, unique } = requirement
  if (tunnel) return undefined
  const kinds = new Map<string, SaKind>()
  for (const content of possibleContents(protocol, tunnel, algorithms)) {
    if (content.unique !== unique || !satisfies(content, requirement)) continue
    const kind = kindOf(content)
    kinds.set(kindKey(kind), kind)
    if (kinds.size > 1) return undefined
  }
  return [...kinds.values()][0]
}
