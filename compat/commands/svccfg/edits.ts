/**
 * Changes of property sets. Pure: each gives the new set, or what is wrong.
 *
 * @module
 */
import type { Service } from '../services/catalogue.ts'
import { matcher } from '../services/fmri.ts'
import { isName, type Property, type PropertySet, splitPath } from '../services/property.ts'
import { composed, problemOf } from '../services/snapshot.ts'
import type { Assignment } from './assignment.ts'

/** What stops a change, in words. */
export class EditError extends Error {}

/** Groups that tell how a service is, and that others than svccfg(8) change. */
const COMPUTED: Readonly<Record<string, string>> = {
  general: "'svcadm enable' and 'svcadm disable' set general/enabled",
  general_ovr: "'svcadm enable -t' and 'svcadm disable -t' set general_ovr/enabled",
  restarter: 'systemd decides about states; svcadm(8) asks it for others',
  start: 'the systemd unit says how it starts: systemctl edit changes that',
  stop: 'the systemd unit says how it stops: systemctl edit changes that',
  refresh: 'the systemd unit says how it is refreshed: systemctl edit changes that',
}

function groupOf(path: string): string {
  const group = splitPath(path)?.group
  if (group === undefined)
    throw new EditError(`'${path}' is not the name of a property; expected GROUP/PROPERTY.`)
  return refuseComputed(group)
}

function refuseComputed(group: string): string {
  const why = Object.hasOwn(COMPUTED, group) ? COMPUTED[group] : undefined
  if (why !== undefined) throw new EditError(`Property group '${group}' cannot be changed here: ${why}.`)
  return group
}

function put(service: Service, set: PropertySet, path: string, property: Property): PropertySet {
  const problem = problemOf(service, path, property)
  if (problem !== undefined) throw new EditError(problem)
  return { ...set, properties: { ...set.properties, [path]: property } }
}

/** `setprop`. */
export function setProperty(
  service: Service,
  set: PropertySet,
  { path, type, values }: Assignment,
): PropertySet {
  const before = existing(service, set, path)
  const known = type ?? before?.type
  if (!known) throw new EditError(`Type required for new properties: ${path} = TYPE: VALUE.`)
  return put(service, set, path, { type: known, values })
}

function existing(service: Service, set: PropertySet, path: string): Property | undefined {
  const group = groupOf(path)
  const { groups, properties } = composed(service, set)
  if (!Object.hasOwn(groups, group)) {
    throw new EditError(
      `No such property group '${group}'; addpg makes one. There is: ${Object.keys(groups).join(', ') || 'none'}.`,
    )
  }
  return properties[path]
}

/** `addpropvalue`. */
export function addValue(
  service: Service,
  set: PropertySet,
  { path, type, values }: Assignment,
): PropertySet {
  const before = existing(service, set, path)
  if (before && type !== undefined && type !== before.type) {
    throw new EditError(`Property '${path}' is of type ${before.type}.`)
  }
  const known = before?.type ?? type
  if (!known) throw new EditError(`Type required for new properties: ${path} TYPE: VALUE.`)
  return put(service, set, path, { type: known, values: [...(before?.values ?? []), ...values] })
}

/** `delpropvalue`: values that a glob pattern fits. */
export function deleteValues(service: Service, set: PropertySet, path: string, pattern: string): PropertySet {
  const before = existing(service, set, path)
  if (!before) throw new EditError(`No such property '${path}'.`)
  const fits = matcher(pattern)
  return put(service, set, path, { ...before, values: before.values.filter((value) => !fits(value)) })
}

/** `delprop` and `delpg`: a property, or a group with all in it. A service's own properties become what they were delivered as. */
export function deleteProperty(service: Service, set: PropertySet, path: string): PropertySet {
  const isGroup = !path.includes('/')
  const group = isGroup ? refuseComputed(path) : groupOf(path)
  const { groups, properties } = composed(service, set)
  const exists = isGroup ? Object.hasOwn(groups, group) : path in properties
  if (!exists) throw new EditError(`No such property ${isGroup ? 'group ' : ''}'${path}'.`)
  const stays = (name: string) => (isGroup ? !name.startsWith(`${group}/`) : name !== path)
  return {
    groups: Object.fromEntries(Object.entries(set.groups).filter(([name]) => !isGroup || name !== group)),
    properties: Object.fromEntries(Object.entries(set.properties).filter(([name]) => stays(name))),
  }
}

/** `addpg`. */
export function addGroup(service: Service, set: PropertySet, group: string, type: string): PropertySet {
  if (!isName(group)) throw new EditError(`Invalid name of a property group: '${group}'.`)
  if (!isName(type)) throw new EditError(`Invalid type of a property group: '${type}'.`)
  refuseComputed(group)
  if (Object.hasOwn(composed(service, set).groups, group))
    throw new EditError(`Property group '${group}' is there already.`)
  return { ...set, groups: { ...set.groups, [group]: type } }
}
