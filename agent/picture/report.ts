/**
 * What a picture shows, as plain data without keys: rules in the order of asking, SAs, tunnels, and who talks to whom.
 *
 * @module
 */

import type { Situation } from '../explain/explain.ts'
import { type Candidate, candidatesOf, type RuleKind, type RuleSet } from '../explain/order.ts'
import { actionText, endText, protocolText, rangeText } from '../explain/words.ts'
import type { Family } from '../model/address.ts'
import { formatAddress, formatPrefix, isLoopback, unspecified } from '../model/address.ts'
import { type AlgorithmTable, algorithmByNumber, PROTOCOL_AH, PROTOCOL_ESP } from '../model/algorithm.ts'
import type { SaState } from '../model/association.ts'
import { statusOf } from '../reconcile/association-status.ts'
import type { LoadedRule } from '../reconcile/policy-state.ts'
import { ruleLine } from '../reconcile/rule-plan.ts'
import { seekerFor } from '../supply/rule-supply.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import type { Tunnel } from '../translate/tunnels.ts'
import { hiddenRules } from './coverage.ts'
import { type PageRule, pageRule } from './page-rules.ts'

/** What a rule does, as it is drawn: by a colour, a kind of line, and a word. */
export const STYLES = ['both', 'esp', 'ah', 'lenient', 'bypass', 'drop'] as const
export type Style = (typeof STYLES)[number]

export const STYLE_NAMES: Readonly<Record<Style, string>> = {
  both: 'AH and ESP',
  esp: 'ESP',
  ah: 'AH',
  lenient: 'protected or in clear',
  bypass: 'in clear',
  drop: 'dropped',
}

/** One address pair of a rule. */
export interface ReportRule {
  /** Place in the order of asking within its set, from 1. */
  readonly place: number
  /** As `ipsecconf -l` numbers it. */
  readonly index: number
  readonly kind: RuleKind
  readonly style: Style
  readonly direction: 'in' | 'out' | 'both'
  /** `any`, an address or a network. */
  readonly local: string
  readonly remote: string
  /** Protocol, ports and ICMP, in words; empty: every packet. */
  readonly upper: string
  /** Alternatives in words, the preferred one first. */
  readonly actions: readonly string[]
  readonly tunnel?: { readonly name: string; readonly mode: 'tunnel' | 'transport' }
  /** How many SAs there are for it; absent where it asks for none. */
  readonly associations?: number
  /** Index number of a rule that is asked before and is about all of its packets: this one never decides. */
  readonly hiddenBy?: number
  readonly text: string
  readonly file: string
  readonly line: number
  /** What decides in the page. */
  readonly page: PageRule
}

export interface ReportSa {
  readonly protocol: 'esp' | 'ah'
  readonly spi: string
  readonly source: string
  readonly destination: string
  readonly algorithms: string
  readonly mode: 'transport' | 'tunnel'
  readonly direction?: 'in' | 'out'
  /** Absent: not loaded. */
  readonly state?: SaState
  readonly bytes?: string
}

export interface ReportTunnel {
  readonly name: string
  readonly local: string
  readonly remote: string
}

export interface PictureReport {
  readonly title: string
  /** Where it comes from, in words. */
  readonly source: string
  /** As of when, in words. */
  readonly time: string
  readonly localAddresses: readonly string[]
  /** The same and the loopback address, in bytes. */
  readonly own: readonly (readonly number[])[]
  /** Of the host, then of each tunnel. */
  readonly rules: readonly ReportRule[]
  readonly associations: readonly ReportSa[]
  readonly tunnels: readonly ReportTunnel[]
}

/** What of a situation a picture is made of. */
export type Pictured = Pick<Situation, 'rules' | 'tunnels' | 'localAddresses' | 'associations'>

/** What the situation does not know itself. */
export interface PictureAbout {
  /** The host's name, or that of the file. */
  readonly title: string
  readonly source: string
  readonly time: string
  readonly algorithms: AlgorithmTable
  /** The SAs are those of the kernel: they have a state and counters. */
  readonly isLoaded: boolean
}

/** Makes the report. Pure. */
export function pictureReport(
  { rules, tunnels, localAddresses, associations }: Pictured,
  { title, source, time, algorithms, isLoaded }: PictureAbout,
): PictureReport {
  const used = usedTunnels(rules, tunnels)
  const seeker = seekerFor({ associations, localAddresses })
  const sets: RuleSet[] = [{ kind: 'host' }, ...used.map(({ name }): RuleSet => ({ kind: 'tunnel', name }))]
  return {
    title,
    source,
    time,
    localAddresses: localAddresses.filter((one) => !isLoopback(one)).map(formatAddress),
    own: [...localAddresses.map(({ bytes }) => [...bytes]), LOOPBACK6],
    rules: sets.flatMap((set) => {
      const candidates = candidatesOf(rules, set, tunnels)
      const hidden = hiddenRules(candidates)
      const tunnel = set.kind === 'tunnel' ? tunnels.get(set.name) : undefined
      return candidates.map((candidate, i) => {
        const supply = seeker.find(candidate, tunnel?.endpoints)
        const hiddenBy = hidden.get(candidate)?.index
        return {
          ...reportRule(candidate, i + 1, algorithms),
          ...(supply && { associations: supply.fit.length }),
          ...(hiddenBy !== undefined && { hiddenBy }),
        }
      })
    }),
    associations: associations.map((one) => reportSa(one, localAddresses, algorithms, isLoaded)),
    tunnels: used.map(({ name, endpoints: { local, remote } }) => ({
      name,
      local: formatAddress(local),
      remote: formatAddress(remote),
    })),
  }
}

/** `::1`. */
const LOOPBACK6 = [...new Array<number>(15).fill(0), 1]

function usedTunnels(rules: readonly LoadedRule[], tunnels: ReadonlyMap<string, Tunnel>): Tunnel[] {
  const names = new Set(rules.flatMap(({ rule }) => rule.tunnel?.name ?? []))
  return [...names].flatMap((name) => tunnels.get(name) ?? [])
}

function reportRule(candidate: Candidate, place: number, algorithms: AlgorithmTable): ReportRule {
  const { rule, pair, index, kind } = candidate
  const { selector, direction, actions, tunnel, file, span } = rule
  const family = pair.local?.family ?? pair.remote?.family
  const actionTexts = actions.map((action) => actionText(action, algorithms))
  return {
    place,
    index,
    kind,
    style: styleOf(candidate),
    direction,
    local: pair.local ? endText(pair.local) : anyText(family),
    remote: pair.remote ? endText(pair.remote) : anyText(family),
    upper: upperText(selector),
    actions: actionTexts,
    ...(tunnel && { tunnel }),
    text: ruleLine(rule),
    file,
    line: span.line,
    page: pageRule(candidate, actionTexts),
  }
}

/** An end that a rule does not name is of the family of the other one. */
function anyText(family: Family | undefined): string {
  return family ? formatPrefix({ ...unspecified(family), length: 0 }) : 'any'
}

function styleOf({ kind, rule: { actions } }: Candidate): Style {
  if (kind === 'bypass') return actions.some((one) => one.kind === 'protect') ? 'lenient' : 'bypass'
  const styles = { 'AH and ESP': 'both', ESP: 'esp', AH: 'ah', drop: 'drop' } as const
  return styles[kind]
}

function upperText({
  protocol,
  localPort,
  remotePort,
  icmpType,
  icmpCode,
}: Candidate['rule']['selector']): string {
  const words: string[] = []
  if (protocol !== undefined) words.push(protocolText(protocol))
  if (localPort) words.push(`local port ${localPort}`)
  if (remotePort) words.push(`remote port ${remotePort}`)
  if (icmpType) words.push(`type ${rangeText(icmpType)}`)
  if (icmpCode) words.push(`code ${rangeText(icmpCode)}`)
  return words.join(', ')
}

function reportSa(
  { association, counters }: KernelAssociation,
  localAddresses: Situation['localAddresses'],
  table: AlgorithmTable,
  isLoaded: boolean,
): ReportSa {
  const { protocol, spi, source, destination, inner, encrAlgorithm, authAlgorithm } = association
  const status = statusOf(association, counters, { notes: new Map(), localAddresses })
  const { direction, state, current } = status
  const bits = association.encrKey && association.encrKey.bits - association.saltBits
  const name = (of: number, number: number) => algorithmByNumber(table, of, number)?.names[0] ?? `#${number}`
  const cipher = encrAlgorithm === 0 ? [] : [`${name(PROTOCOL_ESP, encrAlgorithm)}${bits ? `(${bits})` : ''}`]
  const integrity = authAlgorithm === 0 ? [] : [name(PROTOCOL_AH, authAlgorithm)]
  return {
    protocol,
    spi: `0x${spi.toString(16)}`,
    source: formatAddress(source),
    destination: formatAddress(destination),
    algorithms: [...cipher, ...integrity].join(' + '),
    mode: inner ? 'tunnel' : 'transport',
    ...(direction && { direction }),
    ...(isLoaded && { state, bytes: bytesText(current.bytes) }),
  }
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1.5 MiB`. */
export function bytesText(bytes: bigint): string {
  let value = Number(bytes)
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}
