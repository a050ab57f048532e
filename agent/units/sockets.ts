/**
 * The sockets of units of systemd, as the kernel's socket diagnostics tell of them: TCP sockets that listen or have a
 * peer, and UDP sockets with a port. What never leaves the host is not among them.
 *
 * @module
 */
import { socketState } from '../../netlink/diag/constants.ts'
import { cgroupIdOf, DIAG_REQUEST, type DiagMessage, diag, dumpSockets } from '../../netlink/diag/messages.ts'
import { AF_INET, AF_INET6 } from '../../netlink/libc/socket.ts'
import { NETLINK_SOCK_DIAG } from '../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../netlink/socket/socket.ts'
import {
  addressOf,
  CONNECTED,
  type Flow,
  isWithinHost,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../latch/connections.ts'
import { isLoopback } from '../model/address.ts'

export interface UnitSocket extends Flow {
  readonly unit: string
  /** The socket's number, which no other socket of this start of the host ever has. */
  readonly cookie: bigint
  /** AF_INET or AF_INET6: an IPv6 socket may bear IPv4 addresses. */
  readonly domain: number
  /** It waits for connections. */
  readonly isListening: boolean
  /** Else address and port of the other end are 0. */
  readonly hasPeer: boolean
}

export interface UnitSockets {
  readonly sockets: readonly UnitSocket[]
  /** There were sockets, and the kernel did not say of which cgroup. */
  readonly isUnknown: boolean
}

const STATES = {
  [PROTOCOL_TCP]: [socketState.LISTEN, socketState.SYN_SENT, ...CONNECTED],
  [PROTOCOL_UDP]: [socketState.ESTABLISHED, socketState.CLOSE],
}

/**
 * Looks, in the network namespace of the calling thread.
 *
 * @param unitOf the unit of a cgroup; `undefined` for cgroups that are not asked for
 * @throws NetlinkError where the kernel lacks socket diagnostics
 */
export function readUnitSockets(unitOf: (cgroup: bigint) => string | undefined): UnitSockets {
  const netlink = NetlinkSocket.open(NETLINK_SOCK_DIAG)
  try {
    const sockets: UnitSocket[] = []
    let [told, untold] = [0, 0]
    for (const family of [AF_INET, AF_INET6]) {
      for (const protocol of [PROTOCOL_TCP, PROTOCOL_UDP] as const) {
        const payload = dumpSockets({ family, protocol, states: STATES[protocol] })
        netlink.dump({ type: DIAG_REQUEST, payload }, (entry) => {
          const cgroup = cgroupIdOf(entry.payload)
          if (cgroup === undefined) untold++
          else told++
          const unit = cgroup === undefined ? undefined : unitOf(cgroup)
          if (unit === undefined) return
          const socket = socketOf(diag.decode(entry.type, entry.payload), protocol, unit)
          if (canLeaveHost(socket)) sockets.push(socket)
        })
      }
    }
    return { sockets, isUnknown: told === 0 && untold > 0 }
  } finally {
    netlink.close()
  }
}

/** Of a socket without a peer, the other end is no address. */
function canLeaveHost(socket: UnitSocket): boolean {
  return socket.hasPeer ? !isWithinHost(socket, []) : !isLoopback(socket.local)
}

/** A socket of an answer. Pure. */
function socketOf({ body }: DiagMessage, protocol: Flow['protocol'], unit: string): UnitSocket {
  const { idiag_family: domain, idiag_state: state, id } = body
  return {
    unit,
    protocol,
    cookie: id.idiag_cookie,
    domain,
    isListening: protocol === PROTOCOL_TCP && state === socketState.LISTEN,
    hasPeer: id.idiag_dport !== 0,
    local: addressOf(id.idiag_src, domain),
    remote: addressOf(id.idiag_dst, domain),
    localPort: id.idiag_sport,
    remotePort: id.idiag_dport,
  }
}
