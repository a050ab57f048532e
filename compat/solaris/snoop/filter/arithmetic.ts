/**
 * Numbers of filter expressions as closures. A field that the packet does not have is `NaN`, which every operator
 * hands on, and with which no relation holds.
 *
 * @module
 */
import { read16, read32 } from '../../../../agent/packet/octets.ts'
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP } from '../../../../agent/packet/protocols.ts'
import type { Packet } from './packet.ts'

export type Numeric = (packet: Packet) => number
export type Condition = (packet: Packet) => boolean

/** Where a header begins, or -1 where the packet has none. */
type Base = (packet: Packet) => number

const upper =
  (protocol: number): Base =>
  (packet) =>
    packet.protocol === protocol ? packet.upperAt : -1

/** What can stand before brackets. */
export const BASES: ReadonlyMap<string, Base> = new Map<string, Base>([
  ['ether', ({ frame }) => (frame.link === 'ethernet' ? 0 : -1)],
  ['ip', ({ version, ipAt }) => (version === 4 ? ipAt : -1)],
  ['ip6', ({ version, ipAt }) => (version === 6 ? ipAt : -1)],
  ['tcp', upper(IPPROTO_TCP)],
  ['udp', upper(IPPROTO_UDP)],
  ['icmp', upper(IPPROTO_ICMP)],
  ['icmp6', upper(IPPROTO_ICMPV6)],
  ['ah', ({ ahAt }) => ahAt],
  ['esp', ({ espAt }) => espAt],
])

/** A field of 1, 2 or 4 octets, in network byte order and unsigned. */
export function field(base: Base, offset: Numeric, size: 1 | 2 | 4): Numeric {
  return (packet) => {
    const from = base(packet)
    const at = from + offset(packet)
    if (from < 0 || !(at >= from) || at + size > packet.end) return Number.NaN
    if (size === 1) return packet.bytes[at] ?? 0
    return size === 2 ? read16(packet.bytes, at) : read32(packet.bytes, at)
  }
}

/** The length on the wire, as the packet may have been cut when it was captured. */
export const packetLength: Numeric = ({ frame }) => frame.wireLength

type Operator = (a: number, b: number) => number

/** Of bits: 32 of them, unsigned. Their operators would make 0 of `NaN`. */
function bitwise(operate: Operator): Operator {
  return (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : operate(a, b) >>> 0)
}

/** Division by zero has no result. */
function whole(operate: Operator): Operator {
  return (a, b) => (b === 0 ? Number.NaN : Math.trunc(operate(a, b)))
}

const SUMS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['+', (a, b) => a + b],
  ['-', (a, b) => a - b],
  ['|', bitwise((a, b) => a | b)],
  ['^', bitwise((a, b) => a ^ b)],
])

const PRODUCTS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['*', (a, b) => a * b],
  ['/', whole((a, b) => a / b)],
  ['%', whole((a, b) => a % b)],
  ['&', bitwise((a, b) => a & b)],
])

/** From the loosest to the tightest. `&` binds as tightly as `*`: `ip[0] & 0xf * 4` is the header's length. */
export const ARITHMETIC: readonly ReadonlyMap<string, Operator>[] = [SUMS, PRODUCTS]

export function combine(operate: Operator, left: Numeric, right: Numeric): Numeric {
  return (packet) => operate(left(packet), right(packet))
}

const RELATIONS: ReadonlyMap<string, (left: Numeric, right: Numeric) => Condition> = new Map<
  string,
  (left: Numeric, right: Numeric) => Condition
>([
  ['=', (left, right) => (packet) => left(packet) === right(packet)],
  ['!=', (left, right) => (packet) => differ(left(packet), right(packet))],
  ['<', (left, right) => (packet) => left(packet) < right(packet)],
  ['<=', (left, right) => (packet) => left(packet) <= right(packet)],
  ['>', (left, right) => (packet) => left(packet) > right(packet)],
  ['>=', (left, right) => (packet) => left(packet) >= right(packet)],
])

/** The relation that a symbol stands for. */
export function relation(symbol: string): ((left: Numeric, right: Numeric) => Condition) | undefined {
  return RELATIONS.get(symbol === '==' ? '=' : symbol)
}

function differ(a: number, b: number): boolean {
  return a !== b && !Number.isNaN(a) && !Number.isNaN(b)
}
