/**
 * Which kinds of tunnel interfaces the kernel makes: one of each is tried.
 *
 * @module
 */
import { requestRoute } from '../../../netlink/route/request.ts'
import { createTunnel } from '../../../netlink/route/tunnels.ts'
import { NETLINK_ROUTE } from '../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../netlink/socket/socket.ts'
import { TUNNEL_KINDS, type TunnelKind } from '../../model/tunnel.ts'
import { type Trial, WORKS } from '../known.ts'
import { elsewhere } from './elsewhere.ts'

export type TunnelFacts = Readonly<Record<TunnelKind, Trial>>

/** Modules that are needed get loaded, as they would for a real tunnel. */
export function tryTunnels(): TunnelFacts {
  const entries = TUNNEL_KINDS.map((kind) => [kind, tryTunnel(kind)])
  return Object.fromEntries(entries) as Record<TunnelKind, Trial>
}

/** For documentation (RFC 5737, RFC 3849): nobody is there. */
const LOCAL = { inet: [192, 0, 2, 1], inet6: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] }
/** No interface of a new namespace has it. */
const IFINDEX = 100

/** The same for one kind. */
export function tryTunnel(kind: TunnelKind): Trial {
  return elsewhere(() => makeTunnel(kind))
}

function makeTunnel(kind: TunnelKind): Trial {
  const local = Uint8Array.from(LOCAL[kind.startsWith('ip6') ? 'inet6' : 'inet'])
  const remote = Uint8Array.from(local)
  remote[remote.length - 1] = 2
  const socket = NetlinkSocket.open(NETLINK_ROUTE)
  try {
    const { message, flags } = createTunnel('trial', IFINDEX, { kind, local, remote })
    requestRoute(socket, message, flags)
    return WORKS
  } finally {
    socket.close()
  }
}
