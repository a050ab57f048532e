/**
 * Single requests to rtnetlink, in decoded messages.
 *
 * @module
 */

import { AF_INET, AF_INET6 } from '../libc/socket.ts'
import type { NetlinkSocket } from '../socket/socket.ts'
import { defaultLink, defaultRoute } from './defaults.ts'
import { type RouteMessage, route } from './messages.ts'

/**
 * Sends one message and waits for its outcome.
 *
 * @param socket of NETLINK_ROUTE
 * @param flags `NLM_F_` beside those of every request
 * @throws NetlinkError
 */
export function requestRoute(socket: NetlinkSocket, message: RouteMessage, flags = 0): RouteMessage[] {
  const request = { type: route.type(message.name), flags, payload: route.encode(message) }
  return socket.request(request).map(({ type, payload }) => route.decode(type, payload))
}

/** What the kernel says of the way to a destination of 4 or 16 bytes, for a packet with this mark. */
export function requestPath(
  socket: NetlinkSocket,
  destination: Uint8Array,
  mark: number,
): RouteMessage<'NEWROUTE'> | undefined {
  const family = destination.length === 4 ? AF_INET : AF_INET6
  const body = { ...defaultRoute(family), rtm_dst_len: 8 * destination.length }
  const replies = requestRoute(socket, { name: 'GETROUTE', body, attributes: { dst: destination, mark } })
  return replies.find((reply) => reply.name === 'NEWROUTE')
}

/** An interface, by its number or its name. */
export function requestLink(
  socket: NetlinkSocket,
  which: number | string,
): RouteMessage<'NEWLINK'> | undefined {
  const isName = typeof which === 'string'
  const body = { ...defaultLink(), ifi_index: isName ? 0 : which }
  const attributes = isName ? { ifname: which } : {}
  return requestRoute(socket, { name: 'GETLINK', body, attributes }).find((reply) => reply.name === 'NEWLINK')
}
