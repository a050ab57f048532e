/**
 * Findings in words.
 *
 * @module
 */

import { formatAddress } from '../../../../agent/model/address.ts'
import type { Flow } from '../../../../agent/packet/flow.ts'
import { readAddress } from '../../../../agent/translate/selectors.ts'
import type { Category } from '../../../../agent/verify/verdict.ts'

/** What the lines of the summary say. */
export const LABELS: Readonly<Record<Category, string>> = {
  protected: 'protected as policy asks',
  clear: 'in clear as policy has it',
  unasked: 'protected, though no policy asks for it',
  fragment: 'parts of protected packets, judged with the last part',
  echo: 'out of tunnels, shown once more by the kernel',
  notOurs: 'of other hosts, or no IP',
  notChecked: 'NOT CHECKED: cannot be told',
  arrivedInClear: 'ARRIVED IN CLEAR: to be refused here',
  arrivedOtherwise: 'ARRIVED WITH OTHER PROTECTION than asked for: to be refused here',
  leak: 'LEAK: went out in clear, or not as policy asks',
  unknownSa: 'UNKNOWN SA: nobody here can open it',
  wrongIcv: 'WRONG ICV: not authentic',
  malformed: 'MALFORMED: no whole AH or ESP',
}

/** The same in front of a finding. */
export const TITLES: Readonly<Partial<Record<Category, string>>> = {
  notChecked: 'NOT CHECKED',
  arrivedInClear: 'ARRIVED IN CLEAR',
  arrivedOtherwise: 'ARRIVED OTHERWISE',
  leak: 'LEAK',
  unknownSa: 'UNKNOWN SA',
  wrongIcv: 'WRONG ICV',
  malformed: 'MALFORMED',
}

const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'hop-by-hop options',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPv4 in IP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6 in IP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  132: 'SCTP',
}
const ICMP: ReadonlySet<number> = new Set([1, 58])

/** `10.0.0.1:4000 -> 10.0.0.2:7 TCP`. */
export function flowText(flow: Flow): string {
  const { protocol, sport, dport } = flow
  const { source, destination } = endsOf(flow)
  const name = PROTOCOLS[protocol] ?? `protocol ${protocol}`
  if (ICMP.has(protocol)) return `${source} -> ${destination} ${name} type ${sport} code ${dport}`
  if (sport === 0 && dport === 0) return `${source} -> ${destination} ${name}`
  const isV6 = source.includes(':')
  const end = (address: string, port: number) => `${isV6 ? `[${address}]` : address}:${port}`
  return `${end(source, sport)} -> ${end(destination, dport)} ${name}`
}

export function endsOf({ family, source, destination }: Flow): { source: string; destination: string } {
  const text = (bytes: Uint8Array) => formatAddress(readAddress(bytes, family))
  return { source: text(source), destination: text(destination) }
}

/** `1 packet`, `2 packets`. */
export function packets(count: number): string {
  return count === 1 ? '1 packet' : `${count} packets`
}

/** Time of day with milliseconds, as the system has it. */
export function clockText(milliseconds: number): string {
  const date = new Date(milliseconds)
  const two = (value: number) => String(value).padStart(2, '0')
  const rest = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${rest}`
}
