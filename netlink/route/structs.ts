/**
 * The bodies of the rtnetlink messages used here. Sources: `linux/if_addr.h`, `linux/rtnetlink.h`,
 * `linux/fib_rules.h`.
 *
 * @module
 */
import { s32, u8, u16, u32 } from '../codec/field.ts'
import { pad, struct } from '../codec/struct.ts'

/** An address of an interface. */
export const ifaddrmsg = struct('ifaddrmsg', 8, [
  ['ifa_family', u8],
  ['ifa_prefixlen', u8],
  ['ifa_flags', u8],
  ['ifa_scope', u8],
  ['ifa_index', u32],
])

/** An interface. */
export const ifinfomsg = struct('ifinfomsg', 16, [
  ['ifi_family', u8],
  pad(1),
  ['ifi_type', u16],
  ['ifi_index', s32],
  ['ifi_flags', u32],
  ['ifi_change', u32],
])

/** A policy routing rule. */
export const fib_rule_hdr = struct('fib_rule_hdr', 12, [
  ['family', u8],
  ['dst_len', u8],
  ['src_len', u8],
  ['tos', u8],
  ['table', u8],
  ['res1', u8],
  ['res2', u8],
  ['action', u8],
  ['flags', u32],
])

/** A route. */
export const rtmsg = struct('rtmsg', 12, [
  ['rtm_family', u8],
  ['rtm_dst_len', u8],
  ['rtm_src_len', u8],
  ['rtm_tos', u8],
  ['rtm_table', u8],
  ['rtm_protocol', u8],
  ['rtm_scope', u8],
  ['rtm_type', u8],
  ['rtm_flags', u32],
])
