/**
 * Established connections of this host, as the kernel's socket diagnostics tell of them: TCP connections, and UDP sockets
 * that are connected to a peer.
 *
 * @module
 */
import { diagGroup, socketState } from '../../netlink/diag/constants.ts'
import { DIAG_REQUEST, type DiagMessage, diag, dumpSockets } from '../../netlink/diag/messages.ts'
import { AF_INET, AF_INET6 } from '../../netlink/libc/socket.ts'
import { NETLINK_SOCK_DIAG } from '../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../netlink/socket/socket.ts'
import { type Address, formatAddress, isLoopback, sameAddress } from '../model/address.ts'

export const PROTOCOL_TCP = 6
export const PROTOCOL_UDP = 17

/** The two ends of a connection, from this host's point of view. */
export interface Flow {
  readonly protocol: typeof PROTOCOL_TCP | typeof PROTOCOL_UDP
  readonly local: Address
  readonly remote: Address
  readonly localPort: number
  readonly remotePort: number
}

export interface Connection extends Flow {
  /** The socket's number, which no other socket of this start of the host ever has. */
  readonly cookie: string
}

/** Groups of events about sockets that are no more. */
export const DESTROY_GROUPS: readonly number[] = Object.values(diagGroup)

/** What Solaris calls connected: from the handshake's end to the last packet. */
export const CONNECTED: readonly number[] = [
  socketState.ESTABLISHED,
  socketState.FIN_WAIT1,
  socketState.FIN_WAIT2,
  socketState.CLOSE_WAIT,
  socketState.LAST_ACK,
  socketState.CLOSING,
]

/**
 * Reads all of them, in the network namespace of the calling thread.
 *
 * @throws NetlinkError where the kernel lacks socket diagnostics
 */
export function readConnections(): Connection[] {
  const socket = NetlinkSocket.open(NETLINK_SOCK_DIAG)
  try {
    const found: Connection[] = []
    for (const family of [AF_INET, AF_INET6]) {
      for (const protocol of [PROTOCOL_TCP, PROTOCOL_UDP] as const) {
        const states = protocol === PROTOCOL_TCP ? CONNECTED : [socketState.ESTABLISHED]
        const payload = dumpSockets({ family, protocol, states })
        socket.dump({ type: DIAG_REQUEST, payload }, (entry) => {
          const connection = connectionOf(diag.decode(entry.type, entry.payload), protocol)
          if (connection) found.push(connection)
        })
      }
    }
    return found
  } finally {
    socket.close()
  }
}

/** A socket of an answer or an event; `undefined` for one without a peer. Pure. */
function connectionOf({ body }: DiagMessage, protocol: Flow['protocol']): Connection | undefined {
  const { idiag_family: family, id } = body
  if (id.idiag_dport === 0) return undefined
  return {
    protocol,
    local: addressOf(id.idiag_src, family),
    remote: addressOf(id.idiag_dst, family),
    localPort: id.idiag_sport,
    remotePort: id.idiag_dport,
    cookie: id.idiag_cookie.toString(16),
  }
}

const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

/** Sockets of IPv6 may be connected over IPv4. */
export function addressOf(bytes: Uint8Array, family: number): Address {
  if (family === AF_INET) return { family: 'inet', bytes: bytes.slice(0, 4) }
  return MAPPED.every((byte, i) => bytes[i] === byte)
    ? { family: 'inet', bytes: bytes.slice(12) }
    : { family: 'inet6', bytes }
}

/** True where nothing leaves this host: then policy is not asked. */
export function isWithinHost({ local, remote }: Flow, localAddresses: readonly Address[]): boolean {
  return (
    isLoopback(remote) ||
    isLoopback(local) ||
    sameAddress(local, remote) ||
    localAddresses.some((own) => sameAddress(own, remote))
  )
}

/** The same text for the same two ends. */
export function flowKey({ protocol, local, remote, localPort, remotePort }: Flow): string {
  return `${protocol} ${formatAddress(local)} ${localPort} ${formatAddress(remote)} ${remotePort}`
}

/** `192.0.2.1:22`, `[2001:db8::1]:22`. */
export function formatEnd(address: Address, port: number): string {
  const text = formatAddress(address)
  return `${address.family === 'inet6' ? `[${text}]` : text}:${port}`
}

/** `tcp 192.0.2.1:22 - 198.51.100.7:50122`. */
export function flowText({ protocol, local, remote, localPort, remotePort }: Flow): string {
  const name = protocol === PROTOCOL_TCP ? 'tcp' : 'udp'
  return `${name} ${formatEnd(local, localPort)} - ${formatEnd(remote, remotePort)}`
}
