/**
 * Packets that stand for all those that a question with open parts is about: one for each rule that is about some of them,
 * and one that no such rule is about. Pure.
 *
 * @module
 */
import type { IcmpRange, Rule, Selector } from '../model/policy.ts'
import { ICMP_ANY, matchRule } from './match.ts'
import type { Candidate, Consideration } from './order.ts'
import { hasPorts, isIcmp, type OpenPart, openParts, type Packet, type PartialPacket } from './packet.ts'

export interface Completion {
  /** What was left open, as far as it matters here. */
  readonly assumed: readonly OpenPart[]
  readonly packet: Packet
}

export interface Completions {
  /** Absent where some narrower rule is about every packet. */
  readonly main?: Completion
  readonly narrower: readonly Completion[]
}

/** TCP, UDP, ICMP of the family, and a protocol that nobody has rules about (RFC 3692). */
const USUAL_PROTOCOLS = { inet: [6, 17, 1, 253], inet6: [6, 17, 58, 253] } as const
/** Of the dynamic range (RFC 6335). */
const FIRST_PORT = 49152
const LAST_PORT = 65535
/** Echo request. */
const USUAL_TYPE = { inet: 8, inet6: 128 } as const

/** At most so many types, and codes, are tried. */
const MOST_VALUES = 48
const EVERY_VALUE: IcmpRange = { from: 0, to: 254 }

/** What a narrower rule says of the parts that were left open. */
interface Narrowing {
  readonly packet: PartialPacket
  readonly types: IcmpRange
  readonly codes: IcmpRange
}

/** @param asked the rules that were asked for the packet as far as it is known, in order */
export function completions(packet: PartialPacket, asked: readonly Consideration[]): Completions {
  const open = asked.filter(({ match }) => match.kind === 'some').map(({ candidate }) => candidate)
  const narrower: Completion[] = []
  for (const [i, candidate] of open.entries()) {
    const found = spread(narrowed(packet, candidate.rule), open.slice(0, i))
    if (found) narrower.push(completion(packet, found))
  }
  const main = spread({ packet, types: EVERY_VALUE, codes: EVERY_VALUE }, open)
  return { ...(main && { main: completion(packet, main) }), narrower }
}

function completion(asked: PartialPacket, packet: Packet): Completion {
  const relevant = new Set(openParts({ ...asked, protocol: packet.protocol }))
  if (asked.protocol === undefined) relevant.add('protocol')
  return { assumed: openParts(asked).filter((part) => relevant.has(part)), packet }
}

/** The packet with all that the rule says of it, and the packet itself does not. */
function narrowed(packet: PartialPacket, { selector }: Rule): Narrowing {
  const { protocol, localPort, remotePort, icmpType, icmpCode } = selector
  const said = Object.entries({ protocol, localPort, remotePort }).filter(
    ([part, value]) => value !== undefined && packet[part as OpenPart] === undefined,
  )
  const range = (one: IcmpRange | undefined) => (one && one.from !== ICMP_ANY ? one : EVERY_VALUE)
  return {
    packet: { ...packet, ...Object.fromEntries(said) },
    types: range(icmpType),
    codes: range(icmpCode),
  }
}

/** The packet made whole so that none of the candidates is about it; `undefined` where none was found. */
function spread({ packet, types, codes }: Narrowing, avoid: readonly Candidate[]): Packet | undefined {
  const protocols = packet.protocol === undefined ? USUAL_PROTOCOLS[packet.family] : [packet.protocol]
  for (const protocol of protocols) {
    const rivals = avoid.filter(
      ({ rule: { selector } }) => selector.protocol === undefined || selector.protocol === protocol,
    )
    // The direction was looked at before: who was asked in vain for it is not among them.
    const isTaken = (whole: Packet) =>
      rivals.some(
        ({ rule, pair }) => matchRule({ ...rule, direction: 'both' }, pair, whole, 'out').kind === 'yes',
      )
    const selectors = rivals.map(({ rule }) => rule.selector)
    if (!isIcmp(protocol)) {
      const whole = { ...packet, protocol, ...portsFor({ ...packet, protocol }, selectors), type: 0, code: 0 }
      if (!isTaken(whole)) return whole
      continue
    }
    const usual = USUAL_TYPE[packet.family]
    const ofTypes = values(
      packet.type,
      types,
      usual,
      selectors.flatMap(({ icmpType }) => icmpType ?? []),
    )
    const ofCodes = values(
      packet.code,
      codes,
      0,
      selectors.flatMap(({ icmpCode }) => icmpCode ?? []),
    )
    for (const type of ofTypes) {
      for (const code of ofCodes) {
        const whole = { ...packet, protocol, localPort: 0, remotePort: 0, type, code }
        if (!isTaken(whole)) return whole
      }
    }
  }
  return undefined
}

/** Ports that none of the selectors names, where they were left open. */
function portsFor(packet: PartialPacket & { readonly protocol: number }, selectors: readonly Selector[]) {
  if (!hasPorts(packet.protocol)) return { localPort: 0, remotePort: 0 }
  const free = (part: 'localPort' | 'remotePort') => {
    const taken = new Set(selectors.map((selector) => selector[part]))
    let port = FIRST_PORT
    while (taken.has(port) && port < LAST_PORT) port++
    return port
  }
  return {
    localPort: packet.localPort ?? free('localPort'),
    remotePort: packet.remotePort ?? free('remotePort'),
  }
}

/** Types or codes to try: what was told, else what is usual and what lies beside the ranges of others. */
function values(
  told: number | undefined,
  { from, to }: IcmpRange,
  usual: number,
  others: readonly IcmpRange[],
): number[] {
  if (told !== undefined) return [told]
  const beside = others.flatMap((other) => [other.to + 1, other.from - 1])
  const wanted = [usual, from, to, ...beside].filter((value) => value >= from && value <= Math.min(to, 255))
  return [...new Set(wanted)].slice(0, MOST_VALUES)
}
