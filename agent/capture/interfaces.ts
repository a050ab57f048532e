/**
 * Network interfaces of the calling thread's namespace.
 *
 * @module
 */
import { dumpLinks, route } from '../../netlink/route/messages.ts'
import { NetlinkSocket } from '../../netlink/socket/socket.ts'

const NETLINK_ROUTE = 0
// linux/if.h
const IFF_UP = 0x1
const IFF_LOOPBACK = 0x8

export interface NetworkInterface {
  readonly index: number
  readonly name: string
  readonly isUp: boolean
  readonly isLoopback: boolean
  /** `ARPHRD_` of linux/if_arp.h. */
  readonly type: number
  /** What a virtual interface is: `bridge`, `vlan`, `veth`. */
  readonly kind?: string
  /** Index of the bridge, bond or VRF that it belongs to. */
  readonly master?: number
}

/** All of them, in the kernel's order. @throws NetlinkError */
export function listInterfaces(): NetworkInterface[] {
  const found: NetworkInterface[] = []
  const socket = NetlinkSocket.open(NETLINK_ROUTE)
  try {
    socket.dump({ type: route.type('GETLINK'), payload: dumpLinks() }, (entry) => {
      const message = route.decode(entry.type, entry.payload)
      if (message.name !== 'NEWLINK') return
      const { ifi_index: index, ifi_flags: flags, ifi_type: type } = message.body
      const { ifname: name, master, linkinfo } = message.attributes
      if (name === undefined) return
      const kind = linkinfo?.kind
      found.push({
        index,
        name,
        isUp: (flags & IFF_UP) !== 0,
        isLoopback: (flags & IFF_LOOPBACK) !== 0,
        type,
        ...(kind !== undefined && { kind }),
        ...(master !== undefined && { master }),
      })
    })
  } finally {
    socket.close()
  }
  return found.sort((a, b) => a.index - b.index)
}
