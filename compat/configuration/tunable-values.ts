/**
 * The section `tunables` of a document as values by the names of ndd(8), and back.
 *
 * @module
 */
import { TUNABLES, type Tunable, type TunableValues, withValues } from '../../agent/model/tunables.ts'
import type { Tunables } from '../../schemas/generated/configuration.ts'

/** What a document says: names with values, those that are the initial ones included. */
export function tunableEntries(section: Tunables): [name: string, value: number][] {
  return TUNABLES.flatMap((tunable): [string, number][] => {
    const value = numberOf(tunable, memberOf(section, tunable.path))
    return value === undefined ? [] : [[tunable.name, value]]
  })
}

/** All values that a document asks for: what it does not say is the initial one. */
export function tunableValuesOf(section: Tunables): TunableValues {
  return withValues({}, tunableEntries(section))
}

function memberOf(section: Tunables, [name, member]: Tunable['path']): unknown {
  const members = (section as Readonly<Record<string, unknown>>)[name]
  return typeof members === 'object' && members !== null
    ? (members as Readonly<Record<string, unknown>>)[member]
    : undefined
}

function numberOf({ form }: Tunable, value: unknown): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string' && typeof form === 'object') return form[value]
  return typeof value === 'number' ? value : undefined
}
