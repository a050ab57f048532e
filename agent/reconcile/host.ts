/**
 * Facts about this host that policies depend on, in the network namespace of the calling thread.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  dumpAddresses,
  dumpLinks,
  dumpRules,
  type RouteMessage,
  route,
} from '../../netlink/route/messages.ts'
import { NETLINK_ROUTE } from '../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../netlink/socket/socket.ts'
import type { Address, Prefix } from '../model/address.ts'
import { type HostLink, readLink, readTunnel, toAddress } from '../translate/tunnel-interfaces.ts'
import type { Tunnel } from '../translate/tunnels.ts'

/** What rtnetlink says of this host. */
export interface HostNetwork {
  readonly localAddresses: readonly Address[]
  /** Tunnel interfaces by name. */
  readonly tunnels: ReadonlyMap<string, Tunnel>
  /** Mark bits that policy routing rules look at: not ours to write. */
  readonly routedMarks: number
}

/** Reads addresses, tunnel interfaces and policy routing rules. */
export function readHostNetwork(): HostNetwork {
  return withRoutes((socket) => ({
    localAddresses: dump(socket, 'GETADDR', dumpAddresses(), readLocalAddress),
    tunnels: new Map(dump(socket, 'GETLINK', dumpLinks(), readTunnel).map((tunnel) => [tunnel.name, tunnel])),
    routedMarks: dump(socket, 'GETRULE', dumpRules(), readFwmark).reduce(
      (all, mask) => (all | mask) >>> 0,
      0,
    ),
  }))
}

/** The interfaces of this host, with their addresses. */
export function readHostLinks(): HostLink[] {
  return withRoutes((socket) => {
    const prefixes = new Map<number, Prefix[]>()
    for (const { ifindex, prefix } of dump(socket, 'GETADDR', dumpAddresses(), readInterfaceAddress)) {
      const others = prefixes.get(ifindex)
      if (others) others.push(prefix)
      else prefixes.set(ifindex, [prefix])
    }
    const links = dump(socket, 'GETLINK', dumpLinks(), readLink)
    return links.map((link) => ({ ...link, addresses: prefixes.get(link.ifindex) ?? [] }))
  })
}

function withRoutes<T>(use: (socket: NetlinkSocket) => T): T {
  const socket = NetlinkSocket.open(NETLINK_ROUTE)
  try {
    return use(socket)
  } finally {
    socket.close()
  }
}

/** Runs a dump and keeps what `read` makes of each entry. */
function dump<T>(
  socket: NetlinkSocket,
  name: 'GETADDR' | 'GETLINK' | 'GETRULE',
  payload: Uint8Array,
  read: (message: RouteMessage) => T | undefined,
): T[] {
  const found: T[] = []
  socket.dump({ type: route.type(name), payload }, (entry) => {
    const item = read(route.decode(entry.type, entry.payload))
    if (item !== undefined) found.push(item)
  })
  return found
}

function readLocalAddress(message: RouteMessage): Address | undefined {
  if (message.name !== 'NEWADDR') return undefined
  const { local, address } = message.attributes
  const bytes = local ?? address
  return bytes && toAddress(bytes)
}

function readInterfaceAddress(message: RouteMessage): { ifindex: number; prefix: Prefix } | undefined {
  const address = readLocalAddress(message)
  if (message.name !== 'NEWADDR' || !address) return undefined
  const { ifa_index: ifindex, ifa_prefixlen: length } = message.body
  return { ifindex, prefix: { ...address, length } }
}

function readFwmark(message: RouteMessage): number | undefined {
  if (message.name !== 'NEWRULE' || message.attributes.fwmark === undefined) return undefined
  return message.attributes.fwmask ?? 0xffff_ffff
}

/** True where some interface forwards packets of either family. */
export function isForwarding(): boolean {
  return ['ipv4', 'ipv6'].some((family) => {
    const folder = join('/proc/sys/net', family, 'conf')
    return interfacesOf(folder).some((name) => readFlag(join(folder, name, 'forwarding')))
  })
}

function interfacesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    // A kernel without the family has no folder for it.
    return []
  }
}

function readFlag(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').trim() !== '0'
  } catch {
    // The interface went away meanwhile.
    return false
  }
}
