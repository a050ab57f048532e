/**
 * `svcs -l` and `svcs -x`: a service in full, and what is wrong with one. Pure.
 *
 * @module
 */
import { serviceNamed } from '../services/catalogue.ts'
import type { Mark } from '../services/mark.ts'
import type { ServiceState } from '../services/state.ts'
import { longTime } from '../services/time.ts'
import type { ProcessEntry } from '../services/world.ts'
import type { Row } from './columns.ts'

/** The block of `svcs -l`. */
export function longText(
  { service, state }: Row,
  log: string,
  stateOfDependency: (fmri: string) => string,
  processes: readonly ProcessEntry[],
): string {
  const fields: [string, string][] = [
    ['fmri', service.fmri],
    ['name', service.commonName],
    ['enabled', `${state.isEnabled}${state.isTemporary ? ' (temporary)' : ''}`],
    ['state', state.state],
    ['next_state', state.next ?? 'none'],
    ['state_time', state.since === undefined ? '-' : longTime(state.since)],
    ['logfile', log],
    ['restarter', `systemd (${service.unit})`],
    ...processes.map(({ pid, name }): [string, string] => ['process', `${pid} ${name}`]),
    ...service.dependencies.map(({ grouping, on }): [string, string] => {
      const { fmri } = serviceNamed(on)
      return ['dependency', `${grouping}/none ${fmri} (${stateOfDependency(fmri)})`]
    }),
  ]
  return fields.map(([name, value]) => `${name.padEnd(12)} ${value}\n`).join('')
}

/** True where a service does not do what it is there for, or not by the will of who runs the host. */
export function isTroubled({ state }: Row): boolean {
  return (
    state.state === 'maintenance' ||
    state.state === 'degraded' ||
    (state.state === 'offline' && state.isEnabled)
  )
}

/**
 * The block of `svcs -x`.
 *
 * @param last the last lines of the log, for a service that failed and left no mark
 */
export function explanation({ service, state }: Row, log: string, last: readonly string[]): string {
  const { title, section } = service.manual
  const since = state.since === undefined ? '' : ` since ${longTime(state.since)}`
  return [
    `${service.fmri} (${service.commonName})`,
    ` State: ${state.state}${since}`,
    `Reason: ${reason(state)}`,
    ...(state.mark?.lines ?? (state.state === 'maintenance' ? last : [])).map((line) => `        ${line}`),
    `   See: man -s ${section} ${title}`,
    `   See: ${log}`,
    `   See: journalctl -u ${service.unit}`,
    `Impact: ${isTroubled({ service, state }) ? service.impact : 'None: it works as it should.'}`,
    ...(state.state === 'maintenance'
      ? [`Action: Mend what is wrong, then: svcadm clear ${service.name}`]
      : []),
    '',
  ].join('\n')
}

const METHODS = { start: 'Start', stop: 'Stop', refresh: 'Refresh' } as const

/** Exit codes of methods that smf_method(7) has a name for. */
const NAMED_STATUS: Readonly<Record<number, string>> = {
  95: '$SMF_EXIT_ERR_FATAL',
  96: '$SMF_EXIT_ERR_CONFIG',
  100: '$SMF_EXIT_ERR_PERM',
}

function reason({ state, mark, unit }: ServiceState): string {
  switch (state) {
    case 'online':
      return 'It is online.'
    case 'disabled':
      return 'Disabled by an administrator.'
    case 'offline':
      return 'Its turn has not come yet, or it is starting.'
    case 'uninitialized':
      return unit.load === 'not-found'
        ? 'Its systemd unit is not installed.'
        : `Its systemd unit is ${unit.load}.`
    default:
      return mark ? markReason(mark) : unitReason(unit)
  }
}

function markReason({ state, cause, status }: Mark): string {
  if (cause === 'administrator') {
    return state === 'degraded'
      ? 'Marked as degraded by an administrator.'
      : 'Maintenance requested by an administrator.'
  }
  if (cause === 'service') return 'It runs, but not all that it is to do is done.'
  return `${METHODS[cause]} method exited with ${NAMED_STATUS[status] ?? `status ${status}`}.`
}

function unitReason({ result, exitStatus }: ServiceState['unit']): string {
  return result === 'exit-code'
    ? `Start method exited with ${NAMED_STATUS[exitStatus] ?? `status ${exitStatus}`}.`
    : `systemd gave it up: ${result}.`
}
