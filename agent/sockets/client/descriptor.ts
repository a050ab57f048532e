/**
 * The descriptors behind Node's sockets and servers.
 *
 * @module
 */
import { Socket as Datagram } from 'node:dgram'
import type { Server, Socket } from 'node:net'
import { SocketPolicyError } from './error.ts'

/** Servers of http, https, http2 and tls are servers of net, and sockets of tls are sockets of net. */
export type SocketLike = Socket | Server | Datagram

interface WithHandle {
  readonly _handle?: { readonly fd?: number } | null
}

/**
 * Node has no documented way to it, so what it has kept for years in the same places is looked for there.
 *
 * @throws SocketPolicyError EBADF where there is no descriptor yet: before `listen`, `connect` or `bind`
 */
export function descriptorOf(socket: SocketLike): number {
  const isDatagram = socket instanceof Datagram
  const found = isDatagram ? datagramDescriptor(socket) : (socket as WithHandle)._handle?.fd
  if (found !== undefined && found >= 0) return found
  throw new SocketPolicyError(
    'EBADF',
    'the socket has no descriptor yet: use listen(), connect() or bind() of this module in place of its own',
  )
}

/** Its accessor `_handle` would warn. */
function datagramDescriptor(socket: object): number | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  )
  if (symbol === undefined) return undefined
  const state = (socket as Record<symbol, { readonly handle?: { readonly fd?: number } | null } | undefined>)[
    symbol
  ]
  return state?.handle?.fd
}
