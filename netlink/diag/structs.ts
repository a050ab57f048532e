/**
 * The bodies of the messages about sockets of the Internet families. Source: `linux/inet_diag.h`.
 *
 * @module
 */
import { be16, bytes, u8, u32, u64 } from '../codec/field.ts'
import { pad, struct } from '../codec/struct.ts'

/** 16 bytes; an IPv4 address is the first four. */
const address = bytes(16, '__be32[4]')

/** A socket: its two ends, and a number that no other socket ever has. */
export const inet_diag_sockid = struct('inet_diag_sockid', 48, [
  ['idiag_sport', be16],
  ['idiag_dport', be16],
  ['idiag_src', address],
  ['idiag_dst', address],
  ['idiag_if', u32],
  ['idiag_cookie', u64],
])

/** What is asked for. */
export const inet_diag_req_v2 = struct('inet_diag_req_v2', 56, [
  ['sdiag_family', u8],
  ['sdiag_protocol', u8],
  ['idiag_ext', u8],
  pad(1),
  ['idiag_states', u32],
  ['id', inet_diag_sockid],
])

/** A socket, in an answer or an event. */
export const inet_diag_msg = struct('inet_diag_msg', 72, [
  ['idiag_family', u8],
  ['idiag_state', u8],
  ['idiag_timer', u8],
  ['idiag_retrans', u8],
  ['id', inet_diag_sockid],
  ['idiag_expires', u32],
  ['idiag_rqueue', u32],
  ['idiag_wqueue', u32],
  ['idiag_uid', u32],
  ['idiag_inode', u32],
])
