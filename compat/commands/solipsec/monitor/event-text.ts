/**
 * Events for people, a line each.
 *
 * @module
 */

import { formatSpi } from '../../../../agent/model/association.ts'
import { counted } from '../../../../agent/model/counted.ts'
import { plainLine } from '../../../../agent/reconcile/plain-policy.ts'
import type {
  AboutAssociation,
  AboutPolicy,
  EventAcquire,
  StatusEvent,
} from '../../../../agent/status/events.ts'
import { printable } from '../../support/table.ts'

/** `09:05:07.042 sa-added esp 0x00001000 10.1.0.1 -> 10.1.0.2 …`, without an end of line. */
export function eventText(event: StatusEvent): string {
  return printable(`${clock(event.time)} ${words(event)}${causeText(event)}`)
}

function words(event: StatusEvent): string {
  switch (event.event) {
    case 'sa-added':
    case 'sa-changed':
    case 'sa-removed':
      return `${event.event} ${associationText(event)}`
    case 'sa-expired':
      return `${event.event} ${event.hard ? 'for good' : 'soon'}: ${associationText(event)}`
    case 'policy-added':
    case 'policy-changed':
    case 'policy-removed':
      return `${event.event} ${policyText(event)}`
    case 'policy-expired':
      return `${event.event} ${event.hard ? 'for good' : 'soon'}: ${policyText(event)}`
    case 'sas-flushed':
      return `${event.event} ${event.protocol}`
    case 'policies-flushed':
      return event.event
    case 'acquire':
      return `${event.event} ${acquireText(event.acquire)}`
    case 'overrun':
      return 'overrun: announcements were lost, for there were too many at a time; reading the tables'
    case 'resynchronised':
      return `resynchronised: ${counted(event.policies, 'policy', 'policies')}, ${counted(event.associations, 'SA')}`
    case 'data-path':
      return `data-path ${event.dataPath.kind}, ${event.dataPath.state}`
    case 'agent':
      return `agent ${event.name}: ${event.message}`
  }
}

function associationText({ owner, association: sa }: AboutAssociation): string {
  const algorithms = [sa.encryption, sa.authentication].filter((word) => word !== undefined).join(', ')
  const spi = formatSpi(sa.spi)
  return [
    `${sa.protocol} ${spi} ${sa.source} -> ${sa.destination}`,
    sa.direction && ` ${sa.direction}`,
    sa.mode === 'tunnel' && ' tunnel',
    sa.selector && ` (${sa.selector})`,
    algorithms && ` ${algorithms}`,
    owner === 'other' && ' of another program',
  ]
    .filter((word) => word)
    .join('')
}

function policyText({ owner, policy }: AboutPolicy): string {
  return `${plainLine(policy)}${owner === 'other' ? ' of another program' : ''}`
}

function acquireText(acquire: EventAcquire): string {
  const { protocol, source, destination, mode, upperProtocol, sourcePort, destinationPort } = acquire
  const flow = [
    upperProtocol > 0 && ` protocol ${upperProtocol}`,
    sourcePort > 0 && ` source port ${sourcePort}`,
    destinationPort > 0 && ` destination port ${destinationPort}`,
  ]
  return `${protocol} ${mode} ${source} -> ${destination}${flow.filter((word) => word).join('')}`
}

function causeText(event: StatusEvent): string {
  if ('by' in event) return event.by === 0 ? '' : ` by ${event.by}`
  return 'isResynchronised' in event ? ' (found by comparison)' : ''
}

/** Time of day, local. */
function clock(seconds: number): string {
  const date = new Date(Math.round(seconds * 1000))
  const two = (value: number) => String(value).padStart(2, '0')
  const rest = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${rest}`
}
