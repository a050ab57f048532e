/**
 * Numbers of socket options (linux/in.h, linux/in6.h, asm-generic/socket.h).
 *
 * @module
 */
export const IPPROTO_IP = 0
export const IPPROTO_RAW = 255
export const IP_TOS = 1
export const IP_TTL = 2
export const IP_PKTINFO = 8
export const IP_MTU_DISCOVER = 10
export const IP_RECVERR = 11
export const IP_RECVTTL = 12
export const IP_RECVTOS = 13
export const IPPROTO_IPV6 = 41
export const IPV6_MTU_DISCOVER = 23
export const IPV6_RECVERR = 25
export const IPV6_V6ONLY = 26
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
/** What was learnt about the path holds for the protected packet, and the kernel would apply it to ours. */
export const PMTUDISC_PROBE = 3
export const SO_MARK = 36
export const SO_RCVBUFFORCE = 33
export const UDP_SEGMENT = 103
export const UDP_GRO = 104
