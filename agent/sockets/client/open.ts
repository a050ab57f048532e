/**
 * Sockets that have their policy before their first packet: made, protected, and only then given to Node.
 *
 * @module
 */
import type { Socket as DatagramSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { type Server, Socket } from 'node:net'
import { SystemError } from '../../../netlink/libc/errno.ts'
import { writeInetAddress } from '../../../netlink/libc/inet-address.ts'
import { untilWritable } from '../../../netlink/libc/poll.ts'
import * as libc from '../../../netlink/libc/socket.ts'
import { IPPROTO_IPV6, IPV6_V6ONLY, SO_ERROR, SO_REUSEADDR } from '../../../netlink/libc/socket-options.ts'
import { type Address, formatAddress, isLoopback, parseAddress } from '../../model/address.ts'
import { familyNumber } from '../../translate/selectors.ts'
import { SocketPolicyError } from './error.ts'
import { type SecureOptions, type SocketPolicy, secureDescriptor } from './policy.ts'

export interface Place {
  /** An address of this host, whose family is that of the socket: `0.0.0.0` or `::` for all. */
  readonly address: string
  /** 0: any that is free. */
  readonly port: number
}

/** Makes a bound socket with a policy; whoever gets the descriptor closes it. IPv6 sockets are for IPv6 alone. */
export async function openSocket(
  type: 'tcp' | 'udp',
  { address: text, port }: Place,
  policy: SocketPolicy,
  options: SecureOptions = {},
): Promise<number> {
  const address = numeric(text)
  const fd = makeSocket(type, address)
  try {
    if (type === 'tcp') libc.setSockOptInt(fd, libc.SOL_SOCKET, SO_REUSEADDR, 1)
    // From the moment that a UDP socket is bound it receives; to loopback, only from this host.
    const bindsFirst = type === 'tcp' || isLoopback(address)
    if (bindsFirst) libc.bind(fd, writeInetAddress(address, port))
    await secureDescriptor(fd, policy, options)
    if (!bindsFirst) libc.bind(fd, writeInetAddress(address, port))
    return fd
  } catch (error) {
    libc.close(fd)
    throw failureOf(error)
  }
}

/**
 * `server.listen()`, protected from the first connection on. For servers of net, tls, http, https and http2.
 *
 * @throws SocketPolicyError (rejects)
 */
export async function listen(
  server: Server,
  place: Place,
  policy: SocketPolicy,
  options: SecureOptions = {},
): Promise<void> {
  const fd = await openSocket('tcp', place, policy, options)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ fd }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/**
 * `socket.bind()`, protected from the first datagram on. The type of the socket has to be that of the address.
 *
 * @throws SocketPolicyError (rejects)
 */
export async function bind(
  socket: DatagramSocket,
  place: Place,
  policy: SocketPolicy,
  options: SecureOptions = {},
): Promise<void> {
  const fd = await openSocket('udp', place, policy, options)
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ fd }, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

export interface Target {
  /** A name is looked up. */
  readonly host: string
  readonly port: number
  readonly localAddress?: string
}

/**
 * `net.connect()`, protected from the first packet on. For tls, give the socket to `tls.connect({ socket })`; for http,
 * return it from `createConnection`.
 *
 * @returns the socket, connected
 * @throws SocketPolicyError (rejects)
 */
export async function connect(
  { host, port, localAddress }: Target,
  policy: SocketPolicy,
  options: SecureOptions = {},
): Promise<Socket> {
  const peer = parseAddress(host) ?? numeric((await lookup(host)).address)
  const fd = makeSocket('tcp', peer)
  try {
    if (localAddress !== undefined) libc.bind(fd, writeInetAddress(numeric(localAddress), 0))
    await secureDescriptor(fd, policy, { ...options, peer: options.peer ?? formatAddress(peer) })
    await connectTo(fd, writeInetAddress(peer, port))
    return new Socket({ fd, readable: true, writable: true })
  } catch (error) {
    libc.close(fd)
    throw failureOf(error)
  }
}

function makeSocket(type: 'tcp' | 'udp', { family }: Address): number {
  const { SOCK_STREAM, SOCK_DGRAM, SOCK_NONBLOCK } = libc
  const kind = type === 'tcp' ? SOCK_STREAM : SOCK_DGRAM
  const fd = libc.socket(familyNumber(family), kind | SOCK_NONBLOCK, 0)
  if (family === 'inet6') libc.setSockOptInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
  return fd
}

async function connectTo(fd: number, address: Uint8Array): Promise<void> {
  try {
    libc.connect(fd, address)
    return
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EINPROGRESS') throw error
  }
  await untilWritable(fd)
  const errno = libc.getSockOptInt(fd, libc.SOL_SOCKET, SO_ERROR)
  if (errno !== 0) throw new SystemError('connect', errno)
}

function numeric(text: string): Address {
  const address = parseAddress(text)
  if (!address) throw new SocketPolicyError('EINVAL', `'${text}' is not an IP address`)
  return address
}

function failureOf(error: unknown): unknown {
  if (!(error instanceof SystemError)) return error
  const hint = error.code === 'EAGAIN' ? ': there are no SAs to the other side' : ''
  return new SocketPolicyError(error.code, `${error.message}${hint}`)
}
