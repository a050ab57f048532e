/**
 * The way of steered packets: a rule that looks at the mark, and a table with two routes. One leads to the device of the
 * data path and goes when the device goes; behind it stands one that refuses.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { errnoNumber } from '../../../../netlink/libc/errno.ts'
import { type RouteMessage, route } from '../../../../netlink/route/messages.ts'
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import { NetlinkSocket } from '../../../../netlink/socket/socket.ts'
import { family as af } from '../../../../netlink/xfrm/constants.ts'
import { STEERED } from './steering.ts'

const NETLINK_ROUTE = 0
/** Number of the routing table. */
export const ROUTING_TABLE = 50500
/** Place of the rule: before that of the main table, behind that of the local one. */
const RULE_PRIORITY = 500

// linux/rtnetlink.h, linux/fib_rules.h, linux/if.h
const FR_ACT_TO_TBL = 1
const RT_TABLE_UNSPEC = 0
const RTPROT_STATIC = 4
const RT_SCOPE_UNIVERSE = 0
const RT_SCOPE_LINK = 253
const RT_SCOPE_HOST = 254
const IFA_F_NOPREFIXROUTE = 0x200
const RTN_UNICAST = 1
const RTN_UNREACHABLE = 7
const IFF_UP = 1
const NLM_F_CREATE = 0x400
const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200

const FIRST_METRIC = 1
const LAST_METRIC = 0xffff_ffff

const FAMILIES = [af.INET, af.INET6] as const

/** The longest packet a device can have: what is too long for the wire is cut after it was protected. */
export const DEVICE_MTU = 65535

/** Brings the device up and leads steered packets to it. Both may stand there from a program before. */
export function addRoutes(device: string): void {
  configure(device)
  withRoute((socket) => {
    const ifindex = indexOf(socket, device)
    const body = { ifi_family: 0, ifi_type: 0, ifi_index: ifindex, ifi_flags: IFF_UP, ifi_change: IFF_UP }
    send(socket, { name: 'NEWLINK', body, attributes: { mtu: DEVICE_MTU } }, 0)
    send(socket, deviceAddress(ifindex), NLM_F_CREATE | NLM_F_REPLACE)
    for (const family of FAMILIES) {
      // The refusal first: there must be no moment in which a steered packet finds no route and goes on to the next table.
      send(socket, refusal('NEWROUTE', family), NLM_F_CREATE | NLM_F_REPLACE)
      send(socket, deviceRoute(family, ifindex), NLM_F_CREATE | NLM_F_REPLACE)
      tolerant('EEXIST', () => send(socket, rule('NEWRULE', family), NLM_F_CREATE | NLM_F_EXCL))
    }
  })
}

/** Takes rule and table away. The device goes with its program. */
export function removeRoutes(): void {
  withRoute((socket) => {
    for (const family of FAMILIES) {
      tolerant('ENOENT', () => send(socket, rule('DELRULE', family), 0))
      tolerant('ESRCH', () => send(socket, refusal('DELROUTE', family), 0))
    }
  })
}

function configure(device: string): void {
  const settings: readonly (readonly [string, string])[] = [
    // What comes out of the device has come in elsewhere; nothing must be learnt or said on it.
    [`/proc/sys/net/ipv4/conf/${device}/rp_filter`, '2'],
    [`/proc/sys/net/ipv6/conf/${device}/accept_ra`, '0'],
    [`/proc/sys/net/ipv6/conf/${device}/autoconf`, '0'],
    [`/proc/sys/net/ipv6/conf/${device}/addr_gen_mode`, '1'],
    [`/proc/sys/net/ipv6/conf/${device}/router_solicitations`, '0'],
  ]
  for (const [path, value] of settings) {
    try {
      writeFileSync(path, value)
    } catch (error) {
      // A kernel without IPv6 has no such setting, and needs none.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

function indexOf(socket: NetlinkSocket, device: string): number {
  const body = { ifi_family: 0, ifi_type: 0, ifi_index: 0, ifi_flags: 0, ifi_change: 0 }
  const request: RouteMessage<'GETLINK'> = { name: 'GETLINK', body, attributes: { ifname: device } }
  const replies = socket.request({ type: route.type('GETLINK'), payload: route.encode(request) })
  for (const { type, payload } of replies) {
    const reply = route.decode(type, payload)
    if (reply.name === 'NEWLINK') return reply.body.ifi_index
  }
  throw new Error(`the device ${device} has gone`)
}

/**
 * The dummy address of RFC 7600, on this device only: what comes from a device without any address fails the kernel's
 * test of the way back, even the loose one.
 */
function deviceAddress(ifindex: number): RouteMessage<'NEWADDR'> {
  const address = Uint8Array.of(192, 0, 0, 8)
  return {
    name: 'NEWADDR',
    body: {
      ifa_family: af.INET,
      ifa_prefixlen: 32,
      ifa_flags: 0,
      ifa_scope: RT_SCOPE_HOST,
      ifa_index: ifindex,
    },
    attributes: { address, local: address, flags: IFA_F_NOPREFIXROUTE },
  }
}

function withRoute(use: (socket: NetlinkSocket) => void): void {
  const socket = NetlinkSocket.open(NETLINK_ROUTE)
  try {
    use(socket)
  } finally {
    socket.close()
  }
}

type Change = RouteMessage<'NEWLINK' | 'NEWADDR' | 'NEWROUTE' | 'DELROUTE' | 'NEWRULE' | 'DELRULE'>

function send(socket: NetlinkSocket, message: Change, flags: number): void {
  socket.request({ type: route.type(message.name), flags, payload: route.encode(message) })
}

/** Goes on where the kernel answers with this error. A kernel without IPv6 has nothing to set up for it. */
function tolerant(name: string, change: () => void): void {
  try {
    change()
  } catch (error) {
    const tolerated = [errnoNumber(name), errnoNumber('EAFNOSUPPORT')]
    if (!(error instanceof NetlinkError) || !tolerated.includes(error.errno)) throw error
  }
}

function rule<N extends 'NEWRULE' | 'DELRULE'>(name: N, family: number): RouteMessage<N> {
  const body = {
    family,
    dst_len: 0,
    src_len: 0,
    tos: 0,
    table: RT_TABLE_UNSPEC,
    res1: 0,
    res2: 0,
    action: FR_ACT_TO_TBL,
    flags: 0,
  }
  const attributes = { priority: RULE_PRIORITY, fwmark: STEERED, fwmask: STEERED, table: ROUTING_TABLE }
  return { name, body, attributes } as RouteMessage<N>
}

function refusal<N extends 'NEWROUTE' | 'DELROUTE'>(name: N, family: number): RouteMessage<N> {
  const body = { ...emptyRoute(family), rtm_type: RTN_UNREACHABLE }
  return { name, body, attributes: { table: ROUTING_TABLE, priority: LAST_METRIC } } as RouteMessage<N>
}

function deviceRoute(family: number, ifindex: number): RouteMessage<'NEWROUTE'> {
  const body = { ...emptyRoute(family), rtm_scope: family === af.INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE }
  return {
    name: 'NEWROUTE',
    body,
    attributes: { table: ROUTING_TABLE, priority: FIRST_METRIC, oif: ifindex },
  }
}

function emptyRoute(family: number) {
  return {
    rtm_family: family,
    rtm_dst_len: 0,
    rtm_src_len: 0,
    rtm_tos: 0,
    rtm_table: RT_TABLE_UNSPEC,
    rtm_protocol: RTPROT_STATIC,
    rtm_scope: RT_SCOPE_UNIVERSE,
    rtm_type: RTN_UNICAST,
    rtm_flags: 0,
  }
}
