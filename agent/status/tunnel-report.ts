/**
 * How the tunnel interfaces are that solipsec has made. Pure.
 *
 * @module
 */
import { formatAddress } from '../model/address.ts'
import type { OwnTunnel } from '../model/tunnel.ts'
import { planTunnels } from '../reconcile/tunnel-plan.ts'
import type { HostLink } from '../translate/tunnel-interfaces.ts'
import type { TunnelReport } from './report.ts'

/** @param links the interfaces that there are */
export function reportTunnels(own: readonly OwnTunnel[], links: readonly HostLink[]): TunnelReport[] {
  const { add, change, blocked } = planTunnels(own, own, links)
  const missing = new Set(add.map(({ name }) => name))
  const taken = new Set(blocked.map(({ wanted }) => wanted.name))
  const stateOf = (name: string): TunnelReport['state'] => {
    if (taken.has(name)) return 'taken'
    if (missing.has(name)) return 'missing'
    const { differences = [] } = change.find(({ to }) => to.name === name) ?? {}
    if (differences.some((one) => one !== 'state')) return 'changed'
    return differences.length > 0 ? 'down' : 'up'
  }
  return own.map(({ name, kind, local, remote }) => ({
    name,
    kind,
    local: formatAddress(local),
    remote: formatAddress(remote),
    state: stateOf(name),
  }))
}
