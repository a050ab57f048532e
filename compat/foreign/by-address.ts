/**
 * Tunnel rules in languages that know no interfaces: a packet belongs to the tunnel that its addresses name.
 *
 * @module
 */
import { type Prefix, prefixesOverlap } from '../../agent/model/address.ts'
import type { AddressPair, Rule, Selector } from '../../agent/model/policy.ts'
import { bandOf } from '../../agent/translate/priorities.ts'

/** For rules of a tunnel's inner packets, all of a list, in the order of the list. */
export class TunnelsByAddress {
  /** In the order in which they are asked. */
  readonly #order: readonly Rule[]

  constructor(rules: readonly Rule[]) {
    this.#order = rules
      .map((rule, index) => ({ rule, index, band: bandOf(rule.actions) }))
      .sort((a, b) => a.band - b.band || a.index - b.index)
      .map(({ rule }) => rule)
  }

  /** Why addresses do not say which packets a rule is about; `undefined` where they do. */
  problemOf(rule: Rule): string | undefined {
    const { tunnel, selector } = rule
    if (tunnel?.mode !== 'tunnel') return undefined
    if (selector.pairs.some(({ local, remote }) => !local?.length || !remote?.length)) {
      return 'what belongs into a tunnel is known by addresses alone: name them by laddr and raddr'
    }
    const place = this.#order.indexOf(rule)
    const rival = this.#order.find((other, index) => {
      if (other === rule || !sharePackets(other.selector, selector)) return false
      if (other.tunnel?.mode === 'tunnel') return index < place && other.tunnel.name !== tunnel.name
      // What is not routed into the tunnel must not get the tunnel's protection instead of its own.
      return index > place && !other.tunnel && other.actions.some(({ kind }) => kind === 'protect')
    })
    if (!rival) return undefined
    const where = `${rival.file}:${rival.span.line}`
    return `known by addresses alone, packets of ${tunnel.name} cannot be told from those of the rule at ${where}`
  }
}

/** For the people who load the output. */
export function remarkOnRoutes(rules: readonly Rule[]): string[] {
  if (!rules.some(({ tunnel }) => tunnel?.mode === 'tunnel')) return []
  return ['packets with the addresses of a tunnel rule go through that tunnel, whatever their route is.']
}

function sharePackets(a: Selector, b: Selector): boolean {
  return (
    same(a.protocol, b.protocol) &&
    same(a.localPort, b.localPort) &&
    same(a.remotePort, b.remotePort) &&
    a.pairs.some((one) => b.pairs.some((other) => pairsOverlap(one, other)))
  )
}

function same(a: number | undefined, b: number | undefined): boolean {
  return !a || !b || a === b
}

function pairsOverlap(a: AddressPair, b: AddressPair): boolean {
  return sidesOverlap(a.local, b.local) && sidesOverlap(a.remote, b.remote)
}

function sidesOverlap(a: Prefix | undefined, b: Prefix | undefined): boolean {
  return !a || !b || prefixesOverlap(a, b)
}
