/**
 * All properties of a service as SMF would list them: those that were set, and those that tell how it is.
 *
 * @module
 */
import type { Service } from '../services/catalogue.ts'
import { logFile } from '../services/places.ts'
import type { Property, PropertySet, PropertyType } from '../services/property.ts'
import { composed } from '../services/snapshot.ts'
import { readStates, type World } from '../services/world.ts'

export interface Listed {
  /** `group/name`. */
  readonly path: string
  readonly property: Property
}

/**
 * @param world where to ask for the state; without it, groups that depend on it are left out
 */
export function propertiesOf(service: Service, set: PropertySet, world: World | undefined): Listed[] {
  const custom = Object.entries(composed(service, set).properties).map(([path, property]) => ({
    path,
    property,
  }))
  const { start, stop, refresh } = service.methods
  return [
    ...(world ? stateProperties(service, world) : []),
    ...custom,
    ...method('start', start),
    ...method('stop', stop),
    ...method('refresh', refresh),
    one('tm_common_name/C', 'ustring', service.commonName),
    one(`tm_man_${service.manual.title}/title`, 'astring', service.manual.title),
    one(`tm_man_${service.manual.title}/section`, 'astring', service.manual.section),
  ]
}

function one(path: string, type: PropertyType, value: string): Listed {
  return { path, property: { type, values: [value] } }
}

function method(name: string, exec: string): Listed[] {
  return [one(`${name}/exec`, 'astring', exec), one(`${name}/type`, 'astring', 'method')]
}

function stateProperties(service: Service, world: World): Listed[] {
  const [state] = readStates(world, [service])
  if (!state) return []
  const { isEnabled, isTemporary, since } = state
  // With `-t` the lasting setting is the other one.
  const enabled = isTemporary ? !isEnabled : isEnabled
  return [
    one('general/enabled', 'boolean', String(enabled)),
    ...(isTemporary ? [one('general_ovr/enabled', 'boolean', String(isEnabled))] : []),
    one('restarter/state', 'astring', state.state),
    one('restarter/next_state', 'astring', state.next ?? 'none'),
    one('restarter/auxiliary_state', 'astring', state.auxiliary),
    one('restarter/logfile', 'astring', logFile(world.places, service)),
    ...(since === undefined
      ? []
      : [one('restarter/state_timestamp', 'time', `${(since / 1000).toFixed(9)}`)]),
    one('restarter/unit', 'astring', service.unit),
  ]
}
