/**
 * The host as it will be when its tunnel interfaces are as they are to be. Pure.
 *
 * @module
 */
import { type Address, formatAddress, formatPrefix } from '../model/address.ts'
import type { OwnTunnel } from '../model/tunnel.ts'
import { describedTunnel, type HostLink } from '../translate/tunnel-interfaces.ts'
import type { HostNetwork } from './host.ts'

/**
 * @param links the interfaces that there are
 * @param before those of ours that there are, or were
 * @param after those of ours that there will be
 */
export function networkWith(
  network: HostNetwork,
  links: readonly HostLink[],
  before: readonly OwnTunnel[],
  after: readonly OwnTunnel[],
): HostNetwork {
  if (before.length + after.length === 0) return network
  const tunnels = new Map(network.tunnels)
  const numbers = new Set(before.map(({ ifindex }) => ifindex))
  for (const { name, ifindex } of network.tunnels.values()) if (numbers.has(ifindex)) tunnels.delete(name)
  // A name that is somebody else's stays so.
  for (const one of after) {
    if (!tunnels.has(one.name)) tunnels.set(one.name, describedTunnel(one, one.ifindex))
  }
  return { ...network, tunnels, localAddresses: addressesWith(network.localAddresses, links, before, after) }
}

/** Each interface's addresses count for themselves: two may have the same one. */
function addressesWith(
  present: readonly Address[],
  links: readonly HostLink[],
  before: readonly OwnTunnel[],
  after: readonly OwnTunnel[],
): Address[] {
  const gone: string[] = []
  const fresh: Address[] = []
  for (const link of links) {
    const given = before.filter(({ ifindex }) => ifindex === link.ifindex)
    const next = after.find(({ ifindex }) => ifindex === link.ifindex)
    const wanted = new Set(next?.addresses.map(formatPrefix))
    const ours = new Set(given.flatMap(({ addresses }) => addresses.map(formatPrefix)))
    for (const address of link.addresses) {
      const text = formatPrefix(address)
      const goesAlong = given.length > 0 && !next
      if (goesAlong || (ours.has(text) && !wanted.has(text))) gone.push(formatAddress(address))
    }
  }
  for (const { ifindex, addresses } of after) {
    const has = new Set(links.find((link) => link.ifindex === ifindex)?.addresses.map(formatPrefix))
    for (const one of addresses) if (!has.has(formatPrefix(one))) fresh.push(one)
  }
  const kept = present.filter((address) => {
    const place = gone.indexOf(formatAddress(address))
    if (place >= 0) gone.splice(place, 1)
    return place < 0
  })
  return [...kept, ...fresh.map(({ family, bytes }) => ({ family, bytes }))]
}
