/**
 * What is kept of a service's properties: what was edited, and what the service runs with. A service's own properties that
 * nobody set are not kept; they are in the catalogue. Pure.
 *
 * @module
 */
import type { Service } from './catalogue.ts'
import {
  isName,
  isPropertyType,
  isValueOf,
  NO_PROPERTIES,
  type Property,
  type PropertySet,
  splitPath,
} from './property.ts'

export interface Snapshots {
  /** What svccfg(8) changes. */
  readonly editing: PropertySet
  /** What `svcadm refresh` took over last. */
  readonly running: PropertySet
}

export const NOTHING_SET: Snapshots = { editing: NO_PROPERTIES, running: NO_PROPERTIES }

/** The service's own properties with what was set on top: what SMF calls composed. */
export function composed(service: Service, set: PropertySet): PropertySet {
  const own = service.properties.map(({ path, type, value }) => [path, { type, values: [value] }] as const)
  const groups = service.properties.length > 0 ? { config: 'application' } : {}
  return {
    groups: { ...groups, ...set.groups },
    properties: { ...Object.fromEntries<Property>(own), ...set.properties },
  }
}

/** The value of one of a service's own properties. */
function settingOf(service: Service, set: PropertySet, path: string): string | undefined {
  return composed(service, set).properties[path]?.values[0]
}

/** What is wrong with a property of this service; `undefined` where nothing is. */
export function problemOf(service: Service, path: string, { type, values }: Property): string | undefined {
  const bad = values.find((value) => !isValueOf(type, value))
  if (bad !== undefined) return `Invalid ${type} value ${JSON.stringify(bad)}.`
  const own = service.properties.find((one) => one.path === path)
  if (!own) return undefined
  const [value, ...more] = values
  if (type !== own.type) return `${path} is of type ${own.type}.`
  if (value === undefined || more.length > 0) return `${path} has exactly one value.`
  const problem = own.problem(value)
  return problem && `${path}: ${problem}.`
}

/** The file that systemd reads (`EnvironmentFile=`). */
export function environmentText(service: Service, running: PropertySet): string {
  const lines = service.properties.map(({ path, variable }) => {
    const value = settingOf(service, running, path) ?? ''
    return `${variable}="${value.replace(/["\\$`]/g, '\\$&')}"\n`
  })
  return [
    `# What ${service.unit} runs with. svcadm(8) refresh writes this file anew: change properties by svccfg(8).\n`,
    ...lines,
  ].join('')
}

/** The file of both snapshots. */
export function encodeSnapshots({ editing, running }: Snapshots): string {
  return `${JSON.stringify({ editing, running }, undefined, 2)}\n`
}

/** @returns `undefined` where the text is not what {@link encodeSnapshots} writes */
export function decodeSnapshots(service: Service, text: string): Snapshots | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const editing = decodeSet(service, value.editing)
  const running = decodeSet(service, value.running)
  return editing && running && { editing, running }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function decodeSet(service: Service, value: unknown): PropertySet | undefined {
  if (!isRecord(value) || !isRecord(value.groups) || !isRecord(value.properties)) return undefined
  const groups: Record<string, string> = {}
  for (const [name, type] of Object.entries(value.groups)) {
    if (!isName(name) || typeof type !== 'string' || !isName(type)) return undefined
    groups[name] = type
  }
  const properties: Record<string, Property> = {}
  for (const [path, entry] of Object.entries(value.properties)) {
    const property = decodeProperty(entry)
    if (!splitPath(path) || !property || problemOf(service, path, property)) return undefined
    properties[path] = property
  }
  return { groups, properties }
}

function decodeProperty(value: unknown): Property | undefined {
  if (!isRecord(value) || typeof value.type !== 'string' || !isPropertyType(value.type)) return undefined
  const { type, values } = value
  if (!Array.isArray(values) || !values.every((one): one is string => typeof one === 'string'))
    return undefined
  return { type, values }
}
