/**
 * The tunnel interfaces that a configuration can ask for.
 *
 * @module
 */
import { TUNNEL_KINDS, type TunnelKind, tunnelModules } from '../../model/tunnel.ts'
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, unknownFinding } from '../finding.ts'
import { wayToPart } from './modules.ts'

const finding = findingsOf('kernel')

/** Options of the kernel's build. */
const OPTIONS: Readonly<Record<TunnelKind, string>> = {
  ipip: 'NET_IPIP',
  ip6tnl: 'IPV6_TUNNEL',
  gre: 'NET_IPGRE',
  ip6gre: 'IPV6_GRE',
}

export function checkTunnels({ tunnels, kernel }: Facts): Finding[] {
  return TUNNEL_KINDS.map((kind) => {
    const [check, subject] = [`interface-${kind}`, `tunnel interfaces (${kind})`]
    const trial = tunnels[kind]
    if (trial.outcome === 'untried') return unknownFinding('kernel', check, subject, trial.why)
    if (trial.outcome === 'works') return finding(check, subject, 'ok', 'The kernel makes them.')
    const meaning = `The kernel makes none (${trial.why}): a configuration with one of this kind is refused.`
    const part = { module: tunnelModules[kind], option: OPTIONS[kind] }
    return finding(check, subject, 'note', meaning, ...wayToPart(part, kernel))
  })
}
