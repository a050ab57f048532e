/**
 * What a descriptor is: which socket, of which family and namespace, and how far it has come.
 *
 * @module
 */
import { errnoName, SystemError } from '../../netlink/libc/errno.ts'
import { readInetAddress } from '../../netlink/libc/inet-address.ts'
import {
  AF_INET,
  AF_INET6,
  getPeerName,
  getSockName,
  getSockOpt,
  getSockOptInt,
  SO_NETNS_COOKIE,
  SOL_SOCKET,
} from '../../netlink/libc/socket.ts'
import {
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SO_ACCEPTCONN,
  SO_COOKIE,
  SO_DOMAIN,
  SO_PROTOCOL,
  TCP_INFO,
} from '../../netlink/libc/socket-options.ts'
import { type Address, type Family, isUnspecified } from '../model/address.ts'
import { SocketError } from './socket-error.ts'

export interface InspectedSocket {
  readonly fd: number
  /** Of the socket: an IPv6 one may speak IPv4 as well. */
  readonly family: Family
  readonly protocol: number
  /** Identifies the socket until the next boot, whoever holds it. */
  readonly cookie: bigint
  readonly isListening: boolean
  /** Connections that wait to be accepted. */
  readonly waiting: number
  /** TCP has begun to connect, or was connected. */
  readonly isLatched: boolean
  /** Absent where it is bound to none, or to all. An IPv4 address also for an IPv6 socket that bears one. */
  readonly local?: Address
  readonly localPort: number
  readonly peer?: Address
  /** Speaks both families, and neither its address nor its peer's says which one it will be. */
  readonly isAmbiguous: boolean
}

// tcp_states.h; struct tcp_info
const TCP_CLOSE = 7
const TCP_LISTEN = 10
const INFO_SIZE = 32
const INFO_STATE = 0
const INFO_UNACKED = 24

/**
 * @param namespace `SO_NETNS_COOKIE` of sockets that are served
 * @throws SocketError ENOTSOCK, EAFNOSUPPORT, EXDEV
 */
export function inspectSocket(fd: number, namespace: bigint): InspectedSocket {
  const domain = socketOption(fd, SO_DOMAIN)
  if (domain !== AF_INET && domain !== AF_INET6) {
    throw new SocketError('EAFNOSUPPORT', 'the descriptor is not an IPv4 or IPv6 socket')
  }
  if (cookieOf(fd, SO_NETNS_COOKIE) !== namespace) {
    throw new SocketError('EXDEV', 'the socket is of another network namespace than the agent')
  }
  const protocol = getSockOptInt(fd, SOL_SOCKET, SO_PROTOCOL)
  const isListening = getSockOptInt(fd, SOL_SOCKET, SO_ACCEPTCONN) !== 0
  const family: Family = domain === AF_INET ? 'inet' : 'inet6'
  const local = addressOf(fd, getSockName)
  const peer = addressOf(fd, getPeerName)
  const own = local && !isUnspecified(local.address) ? local.address : undefined
  const other = peer && !isUnspecified(peer.address) ? peer.address : undefined
  const isOneFamily = family === 'inet' || own !== undefined || other !== undefined
  return {
    fd,
    family,
    protocol,
    cookie: cookieOf(fd, SO_COOKIE),
    isListening,
    ...tcpState(fd, protocol),
    ...(own && { local: own }),
    localPort: local?.port ?? 0,
    ...(other && { peer: other }),
    isAmbiguous: !isOneFamily && getSockOptInt(fd, IPPROTO_IPV6, IPV6_V6ONLY) === 0,
  }
}

function socketOption(fd: number, option: number): number {
  try {
    return getSockOptInt(fd, SOL_SOCKET, option)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new SocketError('ENOTSOCK', 'the descriptor is not a socket')
  }
}

function cookieOf(fd: number, option: number): bigint {
  return new BigUint64Array(getSockOpt(fd, SOL_SOCKET, option, 8).slice().buffer)[0] ?? 0n
}

function tcpState(fd: number, protocol: number): Pick<InspectedSocket, 'waiting' | 'isLatched'> {
  if (protocol !== IPPROTO_TCP) return { waiting: 0, isLatched: false }
  const info = getSockOpt(fd, IPPROTO_TCP, TCP_INFO, INFO_SIZE)
  const state = info[INFO_STATE] ?? 0
  const waiting =
    state === TCP_LISTEN ? (new Uint32Array(info.slice(INFO_UNACKED, INFO_SIZE).buffer)[0] ?? 0) : 0
  return { waiting, isLatched: state !== TCP_CLOSE && state !== TCP_LISTEN }
}

/** The address in a `sockaddr`. An IPv4 address in the clothes of IPv6 (`::ffff:a.b.c.d`) is an IPv4 address. */
export function readSockaddr(sockaddr: Uint8Array): { address: Address; port: number } | undefined {
  const found = readInetAddress(sockaddr)
  if (!found || found.address.family === 'inet') return found
  const { bytes } = found.address
  const isMapped = bytes.every((byte, i) => i > 11 || byte === (i < 10 ? 0 : 0xff))
  return isMapped ? { ...found, address: { family: 'inet', bytes: bytes.slice(12) } } : found
}

function addressOf(fd: number, name: (fd: number) => Uint8Array) {
  try {
    return readSockaddr(name(fd))
  } catch (error) {
    if (error instanceof SystemError && errnoName(error.errno) === 'ENOTCONN') return undefined
    throw error
  }
}
