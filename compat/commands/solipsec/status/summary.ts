/**
 * What is to be seen at a glance: some lines with a name in front of each.
 *
 * @module
 */

import { counted } from '../../../../agent/model/counted.ts'
import type { Rates } from '../../../../agent/status/rates.ts'
import type { StatusReport } from '../../../../agent/status/report.ts'
import { type Totals, totalsOf } from '../../../../agent/status/totals.ts'
import { bitRateText, bytesText, durationText, rateText } from '../../support/quantities.ts'

export type Tone = 'good' | 'warning' | 'bad'

export interface SummaryLine {
  readonly name: string
  readonly text: string
  readonly tone?: Tone
}

export function summaryLines(report: StatusReport, rates: Rates | undefined): SummaryLine[] {
  return [
    dataPathLine(report),
    agentLine(report),
    ...tunnelLines(report),
    rulesLine(report),
    ...associationLines(report, rates),
    ...lossLines(report, rates),
    ...unitLines(report),
    ...otherLines(report),
    ...report.problems.map((text): SummaryLine => ({ name: 'PROBLEM', text, tone: 'bad' })),
  ]
}

function dataPathLine({ dataPath: { kind, state, processId } }: StatusReport): SummaryLine {
  const process = processId === undefined ? '' : `, process ${processId}`
  const text = `${kind}, ${state}${process}`
  return { name: 'Data path', text, tone: state === 'ready' ? 'good' : 'bad' }
}

/** Whether somebody looks after all this. */
function agentLine({ time, agent }: StatusReport): SummaryLine {
  if (!agent) return { name: 'Agent', text: 'none: what others change stays as they have it' }
  const { state, processId, since, drift, drifts } = agent
  const changes = drifts > 0 ? `, drift ${counted(drifts, 'time')}` : ''
  const only = drift === 'report' ? ', drift is only told' : ''
  const text = `${state} for ${durationText(Math.max(0, time - since))}, process ${processId}${changes}${only}`
  return { name: 'Agent', text, tone: state === 'online' ? 'good' : 'bad' }
}

/** The tunnel interfaces that solipsec has made. */
function tunnelLines({ tunnels = [] }: StatusReport): SummaryLine[] {
  if (tunnels.length === 0) return []
  const others = tunnels.filter(({ state }) => state !== 'up')
  const notes = others.map(({ name, state }) => `${name} ${state}`)
  const text = [`${tunnels.length - others.length} of ${tunnels.length} up`, ...notes].join(', ')
  return [{ name: 'Tunnels', text, tone: others.length > 0 ? 'bad' : 'good' }]
}

function rulesLine({ rules, tables }: StatusReport): SummaryLine {
  if (rules.length === 0) return { name: 'Rules', text: 'none: nothing has to be protected', tone: 'warning' }
  const entries = rules.reduce((sum, rule) => sum + rule.entries.length, 0)
  const made = tables
    ? ` in ${counted(tables.policies.ofRules, 'policy', 'policies')}, and ${tables.policies.frame} around them`
    : ''
  const lacking = rules.filter(({ lacks }) => lacks).length
  const without = lacking > 0 ? `; ${lacking} without an SA: held back` : ''
  return {
    name: 'Rules',
    text: `${rules.length}, with ${counted(entries, 'entry', 'entries')}${made}${without}`,
    ...(lacking > 0 && { tone: 'warning' }),
  }
}

function associationLines({ associations, tables }: StatusReport, rates: Rates | undefined): SummaryLine[] {
  if (!tables) return []
  const own = associations.filter(({ owner }) => owner === 'solipsec')
  const dying = own.filter(({ state }) => state === 'dying').length
  const alone = own.filter(({ pair }) => pair && !pair.isThere).length
  const unclaimed = own.filter(({ servesNoRule }) => servesNoRule).length
  const [into, out, all] = [
    totalsOf(own, { direction: 'in' }),
    totalsOf(own, { direction: 'out' }),
    totalsOf(own),
  ]
  const notes = [
    `${into.associations} in, ${out.associations} out`,
    ...(dying > 0 ? [`${dying} past a soft limit`] : []),
    ...(alone > 0 ? [`${alone} without the other half of a pair`] : []),
    ...(unclaimed > 0 ? [`${unclaimed} that no rule asks for`] : []),
  ]
  const count: SummaryLine =
    own.length === 0
      ? { name: 'SAs', text: 'none' }
      : {
          name: 'SAs',
          text: `${own.length}: ${notes.join(', ')}`,
          ...(dying + alone + unclaimed > 0 && { tone: 'warning' }),
        }
  if (own.length === 0) return [count]
  const refused = refusedText(all)
  return [
    count,
    { name: 'Carried', text: `in ${carriedText(into)}; out ${carriedText(out)}` },
    ...(rates ? [{ name: 'Now', text: nowText(rates) }] : []),
    { name: 'Refused', text: refused || 'nothing by an SA', ...(refused && { tone: 'warning' as const }) },
  ]
}

function carriedText({ bytes, packets }: Totals): string {
  return `${bytesText(bytes)} in ${counted(packets, 'packet')}`
}

function nowText({ in: into, out }: Rates): string {
  const one = ({ bitsPerSecond, packetsPerSecond }: Rates['in']) =>
    `${bitRateText(bitsPerSecond)}, ${rateText(packetsPerSecond)} packets/s`
  return `in ${one(into)}; out ${one(out)}`
}

function refusedText({ integrity, replay, replayWindow }: Totals): string {
  const parts = [
    integrity > 0 && `${integrity} with a wrong ICV`,
    replay > 0 && `${replay} repeated`,
    replayWindow > 0 && `${replayWindow} before the replay window`,
  ]
  return parts.filter((part) => part !== false).join(', ')
}

function lossLines({ losses }: StatusReport, rates: Rates | undefined): SummaryLine[] {
  if (!losses) return []
  const lost = Object.values(losses).reduce((sum, count) => sum + count, 0)
  const fresh = rates ? [...rates.losses.values()].reduce((sum, count) => sum + count, 0) : 0
  const more =
    fresh > 0 ? `, ${fresh} of them in the last ${Math.round((rates?.seconds ?? 0) * 10) / 10} s` : ''
  const text = lost === 0 ? 'none' : `${counted(lost, 'packet')}${more}`
  return [
    { name: 'Lost', text, ...(lost > 0 && { tone: fresh > 0 ? ('bad' as const) : ('warning' as const) }) },
  ]
}

/** Those that are to have policies of their own, and whether they have. */
function unitLines({ units = [] }: StatusReport): SummaryLine[] {
  if (units.length === 0) return []
  const sockets = units.reduce((sum, unit) => sum + unit.sockets, 0)
  const bare = units.filter(({ unprotected }) => unprotected > 0)
  const without = bare.map(({ unit, unprotected }) => `${unprotected} of ${unit}`).join(', ')
  const text = `${counted(sockets, 'socket')} of ${counted(units.length, 'service')} to be protected`
  return [
    without
      ? { name: 'Sockets', text: `${text}; without a policy: ${without}`, tone: 'warning' }
      : { name: 'Sockets', text },
  ]
}

function otherLines({ tables, tunables }: StatusReport): SummaryLine[] {
  const lines: SummaryLine[] = []
  if (tables) {
    const { policies, associations } = tables
    if (associations.larval > 0) {
      const text = `${counted(associations.larval, 'SA')} that packets need and nobody has made`
      lines.push({ name: 'Missing', text, tone: 'warning' })
    }
    const others = [
      policies.foreign > 0 && `${counted(policies.foreign, 'policy', 'policies')} of other programs`,
      associations.foreign > 0 && `${counted(associations.foreign, 'SA')} of other programs`,
      policies.ofSockets > 0 && `${counted(policies.ofSockets, 'policy', 'policies')} of single sockets`,
    ].filter((part) => part !== false)
    if (others.length > 0) lines.push({ name: 'Others', text: others.join(', ') })
  }
  if (tunables) {
    const text = Object.entries(tunables).map(([name, value]) => `${name}=${value}`)
    if (text.length > 0) lines.push({ name: 'Tunables', text: text.join(' ') })
  }
  return lines
}
