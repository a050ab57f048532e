/**
 * Which addresses are this host's own: packets out of a tunnel are for it, or are to be passed on.
 *
 * @module
 */
import { type RouteMessage, route } from '../../../../netlink/route/messages.ts'
import type { NetlinkSocket } from '../../../../netlink/socket/socket.ts'
import { family as af } from '../../../../netlink/xfrm/constants.ts'
import type { Flow } from '../policy/flow.ts'
import { OWN } from './steering.ts'

// linux/rtnetlink.h: local, broadcast, multicast
const DELIVERED = new Set([2, 3, 5])

/**
 * Whether a packet of this flow would be delivered here.
 *
 * @param socket of NETLINK_ROUTE
 */
export function isDeliveredHere(socket: NetlinkSocket, { family, destination }: Flow): boolean {
  const dst = family === af.INET ? destination.slice(0, 4) : destination.slice()
  const message: RouteMessage<'GETROUTE'> = {
    name: 'GETROUTE',
    body: {
      rtm_family: family,
      rtm_dst_len: dst.length * 8,
      rtm_src_len: 0,
      rtm_tos: 0,
      rtm_table: 0,
      rtm_protocol: 0,
      rtm_scope: 0,
      rtm_type: 0,
      rtm_flags: 0,
    },
    attributes: { dst, mark: OWN },
  }
  try {
    const replies = socket.request({ type: route.type('GETROUTE'), payload: route.encode(message) })
    return replies.some(({ type, payload }) => {
      const reply = route.decode(type, payload)
      return reply.name === 'NEWROUTE' && DELIVERED.has(reply.body.rtm_type)
    })
  } catch {
    // There is no way to it at all, so it is not here.
    return false
  }
}
