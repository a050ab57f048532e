/**
 * The way of steered packets: a rule that looks at the mark, and a table with two routes. One leads to the device of the
 * data path and goes when the device goes; behind it stands one that refuses.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { errnoNumber } from '../../../../../netlink/libc/errno.ts'
import {
  addressFlag,
  linkFlag,
  routeProtocol,
  routeType,
  ruleAction,
  scope,
} from '../../../../../netlink/route/constants.ts'
import { defaultLink, defaultRoute, defaultRule } from '../../../../../netlink/route/defaults.ts'
import type { RouteMessage } from '../../../../../netlink/route/messages.ts'
import { requestLink, requestRoute } from '../../../../../netlink/route/request.ts'
import { NetlinkError } from '../../../../../netlink/socket/error.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../../../../../netlink/socket/message.ts'
import { NETLINK_ROUTE } from '../../../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../../../netlink/socket/socket.ts'
import { family as af } from '../../../../../netlink/xfrm/constants.ts'
import { STEERED } from '../marks.ts'

/** Number of the routing table. */
export const ROUTING_TABLE = 50500
/** Place of the rule: before that of the main table, behind that of the local one. */
const RULE_PRIORITY = 500

const FIRST_METRIC = 1
const LAST_METRIC = 0xffff_ffff

const FAMILIES = [af.INET, af.INET6] as const

/** The longest packet that a device can have: what is too long for the wire is cut after it was protected. */
const DEVICE_MTU = 65535

/** Brings the device up and leads steered packets to it. Both may stand there from a program before. */
export function addRoutes(device: string): void {
  configure(device)
  withRoute((socket) => {
    const ifindex = requestLink(socket, device)?.body.ifi_index
    if (ifindex === undefined) throw new Error(`the device ${device} has gone`)
    const body = { ...defaultLink(), ifi_index: ifindex, ifi_flags: linkFlag.UP, ifi_change: linkFlag.UP }
    requestRoute(socket, { name: 'NEWLINK', body, attributes: { mtu: DEVICE_MTU } })
    requestRoute(socket, deviceAddress(ifindex), NLM_F_CREATE | NLM_F_REPLACE)
    for (const family of FAMILIES) {
      // The refusal first: there must be no moment in which a steered packet finds no route and goes on to the next table.
      requestRoute(socket, refusal('NEWROUTE', family), NLM_F_CREATE | NLM_F_REPLACE)
      requestRoute(socket, deviceRoute(family, ifindex), NLM_F_CREATE | NLM_F_REPLACE)
      tolerant('EEXIST', () => requestRoute(socket, rule('NEWRULE', family), NLM_F_CREATE | NLM_F_EXCL))
    }
  })
}

/** Takes rule and table away. The device goes with its program. */
export function removeRoutes(): void {
  withRoute((socket) => {
    for (const family of FAMILIES) {
      tolerant('ENOENT', () => requestRoute(socket, rule('DELRULE', family)))
      tolerant('ESRCH', () => requestRoute(socket, refusal('DELROUTE', family)))
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
      ifa_scope: scope.HOST,
      ifa_index: ifindex,
    },
    attributes: { address, local: address, flags: addressFlag.NOPREFIXROUTE },
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
  const body = { ...defaultRule(family), action: ruleAction.TO_TBL }
  const attributes = { priority: RULE_PRIORITY, fwmark: STEERED, fwmask: STEERED, table: ROUTING_TABLE }
  return { name, body, attributes } as RouteMessage<N>
}

function refusal<N extends 'NEWROUTE' | 'DELROUTE'>(name: N, family: number): RouteMessage<N> {
  const body = { ...staticRoute(family), rtm_type: routeType.UNREACHABLE }
  return { name, body, attributes: { table: ROUTING_TABLE, priority: LAST_METRIC } } as RouteMessage<N>
}

function deviceRoute(family: number, ifindex: number): RouteMessage<'NEWROUTE'> {
  const body = {
    ...staticRoute(family),
    rtm_scope: family === af.INET ? scope.LINK : scope.UNIVERSE,
    rtm_type: routeType.UNICAST,
  }
  return {
    name: 'NEWROUTE',
    body,
    attributes: { table: ROUTING_TABLE, priority: FIRST_METRIC, oif: ifindex },
  }
}

function staticRoute(family: number): RouteMessage<'NEWROUTE'>['body'] {
  return { ...defaultRoute(family), rtm_protocol: routeProtocol.STATIC }
}
