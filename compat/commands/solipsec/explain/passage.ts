/**
 * Which way a packet goes, by the addresses, the command line and the kernel's routes.
 *
 * @module
 */

import type { PartialPacket, Passage } from '../../../../agent/explain/packet.ts'
import { type Address, isLoopback, isUnspecified, sameAddress } from '../../../../agent/model/address.ts'
import type { HostNetwork } from '../../../../agent/reconcile/host.ts'
import type { Tunnel } from '../../../../agent/translate/tunnels.ts'
import { CommandError } from '../../support/exit.ts'
import type { Request } from './arguments.ts'
import { type Ends, endsText, type UpperLayer } from './question.ts'

/** Where the kernel sends a packet. */
export interface RouteFound {
  readonly ifindex: number
  readonly interface: string
}

/** How the kernel was asked for a route; `none`: it was not asked, for the rules are of a file. */
export type RouteAnswer =
  | { readonly kind: 'found'; readonly route: RouteFound }
  | { readonly kind: 'no route'; readonly why: string }
  | { readonly kind: 'not asked' }

export interface Journey {
  readonly packet: PartialPacket
  readonly passage: Passage
  readonly route: RouteAnswer
}

/** @throws CommandError where it cannot be told which way the packet goes */
export function journeyOf(
  ends: Ends,
  upper: UpperLayer,
  request: Pick<Request, 'way' | 'isForwarded' | 'interface'>,
  { localAddresses, tunnels }: Pick<HostNetwork, 'localAddresses' | 'tunnels'>,
  routeTo: (destination: Address) => RouteAnswer,
): Journey {
  const { isForwarded } = request
  const way = request.way ?? (isForwarded ? 'out' : wayOf(ends, localAddresses))
  const packet = partial(ends, upper, way)
  const route = way === 'out' ? routeTo(ends.destination) : ({ kind: 'not asked' } as const)
  const tunnel = tunnelFor(request.interface, route, tunnels)
  const ifindex = tunnel?.ifindex ?? (route.kind === 'found' ? route.route.ifindex : 0)
  return { packet, passage: { way, isForwarded, ifindex, ...(tunnel && { tunnel }) }, route }
}

function wayOf(ends: Ends, localAddresses: readonly Address[]): 'in' | 'out' {
  const isOurs = (address: Address) =>
    isLoopback(address) || localAddresses.some((own) => sameAddress(own, address))
  if (isOurs(ends.source) || isUnspecified(ends.source)) return 'out'
  if (isOurs(ends.destination) || isGroup(ends.destination)) return 'in'
  throw new CommandError(
    `neither of ${endsText(ends)} is an address of this host.\n` +
      'help: --out or --in says which of them is to count as one; --forwarded, that this host only passes it on',
  )
}

/** Multicast, and the broadcast of all networks. */
function isGroup({ family, bytes }: Address): boolean {
  const [first = 0] = bytes
  return family === 'inet' ? first >= 224 : first === 0xff
}

function partial({ source, destination }: Ends, upper: UpperLayer, way: 'in' | 'out'): PartialPacket {
  const [local, remote] = way === 'out' ? [source, destination] : [destination, source]
  const { protocol, sourcePort, destinationPort, type, code } = upper
  const [localPort, remotePort] =
    way === 'out' ? [sourcePort, destinationPort] : [destinationPort, sourcePort]
  return {
    family: local.family,
    local,
    remote,
    ...(protocol !== undefined && { protocol }),
    ...(localPort !== undefined && { localPort }),
    ...(remotePort !== undefined && { remotePort }),
    ...(type !== undefined && { type }),
    ...(code !== undefined && { code }),
  }
}

/** The tunnel that was named, or that the route leads into. */
function tunnelFor(
  name: string | undefined,
  route: RouteAnswer,
  tunnels: ReadonlyMap<string, Tunnel>,
): Tunnel | undefined {
  if (name === undefined) {
    if (route.kind !== 'found') return undefined
    return [...tunnels.values()].find(({ ifindex }) => ifindex === route.route.ifindex)
  }
  const tunnel = tunnels.get(name)
  if (tunnel) return tunnel
  throw new CommandError(
    `${name} is no tunnel interface with two ends.\nhelp: --interface matters for tunnels only`,
  )
}
