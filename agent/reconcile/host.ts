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
  tunnelOf,
} from '../../netlink/route/messages.ts'
import { NetlinkSocket } from '../../netlink/socket/socket.ts'
import { type Address, isUnspecified } from '../model/address.ts'
import type { Tunnel } from '../translate/tunnels.ts'

const NETLINK_ROUTE = 0

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
  const socket = NetlinkSocket.open(NETLINK_ROUTE)
  try {
    return {
      localAddresses: dump(socket, 'GETADDR', dumpAddresses(), readLocalAddress),
      tunnels: new Map(
        dump(socket, 'GETLINK', dumpLinks(), readTunnel).map((tunnel) => [tunnel.name, tunnel]),
      ),
      routedMarks: dump(socket, 'GETRULE', dumpRules(), readFwmark).reduce(
        (all, mask) => (all | mask) >>> 0,
        0,
      ),
    }
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

function readTunnel(message: RouteMessage): Tunnel | undefined {
  if (message.name !== 'NEWLINK') return undefined
  const { ifname } = message.attributes
  const info = tunnelOf(message.attributes)
  const protocols = info && ENCAPSULATION[info.kind]
  if (!ifname || !info?.local || !info.remote || !protocols) return undefined
  const endpoints = { local: toAddress(info.local), remote: toAddress(info.remote) }
  if (isUnspecified(endpoints.local) || isUnspecified(endpoints.remote)) return undefined
  const skipsPolicy = info.kind === 'sit'
  return { name: ifname, ifindex: message.body.ifi_index, endpoints, protocols, skipsPolicy }
}

/** The IP protocols that a tunnel interface of each kind sends: IPv4 4, IPv6 41, GRE 47. */
const ENCAPSULATION: Readonly<Record<string, readonly number[]>> = {
  ipip: [4],
  sit: [41, 4],
  ip6tnl: [41, 4],
  gre: [47],
  ip6gre: [47],
}

function readFwmark(message: RouteMessage): number | undefined {
  if (message.name !== 'NEWRULE' || message.attributes.fwmark === undefined) return undefined
  return message.attributes.fwmask ?? 0xffff_ffff
}

function toAddress(bytes: Uint8Array): Address {
  return { family: bytes.length === 4 ? 'inet' : 'inet6', bytes: new Uint8Array(bytes) }
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
