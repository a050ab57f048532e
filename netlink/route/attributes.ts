/**
 * The rtnetlink attributes used here; all others stay bytes. Addresses have 4 or 16 bytes, as the family of
 * the message says.
 *
 * @module
 */
import { type AttributesValue, attributes } from '../codec/attributes.ts'
import { be32, u8, u32 } from '../codec/field.ts'
import { anything, exactly, raw, text } from '../codec/payload.ts'

/** `IFA_`. On a point-to-point link ADDRESS is the peer's, LOCAL the interface's own. */
export const addressAttributes = attributes('IFA', {
  address: [1, raw],
  local: [2, raw],
  label: [3, text],
  broadcast: [4, raw],
  flags: [8, exactly(u32)],
})

/** `IFLA_INFO_`: what kind of virtual interface it is. Read `data` with {@link tunnelOf}. */
const linkInfoAttributes = attributes('IFLA_INFO', {
  kind: [1, text],
  data: [2, anything],
})

/** `IFLA_`. */
export const linkAttributes = attributes('IFLA', {
  address: [1, raw],
  ifname: [3, text],
  mtu: [4, exactly(u32)],
  link: [5, exactly(u32)],
  master: [10, exactly(u32)],
  linkinfo: [18, linkInfoAttributes],
})

/** `FRA_`. */
export const ruleAttributes = attributes('FRA', {
  dst: [1, raw],
  src: [2, raw],
  iifname: [3, text],
  priority: [6, exactly(u32)],
  fwmark: [10, exactly(u32)],
  table: [15, exactly(u32)],
  fwmask: [16, exactly(u32)],
  oifname: [17, text],
})

/** `RTAX_`. */
const metricAttributes = attributes('RTAX', {
  mtu: [2, exactly(u32)],
})

/** `RTA_`. */
export const routeAttributes = attributes('RTA', {
  dst: [1, raw],
  src: [2, raw],
  iif: [3, exactly(u32)],
  oif: [4, exactly(u32)],
  gateway: [5, raw],
  priority: [6, exactly(u32)],
  prefsrc: [7, raw],
  metrics: [8, metricAttributes],
  table: [15, exactly(u32)],
  mark: [16, exactly(u32)],
})

const iptun = {
  link: [1, exactly(u32)],
  local: [2, raw],
  remote: [3, raw],
  ttl: [4, exactly(u8)],
  pmtudisc: [10, exactly(u8)],
} as const

/** `IFLA_IPTUN_`: ipip and sit, for which the flags are those of sit. */
export const iptunAttributes = attributes('IFLA_IPTUN', iptun)

/** `IFLA_IPTUN_` of ip6tnl. Protocol 0: whatever is inside. */
export const ip6tnlAttributes = attributes('IFLA_IPTUN', {
  ...iptun,
  encap_limit: [6, exactly(u8)],
  flags: [8, exactly(u32)],
  proto: [9, exactly(u8)],
})

const gre = {
  link: [1, exactly(u32)],
  ikey: [4, exactly(be32)],
  okey: [5, exactly(be32)],
  local: [6, raw],
  remote: [7, raw],
  ttl: [8, exactly(u8)],
  pmtudisc: [10, exactly(u8)],
} as const

/** `IFLA_GRE_`: gre and gretap. */
export const greAttributes = attributes('IFLA_GRE', gre)

/** `IFLA_GRE_` of ip6gre and ip6gretap. */
export const ip6greAttributes = attributes('IFLA_GRE', {
  ...gre,
  encap_limit: [11, exactly(u8)],
  flags: [13, exactly(u32)],
})

/** `IFLA_VTI_`: vti and vti6. */
export const vtiAttributes = attributes('IFLA_VTI', {
  link: [1, exactly(u32)],
  ikey: [2, exactly(be32)],
  okey: [3, exactly(be32)],
  local: [4, raw],
  remote: [5, raw],
})

/** `IFLA_XFRM_`: xfrm interfaces. */
export const xfrmiAttributes = attributes('IFLA_XFRM', {
  link: [1, exactly(u32)],
  if_id: [2, exactly(u32)],
})

export type AddressAttributes = AttributesValue<(typeof addressAttributes)['definitions']>
export type LinkAttributes = AttributesValue<(typeof linkAttributes)['definitions']>
export type RouteAttributes = AttributesValue<(typeof routeAttributes)['definitions']>
export type RuleAttributes = AttributesValue<(typeof ruleAttributes)['definitions']>
