/**
 * The messages of `NETLINK_ROUTE` (`RTM_`) used here. Interfaces and addresses are changed for tunnels (`tunnels.ts`) and for
 * the software data path, routes and rules for the latter only.
 *
 * @module
 */
import type { AttributeSet, Definitions } from '../codec/attributes.ts'
import { memoryOf } from '../codec/memory.ts'
import { type MessageOf, messageFamily } from '../codec/message.ts'
import * as a from './attributes.ts'
import { defaultLink, defaultRule } from './defaults.ts'
import * as s from './structs.ts'

/** The codec of the family. */
export const route = messageFamily('RTM', {
  NEWLINK: [16, s.ifinfomsg, a.linkAttributes],
  DELLINK: [17, s.ifinfomsg, a.linkAttributes],
  GETLINK: [18, s.ifinfomsg, a.linkAttributes],
  NEWADDR: [20, s.ifaddrmsg, a.addressAttributes],
  DELADDR: [21, s.ifaddrmsg, a.addressAttributes],
  GETADDR: [22, s.ifaddrmsg, a.addressAttributes],
  NEWROUTE: [24, s.rtmsg, a.routeAttributes],
  DELROUTE: [25, s.rtmsg, a.routeAttributes],
  GETROUTE: [26, s.rtmsg, a.routeAttributes],
  NEWRULE: [32, s.fib_rule_hdr, a.ruleAttributes],
  DELRULE: [33, s.fib_rule_hdr, a.ruleAttributes],
  GETRULE: [34, s.fib_rule_hdr, a.ruleAttributes],
})

type Messages = (typeof route)['definitions']

/** One message of the family, or the union of all, told apart by `name`. */
export type RouteMessage<N extends keyof Messages = keyof Messages> = MessageOf<Messages, N>

/** Payload of a request for all addresses of a family (`AF_UNSPEC` for both). To be sent with NLM_F_DUMP. */
export function dumpAddresses(family = 0): Uint8Array {
  const body = { ifa_family: family, ifa_prefixlen: 0, ifa_flags: 0, ifa_scope: 0, ifa_index: 0 }
  return route.encode({ name: 'GETADDR', body, attributes: {} })
}

/** Payload of a request for all interfaces. To be sent with NLM_F_DUMP. */
export function dumpLinks(): Uint8Array {
  return route.encode({ name: 'GETLINK', body: defaultLink(), attributes: {} })
}

/** Payload of a request for all rules of a family (`AF_UNSPEC` for all). To be sent with NLM_F_DUMP. */
export function dumpRules(family = 0): Uint8Array {
  return route.encode({ name: 'GETRULE', body: defaultRule(family), attributes: {} })
}

/** What a tunnel interface says of itself. Addresses have 4 or 16 bytes; all zeros means any. */
export interface TunnelInfo {
  /** `ipip`, `sit`, `gre`, `ip6tnl`, `xfrm`, … */
  readonly kind: string
  readonly local?: Uint8Array
  readonly remote?: Uint8Array
  /** Interface id of an xfrm interface. */
  readonly if_id?: number
}

const tunnelData: ReadonlyMap<string, AttributeSet<Definitions>> = new Map<string, AttributeSet<Definitions>>(
  [
    ...(['ipip', 'sit'] as const).map((kind) => [kind, a.iptunAttributes] as const),
    ['ip6tnl', a.ip6tnlAttributes],
    ...(['gre', 'gretap'] as const).map((kind) => [kind, a.greAttributes] as const),
    ...(['ip6gre', 'ip6gretap'] as const).map((kind) => [kind, a.ip6greAttributes] as const),
    ...(['vti', 'vti6'] as const).map((kind) => [kind, a.vtiAttributes] as const),
    ['xfrm', a.xfrmiAttributes],
  ],
)

/**
 * The tunnel that an interface is, or `undefined` for an interface of another kind.
 *
 * @throws DecodeError where IFLA_INFO_DATA is malformed
 */
export function tunnelOf(link: a.LinkAttributes): TunnelInfo | undefined {
  const { kind, data = new Uint8Array(0) } = link.linkinfo ?? {}
  const set = kind === undefined ? undefined : tunnelData.get(kind)
  if (kind === undefined || set === undefined) return undefined
  const { local, remote, if_id } = set.get(memoryOf(data), 0, data.length) as Omit<TunnelInfo, 'kind'>
  return {
    kind,
    ...(local && { local }),
    ...(remote && { remote }),
    ...(if_id !== undefined && { if_id }),
  }
}
