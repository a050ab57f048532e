/**
 * What the kernel is to be told for a demand on a socket: family, tunnel, SAs.
 *
 * @module
 */

import { SystemError } from '../../netlink/libc/errno.ts'
import { writeInetAddress } from '../../netlink/libc/inet-address.ts'
import { close, connect, getSockName, SOCK_DGRAM, socket } from '../../netlink/libc/socket.ts'
import { IPPROTO_SCTP } from '../../netlink/libc/socket-options.ts'
import { type Address, type Family, isLoopback } from '../model/address.ts'
import type { TunnelEndpoints } from '../translate/requirements.ts'
import { familyNumber } from '../translate/selectors.ts'
import type { SocketDemand } from './demand.ts'
import { type InspectedSocket, readSockaddr } from './inspect.ts'
import { SocketError } from './socket-error.ts'

/** @throws SocketError EINVAL where it is too late for another policy */
export function checkChangeable({ isLatched, isListening, waiting, protocol }: InspectedSocket): void {
  if (isLatched) throw new SocketError('EINVAL', 'the connection has begun, and keeps the policy that it has')
  if (waiting > 0) {
    throw new SocketError('EINVAL', 'connections wait to be accepted; set the policy before listen()')
  }
  if (isListening && protocol === IPPROTO_SCTP) {
    throw new SocketError('EINVAL', 'the socket listens already; set the policy before listen()')
  }
}

/** What there is to know of where a socket's packets go. */
export interface Course {
  readonly family: Family
  /** The socket speaks both families, and has to be kept to IPv6 before it is bound. */
  readonly needsInet6Only: boolean
  /** Bound to an address from which nothing leaves this host. */
  readonly isLocal: boolean
  readonly peer?: Address
}

/**
 * The kernel takes policies for one family. Of a socket that may speak both, the other would go in clear.
 *
 * @param named whom the program says it will talk to
 * @throws SocketError EAFNOSUPPORT, EINVAL
 */
export function courseOf(inspected: InspectedSocket, named: Address | undefined): Course {
  const { family: own, local, peer: connected, isAmbiguous, localPort } = inspected
  const known = connected?.family ?? local?.family ?? (isAmbiguous ? undefined : own)
  const peer = connected ?? named
  const family = known ?? named?.family
  if (family === undefined || (isAmbiguous && (family === 'inet' || localPort !== 0))) {
    throw new SocketError(
      'EAFNOSUPPORT',
      'the socket speaks IPv6 and IPv4, and can have a policy for one of them only: set IPV6_V6ONLY before it is ' +
        'bound, bind it to an address, or use an IPv4 socket',
    )
  }
  if (peer && peer.family !== family) throw new SocketError('EINVAL', 'the peer is of another address family')
  const isLocal = local !== undefined && isLoopback(local)
  return { family, needsInet6Only: isAmbiguous, isLocal, ...(peer && { peer }) }
}

/**
 * The ends of the tunnel that a self-encapsulating socket's packets go through: their own.
 *
 * @throws SocketError EDESTADDRREQ, or the error of finding a route
 */
export function selfTunnel(
  { selfEncapsulation }: SocketDemand,
  { local }: InspectedSocket,
  { peer }: Course,
): TunnelEndpoints | undefined {
  if (!selfEncapsulation) return undefined
  if (!peer) {
    throw new SocketError(
      'EDESTADDRREQ',
      "self-encapsulation needs to know the other side: connect a UDP socket first, or say 'peer'",
    )
  }
  return { local: local ?? sourceFor(peer), remote: peer }
}

/** The address that this host would send from. Nothing is sent. */
function sourceFor(peer: Address): Address {
  const fd = socket(familyNumber(peer.family), SOCK_DGRAM, 0)
  try {
    connect(fd, writeInetAddress(peer, 9))
    const found = readSockaddr(getSockName(fd))
    if (!found) throw new SocketError('EADDRNOTAVAIL', 'this host has no address to send from')
    return found.address
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new SocketError(error.code, `there is no way to the peer: ${error.message}`)
  } finally {
    close(fd)
  }
}
