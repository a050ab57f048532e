/**
 * Rules as children of strongSwan's connections: who talks to whom about what, and what is done with it.
 *
 * A policy of strongSwan holds in both directions. One in transport mode is between single addresses; for peers that are
 * not one address, a trap waits for the first packet to tell which (swanctl.conf(5), `start_action`).
 *
 * @module
 */
import {
  addressBits,
  type Family,
  formatAddress,
  formatPrefix,
  maskPrefix,
  type Prefix,
} from '../../../agent/model/address.ts'
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import { familiesOf } from '../../../agent/model/entries.ts'
import {
  type AddressPair,
  PROTOCOLS_WITH_PORTS,
  type Protection,
  type Rule,
  reachableActions,
  type Selector,
} from '../../../agent/model/policy.ts'
import { type Tunnel, TunnelRuleError, transportRules, tunnelOf } from '../../../agent/translate/tunnels.ts'
import { type Proposals, proposalsOf } from './proposals.ts'

/** The packets of one child. Absent: all. */
export interface Traffic {
  readonly family: Family
  readonly local?: Prefix
  readonly remote?: Prefix
  readonly protocol?: number
  readonly localPort?: number
  readonly remotePort?: number
}

export interface Child {
  readonly mode: 'transport' | 'tunnel' | 'pass' | 'drop'
  readonly localAddresses: string
  readonly remoteAddresses: string
  readonly traffic: Traffic
  /** Of protection: no alternative without. */
  readonly proposals: readonly Proposals[]
  /** The peer is known by the packet: strongSwan chooses the priority itself. */
  readonly isOpen: boolean
}

/** @returns why a rule cannot be said, where it cannot */
export function childrenOf(
  rule: Rule,
  table: AlgorithmTable,
  tunnels: ReadonlyMap<string, Tunnel>,
): readonly Child[] | string {
  if (rule.direction !== 'both') return "strongSwan's policies hold in both directions"
  if (rule.selector.icmpType || rule.selector.icmpCode) return 'swanctl.conf has no ICMP types and codes'
  const verdict = verdictOf(rule, table)
  if (typeof verdict === 'string') return verdict
  try {
    const tunnel = tunnelOf(rule, tunnels)
    if (tunnel && verdict.kind !== 'protect')
      return 'strongSwan binds no pass and no drop to a tunnel interface'
    if (!tunnel) return all(rule.selector.pairs.map((pair) => fromHost(rule.selector, pair, verdict)))
    if (rule.tunnel?.mode === 'tunnel') {
      return all(rule.selector.pairs.map((pair) => throughTunnel(rule.selector, pair, tunnel, verdict)))
    }
    return all(transportRules(rule, tunnel).map((one) => fromHost(one.rule.selector, one.pair, verdict)))
  } catch (error) {
    if (error instanceof TunnelRuleError) return `${error.message} ${error.hint}`
    throw error
  }
}

function all(parts: readonly (readonly Child[] | string)[]): readonly Child[] | string {
  const problem = parts.find((part) => typeof part === 'string')
  return typeof problem === 'string'
    ? problem
    : parts.flatMap((part) => (typeof part === 'string' ? [] : part))
}

interface Verdict {
  readonly kind: 'protect' | 'pass' | 'drop'
  readonly proposals: readonly Proposals[]
}

function verdictOf({ actions, tunnel }: Rule, table: AlgorithmTable): Verdict | string {
  const reachable = reachableActions(actions)
  if (reachable.length === 0) return { kind: 'drop', proposals: [] }
  const protections = reachable.flatMap((one): Protection[] =>
    one.kind === 'protect' ? [one.protection] : [],
  )
  if (protections.length === 0) return { kind: 'pass', proposals: [] }
  if (protections.length < reachable.length)
    return 'strongSwan protects traffic or lets it pass, never either'
  const proposals: Proposals[] = []
  for (const protection of protections) {
    // A tunnel's own packets are one connection: their child has SAs of its own anyway.
    const unique = protection.unique && tunnel?.mode !== 'transport'
    const found = proposalsOf({ ...protection, unique }, table)
    if (typeof found === 'string') return found
    proposals.push(found)
  }
  if (new Set(proposals.map(({ kind }) => kind)).size > 1)
    return 'strongSwan cannot choose between ESP and AH'
  return { kind: 'protect', proposals }
}

function fromHost(selector: Selector, pair: AddressPair, verdict: Verdict): readonly Child[] | string {
  if (verdict.kind === 'protect') {
    if (pair.local && !isHost(pair.local) && pair.local.length > 0) {
      return 'in transport mode, strongSwan protects one address of this host or all: laddr is a network'
    }
    if (pair.remote && isHost(pair.remote) && !(pair.local && isHost(pair.local))) {
      return 'toward a single host, strongSwan protects one address of this host: name it by laddr'
    }
  }
  const { kind: mode, proposals } = verdict
  return familiesOf(pair).flatMap((family) =>
    trafficOf(selector, pair, family).map((traffic): Child => {
      const { local, remote } = traffic
      if (mode !== 'protect') {
        // Addresses that no peer has: IKE must not take this for a connection.
        const nobody = '127.0.0.1'
        return { mode, proposals, traffic, localAddresses: nobody, remoteAddresses: nobody, isOpen: false }
      }
      const any = family === 'inet' ? '%any4' : '%any6'
      return {
        mode: 'transport',
        localAddresses: local ? formatAddress(local) : any,
        remoteAddresses: remote ? endText(remote) : any,
        traffic,
        proposals,
        isOpen: !(remote && isHost(remote)),
      }
    }),
  )
}

/** A tunnel rule catches what is routed into the interface; here, its addresses have to say it. */
function throughTunnel(
  selector: Selector,
  pair: AddressPair,
  { endpoints }: Tunnel,
  { proposals }: Verdict,
): readonly Child[] | string {
  if (!pair.local?.length || !pair.remote?.length) {
    return 'strongSwan knows what belongs into a tunnel by addresses alone: name them by laddr and raddr'
  }
  return trafficOf(selector, pair, pair.local.family).map(
    (traffic): Child => ({
      mode: 'tunnel',
      localAddresses: formatAddress(endpoints.local),
      remoteAddresses: formatAddress(endpoints.remote),
      traffic,
      proposals,
      isOpen: false,
    }),
  )
}

function trafficOf(selector: Selector, pair: AddressPair, family: Family): Traffic[] {
  const { protocol, localPort, remotePort } = selector
  const local = pair.local && pair.local.length > 0 ? { local: maskPrefix(pair.local) } : {}
  const remote = pair.remote && pair.remote.length > 0 ? { remote: maskPrefix(pair.remote) } : {}
  const ports = { ...(localPort ? { localPort } : {}), ...(remotePort ? { remotePort } : {}) }
  const hasPorts = Boolean(localPort) || Boolean(remotePort)
  const protocols = protocol === undefined && hasPorts ? PROTOCOLS_WITH_PORTS : [protocol]
  return protocols.map((number) => ({
    family,
    ...local,
    ...remote,
    ...(number === undefined ? {} : { protocol: number }),
    ...ports,
  }))
}

export function isHost(prefix: Prefix): boolean {
  return prefix.length === addressBits(prefix.family)
}

function endText(prefix: Prefix): string {
  return isHost(prefix) ? formatAddress(prefix) : formatPrefix(prefix)
}
