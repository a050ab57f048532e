/**
 * Which addresses are this host's own: packets out of a tunnel are for it, or are to be passed on.
 *
 * @module
 */
import { routeType } from '../../../../netlink/route/constants.ts'
import { requestPath } from '../../../../netlink/route/request.ts'
import type { NetlinkSocket } from '../../../../netlink/socket/socket.ts'
import { family as af } from '../../../../netlink/xfrm/constants.ts'
import type { Flow } from '../../../packet/flow.ts'
import { OWN } from './marks.ts'

const DELIVERED: ReadonlySet<number> = new Set([routeType.LOCAL, routeType.BROADCAST, routeType.MULTICAST])

/**
 * Whether a packet of this flow would be delivered here.
 *
 * @param socket of NETLINK_ROUTE
 */
export function isDeliveredHere(socket: NetlinkSocket, { family, destination }: Flow): boolean {
  const isV4 = family === af.INET
  try {
    const path = requestPath(socket, isV4 ? destination.slice(0, 4) : destination.slice(), OWN)
    return path !== undefined && DELIVERED.has(path.body.rtm_type)
  } catch {
    // There is no way to it at all, so it is not here.
    return false
  }
}
