/**
 * Levels and numbers of socket options (linux/in.h, linux/in6.h, linux/udp.h, asm-generic/socket.h). Those that every
 * socket here needs are in `socket.ts`.
 *
 * @module
 */
export const IPPROTO_IP = 0
export const IPPROTO_TCP = 6
export const IPPROTO_UDP = 17
export const IPPROTO_SCTP = 132
export const IPPROTO_RAW = 255
export const IP_TOS = 1
export const IP_TTL = 2
export const IP_PKTINFO = 8
export const IP_MTU_DISCOVER = 10
export const IP_RECVERR = 11
export const IP_RECVTTL = 12
export const IP_RECVTOS = 13
export const IP_XFRM_POLICY = 17
export const IPPROTO_IPV6 = 41
export const IPV6_MTU_DISCOVER = 23
export const IPV6_RECVERR = 25
export const IPV6_V6ONLY = 26
export const IPV6_XFRM_POLICY = 35
export const IPV6_RECVPKTINFO = 49
export const IPV6_PKTINFO = 50
export const IPV6_RECVHOPLIMIT = 51
export const IPV6_HOPLIMIT = 52
export const IPV6_RECVHOPOPTS = 53
export const IPV6_HOPOPTS = 54
export const IPV6_RECVRTHDR = 56
export const IPV6_RTHDR = 57
export const IPV6_RECVDSTOPTS = 58
export const IPV6_DSTOPTS = 59
export const IPV6_RECVTCLASS = 66
export const IPV6_TCLASS = 67
/** A value of `IP_MTU_DISCOVER` and `IPV6_MTU_DISCOVER`: what was learnt about the path is not asked. */
export const IP_PMTUDISC_PROBE = 3
export const SO_REUSEADDR = 2
export const SO_ERROR = 4
export const SO_ACCEPTCONN = 30
export const SO_MARK = 36
export const SO_PROTOCOL = 38
export const SO_DOMAIN = 39
export const SO_COOKIE = 57
export const SO_PEERPIDFD = 77
export const TCP_INFO = 11
export const UDP_ENCAP = 100
export const UDP_SEGMENT = 103
export const UDP_GRO = 104
