/**
 * A report of what was found. Pure.
 *
 * @module
 */
import type { XfrmTables } from '../../netlink/xfrm/connection.ts'
import { dir } from '../../netlink/xfrm/constants.ts'
import { keyedAlgorithms } from '../../netlink/xfrm/keys.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { Address } from '../model/address.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { AssociationStatus } from '../model/association.ts'
import { type AssociationNotes, saKey } from '../reconcile/association-notes.ts'
import { statusOf } from '../reconcile/association-status.ts'
import { ipsecAssociations, mainPolicies } from '../reconcile/engine.ts'
import { policiesOfEntries } from '../reconcile/entry-policies.ts'
import { isOurPolicyIndex, isOurState } from '../reconcile/ownership.ts'
import type { InstalledPolicy } from '../reconcile/plan.ts'
import { type LoadedRule, shownIndex } from '../reconcile/policy-state.ts'
import { type Supply, supplyOf } from '../supply/rule-supply.ts'
import { lackingWays } from '../supply/words.ts'
import { positionOf } from '../translate/priorities.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import type { Tunnel } from '../translate/tunnels.ts'
import { reportAssociation } from './association-report.ts'
import type {
  AgentReport,
  AssociationReport,
  DataPathReport,
  EntryReport,
  RuleReport,
  StatusReport,
  TablesReport,
} from './report.ts'

/** What a report is made of. */
export interface StatusSources {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly dataPath: DataPathReport
  /** The rules that are loaded, by the record. */
  readonly rules: readonly LoadedRule[]
  /** There is a record of what is loaded, but it cannot be read. */
  readonly isRecordLost: boolean
  /** A change was begun and not finished. */
  readonly isChanging: boolean
  /** Absent where nobody could be asked. */
  readonly tables?: XfrmTables
  readonly notes: AssociationNotes
  readonly localAddresses: readonly Address[]
  /** Tunnel interfaces that rules are about, by name. */
  readonly tunnelEnds: ReadonlyMap<string, Tunnel>
  readonly losses?: Readonly<Record<string, number>>
  readonly agent?: AgentReport
  readonly units?: StatusReport['units']
  readonly tunnels?: StatusReport['tunnels']
  readonly tunables?: StatusReport['tunables']
  readonly algorithms: AlgorithmTable
}

export interface ReportOptions {
  /** SAs of other programs as well. */
  readonly withForeign?: boolean
}

export function makeReport(
  sources: StatusSources,
  { withForeign = false }: ReportOptions = {},
): StatusReport {
  const { tables, losses, agent, units, tunnels, tunables } = sources
  const policies = mainPolicies(tables?.policies ?? [])
  const own = policies.filter(({ info }) => isOurPolicyIndex(info.index))
  const found = ipsecAssociations(tables?.states ?? [])
  const supply = tables && supplyFor(sources, found)
  const rules = reportRules(sources.rules, own, supply, sources.dataPath.kind === 'software')
  const shown = found.filter(({ reqid }) => withForeign || isOurState(reqid))
  const time = sources.time / 1000
  return {
    time,
    dataPath: sources.dataPath,
    problems: problemsOf(sources, rules, own.length),
    rules,
    ...(tables && { tables: reportTables(tables, policies, found) }),
    associations: reportAssociations(shown, found, sources, supply),
    ...(losses && { losses }),
    ...(agent && { agent }),
    ...(units && { units }),
    ...(tunnels && { tunnels }),
    ...(tunables && { tunables }),
  }
}

/** Nothing where there are no rules: then no SA is wanted. */
function supplyFor(
  { rules, tunnelEnds: tunnels, localAddresses, tables }: StatusSources,
  found: readonly KernelAssociation[],
): Supply<KernelAssociation> | undefined {
  if (rules.length === 0) return undefined
  const associations = found.filter(({ reqid }) => isOurState(reqid))
  const supply = supplyOf({ rules, tunnels, localAddresses, associations })
  // What no rule asks for may be for a single socket.
  return supply && tables?.policies.some(isOfSocket) ? { ...supply, unclaimed: [] } : supply
}

function isOfSocket({ body }: XfrmTables['policies'][number]): boolean {
  return body.dir > dir.FWD
}

function reportTables(
  { policies: all, states }: XfrmTables,
  policies: readonly InstalledPolicy[],
  associations: readonly KernelAssociation[],
): TablesReport {
  const own = policies.filter(({ info }) => isOurPolicyIndex(info.index))
  const ofRules = own.filter(({ info }) => positionOf(info.priority) !== undefined).length
  const ofSockets = all.filter(isOfSocket).length
  const ownSas = associations.filter(({ reqid }) => isOurState(reqid)).length
  return {
    policies: {
      ofRules,
      frame: own.length - ofRules,
      foreign: all.length - ofSockets - own.length,
      ofSockets,
    },
    associations: {
      own: ownSas,
      foreign: associations.length - ownSas,
      larval: states.filter(isLarval).length,
    },
  }
}

/** It has no SPI, or one without keys: somebody was asked for it. */
function isLarval({ attributes }: XfrmMessage<'NEWSA'>): boolean {
  return keyedAlgorithms(attributes).length === 0 && !attributes.alg_comp
}

function reportAssociations(
  shown: readonly KernelAssociation[],
  all: readonly KernelAssociation[],
  { time, notes, localAddresses, algorithms }: StatusSources,
  supply: Supply<KernelAssociation> | undefined,
): AssociationReport[] {
  const unclaimed = new Set(supply?.unclaimed)
  const facts = { notes, localAddresses }
  const now = Math.floor(time / 1000)
  const there = new Set(all.map(({ association }) => saKey(association)))
  return shown.map((one) => {
    const sa = statusOf(one.association, one.counters, facts)
    return reportAssociation(sa, {
      now,
      algorithms,
      owner: isOurState(one.reqid) ? 'solipsec' : 'other',
      hasPair: isPairThere(sa, there),
      isAuthenticated: sa.protocol === 'ah' || sa.authAlgorithm !== 0 || one.content.combined,
      isUnclaimed: unclaimed.has(one),
      body: one.state.body,
      lastUsed: one.state.attributes.lastused,
    })
  })
}

/** The other half goes the other way. */
function isPairThere(sa: AssociationStatus, there: ReadonlySet<string>): boolean {
  if (sa.pairSpi === undefined) return false
  return there.has(saKey({ protocol: sa.protocol, spi: sa.pairSpi, destination: sa.source }))
}

function reportRules(
  rules: readonly LoadedRule[],
  own: readonly InstalledPolicy[],
  supply: Supply | undefined,
  isCounted: boolean,
): RuleReport[] {
  const lacking = lackingWays(supply?.shortages ?? [])
  const entries = policiesOfEntries(rules, own)
  let at = 0
  return rules.map((loaded) => {
    const { rule } = loaded
    const from = at
    while (entries[at]?.entry.rule === rule) at++
    const reported = entries.slice(from, at).map(({ entry, policies }): EntryReport => {
      const { index, direction, family } = entry
      return { index, direction, family, ...useOf(policies, isCounted) }
    })
    const used = reported.reduce((latest, { lastUsed = 0 }) => Math.max(latest, lastUsed), 0)
    return {
      index: shownIndex(loaded),
      ...(rule.tunnel && { tunnel: rule.tunnel.name }),
      file: rule.file,
      line: rule.span.line,
      text: rule.text.trim().replace(/\s+/g, ' '),
      entries: reported,
      ...(used > 0 && { lastUsed: used }),
      ...(lacking.has(rule) && { lacks: lacking.get(rule) ?? [] }),
    }
  })
}

/** @param isCounted whoever carries the packets counts those of policies that protect */
function useOf(
  policies: readonly InstalledPolicy[],
  isCounted: boolean,
): Omit<EntryReport, 'index' | 'direction' | 'family'> {
  let [lastUsed, bytes, packets] = [0, 0, 0]
  for (const { curlft } of policies.map(({ info }) => info)) {
    lastUsed = Math.max(lastUsed, Number(curlft.use_time))
    bytes += Number(curlft.bytes)
    packets += Number(curlft.packets)
  }
  const hasCounts = packets > 0 || (isCounted && policies.some(({ tmpl }) => tmpl.length > 0))
  return {
    policies: policies.length,
    ...(lastUsed > 0 && { lastUsed }),
    ...(hasCounts && { bytes, packets }),
  }
}

function problemsOf(
  { dataPath, agent, isRecordLost, isChanging, tables }: StatusSources,
  rules: readonly RuleReport[],
  policies: number,
): string[] {
  const problems: string[] = []
  if (dataPath.state === 'stopped') {
    problems.push(
      'The program of the software data path does not run: what needs protection is refused until the next command starts it.',
    )
  }
  if (isRecordLost)
    problems.push('The record of the loaded rules cannot be read; the kernel goes on with what it has.')
  else if (tables && rules.length === 0 && policies > 0 && !isChanging) {
    problems.push('There are policies of solipsec, but no record of the rules that they were made of.')
  }
  if (isChanging) problems.push('A change is under way, or was broken off: the next command takes that back.')
  if (agent?.problem !== undefined) problems.push(`The agent: ${agent.problem}`)
  if (tables) {
    const missing = rules.filter(({ entries }) => entries.some((entry) => entry.policies === 0))
    if (missing.length > 0 && !isChanging) {
      const which = missing.slice(0, 5).map(({ index }) => index)
      const more = missing.length > which.length ? ', …' : ''
      problems.push(
        `${missing.length === 1 ? 'A rule has' : `${missing.length} rules have`} entries that are not in force: ` +
          `${which.join(', ')}${more}`,
      )
    }
  }
  return problems
}
