/**
 * The words of filter expressions. Source: snoop(8).
 *
 * @module
 */
import { ETHERTYPE_ARP, ETHERTYPE_RARP } from '../../../../agent/capture/ethertypes.ts'
import {
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_OSPF,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from '../../../../agent/packet/protocols.ts'
import type { Condition } from './arithmetic.ts'
import {
  any,
  inVlan,
  isAh,
  isBetween,
  isBroadcast,
  isEsp,
  isEthertype,
  isFragment,
  isIp,
  isIp6,
  isLonger,
  isMulticast,
  isNoFragment,
  isPort,
  isProtocol,
  isShorter,
  isSpi,
  isVlan,
  type Side,
} from './conditions.ts'

/** Words that are a condition by themselves. */
export const CONDITIONS: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  ['ip', isIp],
  ['ip6', isIp6],
  ['arp', isEthertype(ETHERTYPE_ARP)],
  ['rarp', isEthertype(ETHERTYPE_RARP)],
  ['pppoed', isEthertype(0x8863)],
  ['pppoes', isEthertype(0x8864)],
  ['pppoe', any([isEthertype(0x8863), isEthertype(0x8864)])],
  ['apple', any([isEthertype(0x809b), isEthertype(0x80f3)])],
  ['decnet', isEthertype(0x6003)],
  ['vlan', inVlan],
  ['broadcast', isBroadcast],
  ['multicast', isMulticast],
  ['tcp', isProtocol(IPPROTO_TCP)],
  ['udp', isProtocol(IPPROTO_UDP)],
  ['icmp', isProtocol(IPPROTO_ICMP)],
  ['icmp6', isProtocol(IPPROTO_ICMPV6)],
  ['sctp', isProtocol(IPPROTO_SCTP)],
  ['ospf', isProtocol(IPPROTO_OSPF)],
  ['ah', isAh],
  ['esp', isEsp],
  ['bootp', isBetween(4, 67, 68)],
  ['dhcp', isBetween(4, 67, 68)],
  ['dhcp6', isBetween(6, 546, 547)],
  ['ldap', isPort('either', 389)],
  ['slp', isPort('either', 427)],
  ['nofrag', isNoFragment],
  ['fragment', isFragment],
])

interface Numbered {
  readonly most: number
  /** `an SPI`. */
  readonly expected: string
  readonly condition: (value: number) => Condition
}

/** Words that take a number. */
export const NUMBERED: ReadonlyMap<string, Numbered> = new Map<string, Numbered>([
  ['ethertype', { most: 0xffff, expected: 'an Ethernet type', condition: isEthertype }],
  ['vlan-id', { most: 4095, expected: 'the ID of a VLAN', condition: isVlan }],
  ['greater', { most: 0xffffffff, expected: 'a length in bytes', condition: isLonger }],
  ['less', { most: 0xffffffff, expected: 'a length in bytes', condition: isShorter }],
  ['spi', { most: 0xffffffff, expected: 'an SPI', condition: isSpi }],
])

/** Words that say which end is meant. */
export const SIDES: ReadonlyMap<string, Side> = new Map<string, Side>([
  ['from', 'source'],
  ['src', 'source'],
  ['to', 'destination'],
  ['dst', 'destination'],
])

/** Words that there is no meaning for here, and the way out. */
export const REFUSED: ReadonlyMap<string, string> = new Map([
  ['rpc', 'Select by port, as in `port 2049`.'],
  ['gateway', 'Write `ether ADDRESS and not host HOST`, with the Ethernet address of the gateway.'],
  ['zone', 'Linux has no zones: capture in the network namespace that is meant.'],
])

/** Words that go before a host, a network or a port. */
export const QUALIFIERS: ReadonlySet<string> = new Set([...SIDES.keys(), 'ether', 'inet', 'inet6'])

export const OPERANDS: ReadonlySet<string> = new Set(['host', 'net', 'port'])

/** Every word that is not the name of a host. */
export const WORDS: ReadonlySet<string> = new Set([
  ...CONDITIONS.keys(),
  ...NUMBERED.keys(),
  ...REFUSED.keys(),
  ...QUALIFIERS,
  ...OPERANDS,
  'and',
  'or',
  'not',
  'length',
])
