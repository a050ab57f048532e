/**
 * Numbers of IP protocols and extension headers, and lengths of fixed headers.
 *
 * @module
 */

export const IPPROTO_HOPOPTS = 0
export const IPPROTO_ICMP = 1
export const IPPROTO_IPIP = 4
export const IPPROTO_TCP = 6
export const IPPROTO_UDP = 17
export const IPPROTO_DCCP = 33
export const IPPROTO_IPV6 = 41
export const IPPROTO_ROUTING = 43
export const IPPROTO_FRAGMENT = 44
export const IPPROTO_GRE = 47
export const IPPROTO_ESP = 50
export const IPPROTO_AH = 51
export const IPPROTO_ICMPV6 = 58
/** Nothing follows (RFC 8200 section 4.7). */
export const IPPROTO_NONE = 59
export const IPPROTO_DSTOPTS = 60
export const IPPROTO_OSPF = 89
export const IPPROTO_SCTP = 132
export const IPPROTO_UDPLITE = 136

/** Without options. */
export const V4_LENGTH = 20
/** Without extension headers. */
export const V6_LENGTH = 40
export const FRAGMENT_HEADER_LENGTH = 8
/** SPI and sequence number (RFC 4303 section 2). */
export const ESP_HEADER_LENGTH = 8
/** Next header, length, reserved, SPI and sequence number (RFC 4302 section 2): without the ICV. */
export const AH_FIXED_LENGTH = 12
export const UDP_HEADER_LENGTH = 8
/** Without options. */
export const TCP_HEADER_LENGTH = 20
/** The longest packet that a length field can tell, over IPv4; over IPv6, the longest payload. */
export const LONGEST = 65535
/** What every link takes of IPv6 (RFC 8200 section 5). */
export const V6_MIN_MTU = 1280

/** Bits of the IPv4 fragment field. */
export const DF = 0x4000
export const MF = 0x2000
export const OFFSET = 0x1fff
