/**
 * ICMP that Solaris accepts in clear although policy asks for protection, so that path MTU discovery and error
 * reports keep working (ipsec(4P), `icmp_accept_clear_messages`).
 *
 * Solaris looks into the packet that the message is about, XFRM selects by type and code alone.
 *
 * @module
 */
import type { Selector as XfrmSelector } from '../../netlink/xfrm/structs.ts'
import { anyPrefix, type Family, maskPrefix } from '../model/address.ts'
import {
  type AddressPair,
  type IcmpRange,
  type Rule,
  reachableActions,
  type Selector,
} from '../model/policy.ts'
import { type MaskedPort, makeSelector } from './selectors.ts'

const PROTOCOL_ICMP = 1
const PROTOCOL_ICMPV6 = 58

/** A type, all codes or some. */
interface Message {
  readonly type: number
  readonly codes?: readonly number[]
}

/** Echo reply, net, host and fragmentation-needed unreachables, source quench, router advertisement, time exceeded… */
const ICMP: readonly Message[] = [
  { type: 0 },
  { type: 3, codes: [0, 1, 4] },
  { type: 4 },
  { type: 9 },
  { type: 11 },
  { type: 14 },
  { type: 16 },
]

/** Unreachable, packet too big, time exceeded, echo reply. */
const ICMPV6: readonly Message[] = [{ type: 1 }, { type: 2 }, { type: 3 }, { type: 129 }]

/**
 * Inbound selectors of these messages: all, or those that a rule is about, from the remote to the local side of one
 * of its pairs.
 */
export function clearIcmpSelectors(family: Family, rule?: Selector, pair: AddressPair = {}): XfrmSelector[] {
  const source = pair.remote ? maskPrefix(pair.remote) : anyPrefix(family)
  const destination = pair.local ? maskPrefix(pair.local) : anyPrefix(family)
  const [protocol, messages] = family === 'inet' ? [PROTOCOL_ICMP, ICMP] : [PROTOCOL_ICMPV6, ICMPV6]
  if (rule && !coversProtocol(rule, protocol)) return []
  const exact = (value: number): MaskedPort => ({ value, mask: 0xffff })
  return messages.flatMap(({ type, codes }) => {
    if (!inRange(type, rule?.icmpType)) return []
    const wanted = codes ?? codesOf(rule?.icmpCode)
    if (!wanted) return [makeSelector(source, destination, protocol, exact(type))]
    return wanted
      .filter((code) => inRange(code, rule?.icmpCode))
      .map((code) => makeSelector(source, destination, protocol, exact(type), exact(code)))
  })
}

/** Number that stands for all types or codes (ipsecconf(8)). */
const ANY = 255

function inRange(value: number, range: IcmpRange | undefined): boolean {
  return !range || range.from === ANY || (value >= range.from && value <= range.to)
}

/** The codes of a range one by one; `undefined` for all. */
function codesOf(range: IcmpRange | undefined): number[] | undefined {
  if (!range || range.from === ANY || (range.from === 0 && range.to >= ANY)) return undefined
  return Array.from({ length: range.to - range.from + 1 }, (_, i) => range.from + i)
}

function coversProtocol({ protocol, localPort, remotePort }: Selector, icmp: number): boolean {
  return protocol === undefined ? !localPort && !remotePort : protocol === icmp
}

/** True where some ICMP message is among the packets of a selector. */
function coversIcmp(selector: Selector): boolean {
  return coversProtocol(selector, PROTOCOL_ICMP) || coversProtocol(selector, PROTOCOL_ICMPV6)
}

/** True where a rule drops inbound ICMP: then the exceptions go with the rules that protect, not before all. */
export function dropsInboundIcmp({ actions, direction, selector }: Rule): boolean {
  return direction !== 'out' && reachableActions(actions).length === 0 && coversIcmp(selector)
}
