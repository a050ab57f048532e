/**
 * States of SMF from what systemd says of a unit and what we know beside it. Pure.
 *
 * @module
 */
import type { Mark } from './mark.ts'
import type { Unit } from './systemd.ts'

export const STATES = ['uninitialized', 'disabled', 'online', 'degraded', 'offline', 'maintenance'] as const
export type State = (typeof STATES)[number]

export interface ServiceState {
  readonly state: State
  /** Where it is on its way to. */
  readonly next?: State
  /** Milliseconds since 1970. */
  readonly since?: number
  /** It is to run: by its unit file, or until the next boot. */
  readonly isEnabled: boolean
  /** `isEnabled` holds until the next boot only. */
  readonly isTemporary: boolean
  /** A word for why: `restarter/auxiliary_state` of SMF. */
  readonly auxiliary: string
  readonly unit: Unit
  readonly mark?: Mark
}

/**
 * @param isStarting the system is coming up: a unit that did not run yet has its turn still to come
 */
export function stateOf(unit: Unit, mark: Mark | undefined, isStarting: boolean): ServiceState {
  const enabledByFile = unit.file.startsWith('enabled')
  const moved = motion(unit, enabledByFile, isStarting)
  const state = marked(moved.state, mark)
  // Whether it is to run tells what it does, unless it has fallen.
  const runs = moved.next ? moved.next === 'online' : moved.state === 'online'
  const isEnabled = moved.state === 'maintenance' || moved.state === 'offline' ? enabledByFile || runs : runs
  const since = mark?.at || unit.changedAt
  return {
    state,
    ...(moved.next && { next: moved.next }),
    ...(since !== undefined && { since }),
    isEnabled,
    isTemporary: isEnabled !== enabledByFile,
    auxiliary: auxiliary(state, mark, unit),
    unit,
    ...(mark && { mark }),
  }
}

function marked(state: State, mark: Mark | undefined): State {
  if (!mark || state === 'uninitialized') return state
  // Degraded is what runs; what does not run is not.
  return mark.state === 'maintenance' || state === 'online' ? mark.state : state
}

function motion(unit: Unit, isEnabled: boolean, isStarting: boolean): { state: State; next?: State } {
  if (unit.load !== 'loaded' && unit.load !== 'masked') return { state: 'uninitialized' }
  switch (unit.active) {
    case 'active':
      return unit.hasJob ? { state: 'online', next: 'online' } : { state: 'online' }
    case 'reloading':
      return { state: 'online', next: 'online' }
    case 'activating':
      return { state: 'offline', next: 'online' }
    case 'deactivating':
      return { state: 'online', next: isEnabled ? 'offline' : 'disabled' }
    case 'failed':
      return { state: 'maintenance' }
    default:
      if (unit.hasJob) return { state: 'offline', next: 'online' }
      return { state: isEnabled && isStarting ? 'offline' : 'disabled' }
  }
}

function auxiliary(state: State, mark: Mark | undefined, unit: Unit): string {
  if (state === 'maintenance' || state === 'degraded') {
    if (mark?.cause === 'administrator') return 'administrative_request'
    if (mark?.cause === 'service') return 'service_request'
    return mark || unit.result === 'exit-code' ? 'method_failed' : 'fault_threshold_reached'
  }
  if (state === 'disabled') return 'disabled_by_admin'
  return state === 'offline' ? 'dependencies_unsatisfied' : 'dependencies_satisfied'
}
