/**
 * Where fields of TCP (RFC 9293 section 3.1) and UDP (RFC 768) stand, counted from the header's beginning, and TCP's
 * flags.
 *
 * @module
 */
export const TCP_SEQUENCE = 4
export const TCP_FLAGS = 13
export const TCP_CHECKSUM = 16
export const UDP_CHECKSUM = 6

export const FIN = 0x01
export const PSH = 0x08
export const ACK = 0x10
export const CWR = 0x80
