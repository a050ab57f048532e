/**
 * A report under the names of Solaris: kstat(8)'s modules, names and statistics. What Linux does not count is not there;
 * docs/man/solipsec-kstat.8.md says what each one counts here.
 *
 * @module
 */
import type { SaProtocol } from '../model/association.ts'
import { REFUSED_BY_POLICY } from './losses.ts'
import type { StatusReport } from './report.ts'
import { type Totals, totalsOf } from './totals.ts'

export interface Kstat {
  readonly module: string
  readonly instance: number
  readonly name: string
  readonly class: string
  /** Counts by name, in the order in which kstat(8) shows them. */
  readonly statistics: ReadonlyMap<string, number>
}

/** How many algorithms the host has; absent where it was not asked: see ipsecalgs(8). */
export interface AlgorithmCounts {
  readonly authentication: number
  readonly encryption: number
}

/** @param report with the SAs of other programs as well: a module counts for all */
export function kstatsOf(report: StatusReport, algorithms?: AlgorithmCounts): Kstat[] {
  const { losses } = report
  const found = [
    kstat('ipsecesp', 'esp_stat', {
      ...(algorithms && { num_aalgs: algorithms.authentication, num_ealgs: algorithms.encryption }),
      ...protocolCounts(report, 'esp'),
    }),
    kstat('ipsecah', 'ah_stat', {
      ...(algorithms && { num_aalgs: algorithms.authentication }),
      ...protocolCounts(report, 'ah'),
    }),
    kstat('ip', 'ipsec_stat', { ...arrivals(report, 'esp'), ...arrivals(report, 'ah') }),
    kstat('ip', 'ipdrop', { ...drops(report, 'esp'), ...drops(report, 'ah') }),
  ]
  if (losses) {
    const failed = REFUSED_BY_POLICY.reduce((sum, name) => sum + (losses[name] ?? 0), 0)
    found.push(kstat('ip', 'ip', { ipsecInFailed: failed }), kstat('ip', 'xfrm_stat', losses))
  }
  return found.filter(({ statistics }) => statistics.size > 0).sort(byName)
}

function kstat(module: string, name: string, statistics: Readonly<Record<string, number>>): Kstat {
  const sorted = Object.entries(statistics).sort(([a], [b]) => compareNames(a, b))
  return { module, instance: 0, name, class: 'net', statistics: new Map(sorted) }
}

function byName(a: Kstat, b: Kstat): number {
  return compareNames(a.module, b.module) || a.instance - b.instance || compareNames(a.name, b.name)
}

/** Of SAs that are there now. Without tables nothing is known, not even that there are none. */
function sums(
  { tables, associations }: StatusReport,
  protocol: SaProtocol,
): Record<'in' | 'out', Totals> | undefined {
  if (!tables) return undefined
  return {
    in: totalsOf(associations, { protocol, direction: 'in' }),
    out: totalsOf(associations, { protocol, direction: 'out' }),
  }
}

function protocolCounts(report: StatusReport, protocol: SaProtocol): Record<string, number> {
  const totals = sums(report, protocol)
  if (!totals) return {}
  const authenticated = report.associations.filter(({ isAuthenticated }) => isAuthenticated)
  return {
    good_auth: totalsOf(authenticated, { protocol, direction: 'in' }).packets,
    bad_auth: totals.in.integrity,
    replay_early_failures: totals.in.replay + totals.in.replayWindow,
    out_requests: totals.out.packets,
  }
}

/** Packets that found an SA. */
function arrivals(report: StatusReport, protocol: SaProtocol): Record<string, number> {
  const totals = sums(report, protocol)?.in
  if (!totals) return {}
  const refused = totals.integrity + totals.replay + totals.replayWindow
  return {
    [`${protocol}_stat_in_requests`]: totals.packets + refused,
    [`${protocol}_stat_in_discards`]: refused,
  }
}

function drops(report: StatusReport, protocol: SaProtocol): Record<string, number> {
  const totals = sums(report, protocol)?.in
  if (!totals) return {}
  return {
    [`${protocol}_bad_auth`]: totals.integrity,
    [`${protocol}_early_replay`]: totals.replay + totals.replayWindow,
  }
}

/** As strcasecmp(3) in the C locale, which is the order of kstat(8). */
function compareNames(a: string, b: string): number {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()]
  return one < other ? -1 : one > other ? 1 : 0
}
