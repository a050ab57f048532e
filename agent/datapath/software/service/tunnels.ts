/**
 * Tunnel interfaces whose traffic policy protects. What is routed into one comes here with the interface's own header
 * around it; that is taken off again, and what was inside is protected in tunnel mode.
 *
 * @module
 */
import { dumpLinks, route } from '../../../../netlink/route/messages.ts'
import type { NetlinkSocket } from '../../../../netlink/socket/socket.ts'
import { formatAddress } from '../../../model/address.ts'
import { greLength } from '../../../packet/gre.ts'
import type { IpHeader } from '../../../packet/ip-header.ts'
import { IPPROTO_GRE, IPPROTO_IPIP, IPPROTO_IPV6 } from '../../../packet/protocols.ts'
import { readTunnel } from '../../../translate/tunnel-interfaces.ts'
import type { Tunnel } from '../../../translate/tunnels.ts'
import type { Policy } from '../policy/policy.ts'

export class Tunnels {
  readonly #socket: NetlinkSocket
  #list: readonly Tunnel[] = []

  /** @param socket of NETLINK_ROUTE; stays the caller's to close */
  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  get list(): readonly Tunnel[] {
    return this.#list
  }

  /**
   * Finds the interfaces that these policies are bound to.
   *
   * @returns true where they are others than before
   * @throws NetlinkError
   */
  refresh(policies: readonly Policy[]): boolean {
    const wanted = new Set(policies.map(({ info }) => info.sel.ifindex).filter(Boolean))
    const found: Tunnel[] = []
    if (wanted.size > 0) {
      this.#socket.dump({ type: route.type('GETLINK'), payload: dumpLinks() }, ({ type, payload }) => {
        const tunnel = readTunnel(route.decode(type, payload))
        if (tunnel && wanted.has(tunnel.ifindex)) found.push(tunnel)
      })
    }
    const isOther = textOf(found) !== textOf(this.#list)
    this.#list = found
    return isOther
  }

  /** The tunnel whose own packet this is. */
  of(bytes: Uint8Array, ip: IpHeader): Tunnel | undefined {
    if (this.#list.length === 0) return undefined
    const { transportProtocol, sourceAt, destinationAt } = ip
    return this.#list.find(
      ({ endpoints: { local, remote }, protocols }) =>
        protocols.includes(transportProtocol) &&
        isAddress(bytes, sourceAt, ip.version, local.bytes) &&
        isAddress(bytes, destinationAt, ip.version, remote.bytes),
    )
  }
}

function textOf(tunnels: readonly Tunnel[]): string {
  return JSON.stringify(
    tunnels.map(({ ifindex, endpoints: { local, remote }, protocols }) => [
      ifindex,
      formatAddress(local),
      formatAddress(remote),
      protocols,
    ]),
  )
}

function isAddress(bytes: Uint8Array, at: number, version: 4 | 6, address: Uint8Array): boolean {
  if (address.length !== (version === 4 ? 4 : 16)) return false
  return address.every((byte, i) => bytes[at + i] === byte)
}

/** Where the packet inside a tunnel's packet begins; -1 where there is none, or only a part of it. */
export function innerAt(bytes: Uint8Array, ip: IpHeader): number {
  if (ip.isFragment) return -1
  if (ip.transportProtocol === IPPROTO_IPIP || ip.transportProtocol === IPPROTO_IPV6) return ip.transportAt
  if (ip.transportProtocol !== IPPROTO_GRE) return -1
  const length = greLength(bytes, ip.transportAt, ip.end)
  return length < 0 ? -1 : ip.transportAt + length
}
