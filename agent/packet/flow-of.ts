/**
 * The flow key of a packet.
 *
 * @module
 */
import { family as af } from '../../netlink/xfrm/constants.ts'
import type { Flow } from './flow.ts'
import type { IpHeader } from './ip-header.ts'
import { read16 } from './octets.ts'
import {
  IPPROTO_DCCP,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from './protocols.ts'

/** Protocols with two ports at their beginning. */
const WITH_PORTS: ReadonlySet<number> = new Set([
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_DCCP,
  IPPROTO_SCTP,
  IPPROTO_UDPLITE,
])

/** Fills `into` from a packet that was parsed, as the kernel's flow dissector would. `ifindex` is set to 0. */
export function readFlow(bytes: Uint8Array, ip: IpHeader, into: Flow): void {
  const isV4 = ip.version === 4
  into.family = isV4 ? af.INET : af.INET6
  const length = isV4 ? 4 : 16
  for (let i = 0; i < length; i++) into.source[i] = bytes[ip.sourceAt + i] ?? 0
  for (let i = 0; i < length; i++) into.destination[i] = bytes[ip.destinationAt + i] ?? 0
  if (isV4) {
    into.source.fill(0, 4)
    into.destination.fill(0, 4)
  }
  into.ifindex = 0
  into.sport = 0
  into.dport = 0
  const { transportProtocol: protocol, transportAt: at, end } = ip
  into.protocol = protocol
  if (ip.isFragment) return
  if (protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6) {
    if (at + 2 > end) return
    into.sport = bytes[at] ?? 0
    into.dport = bytes[at + 1] ?? 0
  } else if (WITH_PORTS.has(protocol) && at + 4 <= end) {
    into.sport = read16(bytes, at)
    into.dport = read16(bytes, at + 2)
  }
}
