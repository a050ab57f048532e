/**
 * Which interfaces lead to the wire: those on which packets must look as policy wants them. What passes a tunnel's own
 * interface is clear by design.
 *
 * @module
 */
import type { NetworkInterface } from '../capture/interfaces.ts'

/** `ARPHRD_` of linux/if_arp.h: Ethernet, IEEE 802, IEEE 1394, EUI-64, InfiniBand, PPP, mobile networks. */
const WIRE_TYPES: ReadonlySet<number> = new Set([1, 6, 24, 27, 32, 512, 519])
/** Their packets are seen on the interface below, as what that one carries. */
const UPPER_KINDS: ReadonlySet<string> = new Set([
  'vlan',
  'macvlan',
  'macvtap',
  'ipvlan',
  'ipvtap',
  'vrf',
  'vxlan',
  'geneve',
  'gretap',
  'ip6gretap',
  'erspan',
  'ip6erspan',
])
/** What has an address is these, and not their ports. */
const JOINING_KINDS: ReadonlySet<string> = new Set(['bridge', 'bond', 'team'])

/** Those of `all` that are up and lead to the wire. */
export function wireInterfaces(all: readonly NetworkInterface[]): NetworkInterface[] {
  const joining = new Set(all.filter(({ kind = '' }) => JOINING_KINDS.has(kind)).map(({ index }) => index))
  return all.filter(
    ({ isUp, isLoopback, type, kind = '', master }) =>
      isUp &&
      !isLoopback &&
      WIRE_TYPES.has(type) &&
      !UPPER_KINDS.has(kind) &&
      !(master !== undefined && joining.has(master)),
  )
}
