/**
 * Numbers of rtnetlink. Sources: `linux/rtnetlink.h`, `linux/fib_rules.h`, `linux/if.h`, `linux/if_addr.h`,
 * `linux/ip6_tunnel.h`.
 *
 * @module
 */

/** Types of routes (`RTN_`): what becomes of a packet. */
export const routeType = {
  UNSPEC: 0,
  UNICAST: 1,
  LOCAL: 2,
  BROADCAST: 3,
  MULTICAST: 5,
  UNREACHABLE: 7,
} as const

/** Who made a route (`RTPROT_`). */
export const routeProtocol = { UNSPEC: 0, STATIC: 4 } as const

/** How far away a destination is (`RT_SCOPE_`). */
export const scope = { UNIVERSE: 0, LINK: 253, HOST: 254 } as const

/** Routing tables with a name (`RT_TABLE_`). `UNSPEC` leaves the number to the attribute. */
export const routingTable = { UNSPEC: 0, LOCAL: 255 } as const

/** What a policy routing rule does (`FR_ACT_`). */
export const ruleAction = { UNSPEC: 0, TO_TBL: 1 } as const

/** Flags of an interface (`IFF_`). */
export const linkFlag = { UP: 0x1 } as const

/** Flags of an address (`IFA_F_`). */
export const addressFlag = { NOPREFIXROUTE: 0x200 } as const

/** Flags of an IPv6 tunnel (`IP6_TNL_F_`). */
export const ip6TunnelFlag = { IGN_ENCAP_LIMIT: 0x1 } as const

/** Groups of events (`RTNLGRP_`). */
export const routeGroup = {
  LINK: 1,
  IPV4_IFADDR: 5,
  IPV4_ROUTE: 7,
  IPV4_RULE: 8,
  IPV6_IFADDR: 9,
  IPV6_ROUTE: 11,
  IPV6_RULE: 19,
} as const
