/**
 * The words of `ipsecinit.conf`, as tables: what the parser accepts, what messages call a thing, and the ICMP
 * names. Source: ipsecconf(8).
 *
 * @module
 */

import { PROTOCOLS_WITH_PORTS } from '../../../agent/model/policy.ts'

/** What a pattern keyword sets. */
export type PatternField =
  | 'sourceAddress'
  | 'destinationAddress'
  | 'sourceMask'
  | 'destinationMask'
  | 'sourcePort'
  | 'destinationPort'
  | 'protocol'
  | 'icmpType'
  | 'icmpCode'
  | 'direction'
  | 'tunnel'
  | 'negotiate'

/** The properties that take an algorithm. */
export type AlgorithmField = 'authAlgorithm' | 'encrAlgorithm' | 'encrAuthAlgorithm'

/** What a property sets. */
export type PropertyField = AlgorithmField | 'sa' | 'direction'

export type Field = PatternField | PropertyField

/**
 * Old style names the ends by their place in the packet (source, destination), new style by where they are
 * (local, remote). A rule uses one of them.
 */
export type Style = 'old' | 'new'

export interface Keyword<F extends Field = Field> {
  readonly field: F
  /** `undefined`: fits both styles. */
  readonly style: Style | undefined
}

/** Name of the field in messages, and what its value may be. Local is called Source, as the original does. */
export const FIELDS: Readonly<Record<Field, { readonly thing: string; readonly expected: string }>> = {
  sourceAddress: { thing: 'Source Address', expected: 'a host name or an address, with or without /prefix' },
  destinationAddress: {
    thing: 'Destination Address',
    expected: 'a host name or an address, with or without /prefix',
  },
  sourceMask: { thing: 'Source Mask', expected: 'an IPv4 mask such as 255.255.255.0 or 0xffffff00' },
  destinationMask: {
    thing: 'Destination Mask',
    expected: 'an IPv4 mask such as 255.255.255.0 or 0xffffff00',
  },
  sourcePort: { thing: 'Source Port', expected: 'a port number (0..65535) or a service name' },
  destinationPort: { thing: 'Destination Port', expected: 'a port number (0..65535) or a service name' },
  protocol: { thing: 'Upper Layer Protocol', expected: 'a protocol name or number (0..255)' },
  icmpType: { thing: 'ICMP type', expected: 'an ICMP type name, number (0..255) or range a-b' },
  icmpCode: { thing: 'ICMP code', expected: 'an ICMP code name, number (0..255) or range a-b' },
  direction: { thing: 'Direction', expected: '`in`, `out` or `both`' },
  tunnel: { thing: 'Tunnel', expected: 'the name of a tunnel interface (at most 31 bytes)' },
  negotiate: { thing: 'Negotiate', expected: '`tunnel` or `transport`' },
  authAlgorithm: { thing: 'Authentication Algorithm', expected: 'an authentication algorithm' },
  encrAlgorithm: { thing: 'Encryption Algorithm', expected: 'an encryption algorithm' },
  encrAuthAlgorithm: { thing: 'ESP Authentication Algorithm', expected: 'an authentication algorithm' },
  sa: { thing: 'SA', expected: '`shared` or `unique`' },
}

const oldStyle = <F extends Field>(field: F): Keyword<F> => ({ field, style: 'old' })
const newStyle = <F extends Field>(field: F): Keyword<F> => ({ field, style: 'new' })
const anyStyle = <F extends Field>(field: F): Keyword<F> => ({ field, style: undefined })

/** Keywords inside the braces of a pattern. */
export const PATTERN_KEYWORDS: ReadonlyMap<string, Keyword<PatternField>> = new Map<
  string,
  Keyword<PatternField>
>([
  ['saddr', oldStyle('sourceAddress')],
  ['src', oldStyle('sourceAddress')],
  ['srcaddr', oldStyle('sourceAddress')],
  ['daddr', oldStyle('destinationAddress')],
  ['dst', oldStyle('destinationAddress')],
  ['dstaddr', oldStyle('destinationAddress')],
  ['smask', oldStyle('sourceMask')],
  ['dmask', oldStyle('destinationMask')],
  ['sport', oldStyle('sourcePort')],
  ['dport', oldStyle('destinationPort')],
  ['laddr', newStyle('sourceAddress')],
  ['local', newStyle('sourceAddress')],
  ['raddr', newStyle('destinationAddress')],
  ['remote', newStyle('destinationAddress')],
  ['lport', newStyle('sourcePort')],
  ['rport', newStyle('destinationPort')],
  ['ulp', anyStyle('protocol')],
  ['proto', anyStyle('protocol')],
  ['type', anyStyle('icmpType')],
  ['code', anyStyle('icmpCode')],
  ['dir', anyStyle('direction')],
  ['tunnel', anyStyle('tunnel')],
  ['negotiate', anyStyle('negotiate')],
])

/** Keywords inside the braces of an action. `dir` belongs to old style there. */
export const PROPERTY_KEYWORDS: ReadonlyMap<string, Keyword<PropertyField>> = new Map<
  string,
  Keyword<PropertyField>
>([
  ['auth_algs', anyStyle('authAlgorithm')],
  ['encr_algs', anyStyle('encrAlgorithm')],
  ['encr_auth_algs', anyStyle('encrAuthAlgorithm')],
  ['sa', anyStyle('sa')],
  ['dir', oldStyle('direction')],
])

/** What an action does, and the direction that its word demands. */
export interface ActionWord {
  readonly kind: 'protect' | 'bypass' | 'drop'
  readonly direction?: 'in' | 'out'
}

export const ACTIONS: ReadonlyMap<string, ActionWord> = new Map<string, ActionWord>([
  ['apply', { kind: 'protect', direction: 'out' }],
  ['permit', { kind: 'protect', direction: 'in' }],
  ['ipsec', { kind: 'protect' }],
  ['bypass', { kind: 'bypass' }],
  ['pass', { kind: 'bypass' }],
  ['drop', { kind: 'drop' }],
])

/** Names of ICMP types and codes for one protocol. */
export interface IcmpWords {
  readonly types: Readonly<Record<string, number>>
  readonly codes: Readonly<Record<string, number>>
}

const ICMP_WORDS: IcmpWords = {
  types: {
    unreach: 3,
    echo: 8,
    echorep: 0,
    squench: 4,
    redir: 5,
    timex: 11,
    paramprob: 12,
    timest: 13,
    timestrep: 14,
    inforeq: 15,
    inforep: 16,
    maskreq: 17,
    maskrep: 18,
  },
  codes: {
    'net-unr': 0,
    'host-unr': 1,
    'proto-unr': 2,
    'port-unr': 3,
    needfrag: 4,
    srcfail: 5,
    'net-unk': 6,
    'host-unk': 7,
    isolate: 8,
    'net-prohib': 9,
    'host-prohib': 10,
    'net-tos': 11,
    'host-tos': 12,
    'filter-prohib': 13,
    'host-preced': 14,
    'cutoff-preced': 15,
  },
}

const ICMPV6_WORDS: IcmpWords = {
  types: {
    unreach6: 1,
    pkttoobig6: 2,
    timex6: 3,
    paramprob6: 4,
    echo6: 128,
    echorep6: 129,
    'router-sol6': 133,
    'router-ad6': 134,
    'neigh-sol6': 135,
    'neigh-ad6': 136,
    redir6: 137,
  },
  codes: {
    'no-route6': 0,
    'adm-prohib6': 1,
    'addr-unr6': 3,
    'port-unr6': 4,
    'hop-limex6': 0,
    'frag-re-timex6': 1,
    'err-head6': 0,
    'unrec-head6': 1,
    'unreq-opt6': 2,
  },
}

/** IANA protocol numbers of ICMP and ICMPv6. */
export const IPPROTO_ICMP = 1
export const IPPROTO_ICMPV6 = 58

/** The ICMP names of a protocol; `undefined` where the protocol has neither types nor codes. */
export function icmpWords(protocol: number | undefined): IcmpWords | undefined {
  if (protocol === IPPROTO_ICMP) return ICMP_WORDS
  return protocol === IPPROTO_ICMPV6 ? ICMPV6_WORDS : undefined
}

/** Protocols whose packets carry port numbers: TCP, UDP, DCCP, SCTP, UDP-Lite. */
export const WITH_PORTS: ReadonlySet<number> = new Set(PROTOCOLS_WITH_PORTS)

/** An `AlgorithmRequirement` without an upper limit has this many bits. */
export const UNLIMITED_BITS = 65535
