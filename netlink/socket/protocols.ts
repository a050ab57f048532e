/**
 * The protocols of `AF_NETLINK` that are spoken here (linux/netlink.h).
 *
 * @module
 */
export const NETLINK_ROUTE = 0
export const NETLINK_SOCK_DIAG = 4
export const NETLINK_XFRM = 6
export const NETLINK_NETFILTER = 12
