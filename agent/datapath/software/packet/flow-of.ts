/**
 * The flow key of a packet.
 *
 * @module
 */
import { family as af } from '../../../../netlink/xfrm/constants.ts'
import type { Flow } from '../policy/flow.ts'
import {
  IPPROTO_DSTOPTS,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  type IpHeader,
  newIpHeader,
  skipDestinationOptions,
} from './ip-header.ts'

/** Protocols with two ports at their beginning. */
const WITH_PORTS: ReadonlySet<number> = new Set([
  IPPROTO_TCP,
  IPPROTO_UDP,
  33 /* DCCP */,
  132 /* SCTP */,
  136,
])

const behindOptions = newIpHeader()

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
  let header = ip
  if (ip.protocol === IPPROTO_DSTOPTS) {
    Object.assign(behindOptions, ip)
    if (skipDestinationOptions(bytes, behindOptions)) header = behindOptions
  }
  const { protocol, upperAt, end } = header
  into.protocol = protocol
  if (ip.isFragment) return
  if (protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6) {
    if (upperAt + 2 > end) return
    into.sport = bytes[upperAt] ?? 0
    into.dport = bytes[upperAt + 1] ?? 0
  } else if (WITH_PORTS.has(protocol) && upperAt + 4 <= end) {
    into.sport = ((bytes[upperAt] ?? 0) << 8) | (bytes[upperAt + 1] ?? 0)
    into.dport = ((bytes[upperAt + 2] ?? 0) << 8) | (bytes[upperAt + 3] ?? 0)
  }
}
