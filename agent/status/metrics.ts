/**
 * A report as metrics for Prometheus.
 *
 * @module
 */
import { formatSpi, type SaProtocol } from '../model/association.ts'
import { type Family, formatFamilies, type Sample } from './prometheus.ts'
import {
  type AssociationReport,
  carriedBy,
  type Remainder,
  type RuleReport,
  type StatusReport,
} from './report.ts'
import { totalsOf } from './totals.ts'

export interface MetricsOptions {
  readonly version: string
  /** SAs, and rules, that have series of their own at most: each is a burden for whoever keeps them. */
  readonly seriesLimit: number
}

/** What `solipsec status --metrics` takes where nothing else was asked for. */
export const DEFAULT_SERIES_LIMIT = 1000

/** The metrics as text, complete with its last end of line. */
export function metricsText(report: StatusReport, options: MetricsOptions): string {
  return formatFamilies(metricFamilies(report, options))
}

export function metricFamilies(report: StatusReport, { version, seriesLimit }: MetricsOptions): Family[] {
  const own = distinct(report.associations.filter(({ owner }) => owner === 'solipsec'))
  const shown = own.slice(0, seriesLimit)
  const rules = report.rules.slice(0, seriesLimit)
  return [
    gauge('solipsec_info', 'Version of solipsec, and who carries the packets.', [
      { labels: { version, data_path: report.dataPath.kind }, value: 1 },
    ]),
    gauge('solipsec_data_path_up', '1 where the data path in use is at work.', [
      { value: report.dataPath.state === 'ready' ? 1 : 0 },
    ]),
    gauge('solipsec_problems', 'What is not as it should be; solipsec status has the words.', [
      { value: report.problems.length },
    ]),
    ...agentFamilies(report),
    ...tableFamilies(report),
    ...sumFamilies(own),
    ...associationFamilies(shown),
    ...ruleFamilies(rules),
    gauge(
      'solipsec_series_left_out',
      'SAs and rules without series of their own, since there are too many.',
      [
        { labels: { kind: 'sa' }, value: own.length - shown.length },
        { labels: { kind: 'rule' }, value: report.rules.length - rules.length },
      ],
    ),
    counter(
      'solipsec_lost_packets_total',
      'Packets that IPsec did not let through, by the counter of /proc/net/xfrm_stat.',
      Object.entries(report.losses ?? {}).map(([name, value]) => ({ labels: { counter: name }, value })),
    ),
  ]
}

/** A series that is there twice makes everything unreadable. The kernel tells SAs apart also by marks, which ours lack. */
function distinct(associations: readonly AssociationReport[]): AssociationReport[] {
  const named = associations.map((sa) => [Object.values(labelsOf(sa)).join(' '), sa] as const)
  return [...new Map(named).values()]
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'gauge', help, samples }
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'counter', help, samples }
}

function agentFamilies({ agent, units = [] }: StatusReport): Family[] {
  const sockets = units.flatMap(({ unit, sockets: all, unprotected }) => [
    { labels: { unit, protected: 'true' }, value: all - unprotected },
    { labels: { unit, protected: 'false' }, value: unprotected },
  ])
  return [
    gauge(
      'solipsec_agent_up',
      '1 where an agent looks after the network namespace, and nothing is in its way.',
      [{ value: agent?.state === 'online' ? 1 : 0 }],
    ),
    counter(
      'solipsec_drifts_total',
      'How often other programs had changed what is ours, since the agent was started.',
      agent ? [{ value: agent.drifts }] : [],
    ),
    gauge('solipsec_unit_sockets', 'Sockets of units that are to have policies of their own.', sockets),
  ]
}

function tableFamilies({ rules, tables }: StatusReport): Family[] {
  const entries = rules.flatMap((rule) => rule.entries)
  const inForce = entries.filter(({ policies }) => policies > 0).length
  const loaded = gauge('solipsec_rules', 'Rules that are loaded.', [{ value: rules.length }])
  if (!tables) return [loaded]
  const { policies, associations } = tables
  return [
    loaded,
    gauge('solipsec_rules_without_sas', 'Rules whose packets are held back or refused for want of an SA.', [
      { value: rules.filter(({ lacks }) => lacks).length },
    ]),
    gauge('solipsec_rule_entries', 'Entries of rules: one a direction, family and pair of addresses.', [
      { labels: { in_force: 'true' }, value: inForce },
      { labels: { in_force: 'false' }, value: entries.length - inForce },
    ]),
    gauge('solipsec_policies', 'Policies in the SPD.', [
      { labels: { owner: 'solipsec', kind: 'rule' }, value: policies.ofRules },
      { labels: { owner: 'solipsec', kind: 'frame' }, value: policies.frame },
      { labels: { owner: 'other', kind: 'policy' }, value: policies.foreign },
      { labels: { owner: 'any', kind: 'socket' }, value: policies.ofSockets },
    ]),
    gauge('solipsec_foreign_sas', 'SAs of other programs.', [{ value: associations.foreign }]),
    gauge('solipsec_larval_sas', 'SAs that a packet needs and that nobody has made yet.', [
      { value: associations.larval },
    ]),
  ]
}

const PROTOCOLS: readonly SaProtocol[] = ['esp', 'ah']

/** Gauges: an SA that goes takes its counts along. */
function sumFamilies(own: readonly AssociationReport[]): Family[] {
  const sums = PROTOCOLS.flatMap((protocol) =>
    (['in', 'out'] as const).map((direction) => ({
      labels: { protocol, direction },
      totals: totalsOf(own, { protocol, direction }),
    })),
  )
  const dying = own.filter(({ state }) => state === 'dying').length
  const alone = own.filter(({ pair }) => pair && !pair.isThere).length
  return [
    gauge(
      'solipsec_sas',
      'SAs by protocol and direction.',
      sums.map(({ labels, totals }) => ({ labels, value: totals.associations })),
    ),
    gauge('solipsec_dying_sas', 'SAs that are past a soft limit.', [{ value: dying }]),
    gauge('solipsec_sas_without_rule', 'SAs that no rule asks for, where there are rules.', [
      { value: own.filter(({ servesNoRule }) => servesNoRule).length },
    ]),
    gauge('solipsec_sas_without_pair', 'SAs of a pair whose other half is not there.', [{ value: alone }]),
    gauge(
      'solipsec_sas_bytes',
      'Bytes that the SAs which are there now have carried together.',
      sums.map(({ labels, totals }) => ({ labels, value: totals.bytes })),
    ),
    gauge(
      'solipsec_sas_packets',
      'Packets that the SAs which are there now have carried together.',
      sums.map(({ labels, totals }) => ({ labels, value: totals.packets })),
    ),
  ]
}

function associationFamilies(shown: readonly AssociationReport[]): Family[] {
  const each = (value: (sa: AssociationReport) => number | undefined) =>
    shown.flatMap((sa) => sampleOf(labelsOf(sa), value(sa)))
  const limits = (value: (left: Remainder) => number | undefined) =>
    shown.flatMap((sa) =>
      (['soft', 'hard'] as const).flatMap((limit) => {
        const left = sa[limit]
        return left ? sampleOf({ ...labelsOf(sa), limit }, value(left)) : []
      }),
    )
  return [
    counter(
      'solipsec_sa_bytes_total',
      'Bytes that the SA has carried.',
      each(({ bytes }) => bytes),
    ),
    counter(
      'solipsec_sa_packets_total',
      'Packets that the SA has carried.',
      each(({ packets }) => packets),
    ),
    counter(
      'solipsec_sa_errors_total',
      'Packets that came for the SA and were refused: wrong ICV, repeated, or before the replay window.',
      shown.flatMap((sa) => {
        const { integrity, replay, replayWindow } = sa.errors
        const reasons = { integrity, replay, replay_window: replayWindow }
        return Object.entries(reasons).map(([reason, value]) => ({
          labels: { ...labelsOf(sa), reason },
          value,
        }))
      }),
    ),
    gauge(
      'solipsec_sa_created_timestamp_seconds',
      'When the SA was added.',
      each(({ added }) => added),
    ),
    gauge(
      'solipsec_sa_last_used_timestamp_seconds',
      'When the SA carried a packet last, where the kernel tells.',
      each(({ lastUsed }) => lastUsed),
    ),
    gauge(
      'solipsec_sa_left_seconds',
      'Time until the limit, where there is one.',
      limits(({ seconds }) => seconds),
    ),
    gauge(
      'solipsec_sa_left_bytes',
      'Bytes until the limit, where there is one.',
      limits(({ bytes }) => bytes),
    ),
  ]
}

function sampleOf(labels: Readonly<Record<string, string>>, value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ labels, value }]
}

function labelsOf({ protocol, direction, source, destination, spi }: AssociationReport) {
  return {
    protocol,
    direction: direction ?? 'unknown',
    source,
    destination,
    spi: formatSpi(spi),
  }
}

function ruleFamilies(rules: StatusReport['rules']): Family[] {
  const each = (value: (rule: RuleReport) => number | undefined) =>
    rules.flatMap((rule) => sampleOf({ index: String(rule.index), tunnel: rule.tunnel ?? '' }, value(rule)))
  return [
    counter(
      'solipsec_rule_bytes_total',
      'Bytes of packets in clear that the rule has let through with protection, where that is counted.',
      each((rule) => carriedBy(rule)?.bytes),
    ),
    counter(
      'solipsec_rule_packets_total',
      'Packets that the rule has let through with protection, where that is counted.',
      each((rule) => carriedBy(rule)?.packets),
    ),
    gauge(
      'solipsec_rule_last_used_timestamp_seconds',
      'When a packet met the rule last.',
      each(({ lastUsed }) => lastUsed),
    ),
  ]
}
