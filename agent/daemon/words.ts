/**
 * What a round found and did, as events. Pure.
 *
 * @module
 */
import { fewMessages } from '../log/few.ts'
import { formatAddress } from '../model/address.ts'
import type { SaIdentifier } from '../model/association.ts'
import { counted } from '../model/counted.ts'
import { type Drift, isDrift } from './drift.ts'
import type { AgentEvent } from './events.ts'
import type { Awaited } from './loading.ts'
import type { RoundReport } from './round.ts'

type Untimed = Omit<AgentEvent, 'time'>

/** SAs that an event names; of more, only how many there are. */
const MOST_NAMED = 8

/** In the order in which it came to pass. */
export function roundEvents(report: RoundReport): Untimed[] {
  const { drift, isApplied, isMended, followed, ended, warnings, obstacles } = report
  const events: Untimed[] = []
  const { blocked } = drift.tunnels
  const ours: Drift = { ...drift, tunnels: { ...drift.tunnels, blocked: [] } }
  if (isDrift(ours)) {
    const outcome = isMended
      ? 'It was put right.'
      : obstacles.length > 0
        ? 'Not all of it could be put right.'
        : 'Nothing was done about it, as the configuration says.'
    events.push({
      level: 'warning',
      event: isMended ? 'drift-mended' : 'drift',
      message: `Another program has changed what is ours: ${driftText(ours)}. ${outcome}`,
      details: driftDetails(drift),
    })
  }
  if (blocked.length > 0) {
    const lines = blocked.map((one) => `ip link delete ${one}`).join('; ')
    events.push({
      level: 'warning',
      event: 'drift',
      message: `In place of ours, another program has made ${interfaces(blocked)}. To have ours again: ${lines}`,
      details: driftDetails(drift),
    })
  }
  for (const { association, why } of ended) {
    const reason = why === 'idle' ? 'it was idle for too long' : 'the other half of its pair has expired'
    events.push({
      level: 'info',
      event: 'association-ended',
      message: `${associationName(association)} was removed: ${reason}.`,
      details: { association: associationName(association), why },
    })
  }
  if (isApplied && followed > 0) {
    events.push({
      level: 'info',
      event: 'followed',
      message: `${counted(followed, 'policy', 'policies')} changed with SAs, addresses or tunnels of this host.`,
      details: { policies: followed },
    })
  }
  for (const message of isApplied ? fewMessages(warnings) : [])
    events.push({ level: 'warning', event: 'warning', message })
  return events
}

function interfaces(names: readonly string[]): string {
  return `${names.length === 1 ? 'the tunnel interface' : 'the tunnel interfaces'} ${names.join(', ')}`
}

function driftText({ policies, associations, netfilter, tunnels }: Drift): string {
  const { missing, changed, unknown } = policies
  const parts = [
    missing && `${counted(missing, 'policy', 'policies')} missing`,
    changed && `${counted(changed, 'policy', 'policies')} changed`,
    unknown && `${counted(unknown, 'policy', 'policies')} too many`,
    associations.missing.length && `${counted(associations.missing.length, 'SA', 'SAs')} missing`,
    associations.changed.length && `${counted(associations.changed.length, 'SA', 'SAs')} changed`,
    netfilter && 'the nftables table changed',
    tunnels.missing.length > 0 && `${interfaces(tunnels.missing)} missing`,
    tunnels.changed.length > 0 && `${interfaces(tunnels.changed)} changed`,
  ]
  return parts.filter((part) => part).join(', ')
}

function driftDetails({
  policies,
  associations,
  netfilter,
  tunnels,
}: Drift): NonNullable<AgentEvent['details']> {
  const names = (list: readonly SaIdentifier[]) => list.slice(0, MOST_NAMED).map(associationName)
  return {
    missingPolicies: policies.missing,
    changedPolicies: policies.changed,
    unknownPolicies: policies.unknown,
    missingAssociations: associations.missing.length,
    changedAssociations: associations.changed.length,
    associations: names([...associations.missing, ...associations.changed]),
    netfilter,
    tunnels: [...tunnels.missing, ...tunnels.changed, ...tunnels.blocked].slice(0, MOST_NAMED),
  }
}

/** `esp 0x1001 -> 192.0.2.2`. */
export function associationName({ protocol, spi, destination }: SaIdentifier): string {
  return `${protocol} 0x${spi.toString(16)} -> ${formatAddress(destination)}`
}

/** Why a configuration is not in force, or not all of it, before the problem itself is told. */
export function awaitedText(awaited: Awaited | undefined): string {
  const what = awaited?.settings
    ? 'Only a part of the configuration is in force.'
    : 'The configuration could not be loaded; what was loaded stays in force.'
  const whens = [
    awaited?.passing && 'at least once a minute',
    awaited?.isTunnel && 'when interfaces change',
    awaited && awaited.names.length > 0 && 'when names have addresses',
  ].filter((when) => when)
  return whens.length === 0 ? what : `${what} It is tried again ${whens.join(', and ')}.`
}
