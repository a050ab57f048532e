/**
 * Properties of services: their types, and values as svccfg(8) reads and svcprop(1) prints them. Pure.
 *
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net'

export const TYPES = [
  'astring',
  'boolean',
  'count',
  'fmri',
  'host',
  'hostname',
  'integer',
  'net_address',
  'net_address_v4',
  'net_address_v6',
  'opaque',
  'time',
  'uri',
  'ustring',
] as const

export type PropertyType = (typeof TYPES)[number]

export interface Property {
  readonly type: PropertyType
  readonly values: readonly string[]
}

/** Properties by their path, `group/name`, and the types of groups that were made. */
export interface PropertySet {
  readonly groups: Readonly<Record<string, string>>
  readonly properties: Readonly<Record<string, Property>>
}

export const NO_PROPERTIES: PropertySet = { groups: {}, properties: {} }

export function isPropertyType(word: string): word is PropertyType {
  return TYPES.some((type) => type === word)
}

const NAME = /^([A-Za-z][\w.-]*,)?[A-Za-z][\w.-]{0,118}$/

/** A name of a property or a group, with or without `stability,` before it. */
export function isName(word: string): boolean {
  // Names that JavaScript's objects have of themselves would be found where nobody put them.
  return NAME.test(word) && !(word in {})
}

/** `config/config_file` → its parts; `undefined` where it is no path of a property. */
export function splitPath(path: string): { readonly group: string; readonly name: string } | undefined {
  const [group = '', name = '', ...more] = path.split('/')
  return more.length === 0 && isName(group) && isName(name) ? { group, name } : undefined
}

const isNetwork = (text: string, isAddress: (text: string) => boolean, bits: number): boolean => {
  const [address = '', prefix, ...more] = text.split('/')
  if (!isAddress(address) || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
}

const isHostname = (text: string): boolean =>
  text.length <= 253 &&
  text.split('.').every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label))
const is4 = (text: string) => isNetwork(text, isIPv4, 32)
const is6 = (text: string) => isNetwork(text, isIPv6, 128)

const CHECKS: Readonly<Record<PropertyType, (text: string) => boolean>> = {
  astring: () => true,
  boolean: (text) => text === 'true' || text === 'false',
  count: (text) => /^\d+$/.test(text) && BigInt(text) < 1n << 64n,
  fmri: (text) => /^(svc|lrc):\/\S+$/.test(text),
  host: (text) => isHostname(text) || is4(text) || is6(text),
  hostname: isHostname,
  integer: (text) => /^-?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text),
  net_address: (text) => is4(text) || is6(text),
  net_address_v4: is4,
  net_address_v6: is6,
  opaque: (text) => /^([\da-fA-F]{2})*$/.test(text),
  time: (text) => /^\d+(\.\d{1,9})?$/.test(text),
  uri: (text) => /^[A-Za-z][\w+.-]*:\S*$/.test(text),
  ustring: () => true,
}

/** True where the text is a value of the type. */
export function isValueOf(type: PropertyType, text: string): boolean {
  return !text.includes('\0') && CHECKS[type](text)
}

/** A value as svcprop(1) prints it: fit for a shell to read. */
export function shellQuoted(value: string): string {
  return value === '' ? '""' : value.replace(/[;()&|^<>\n \t\\"'`$*?[\]#]/g, '\\$&')
}

/** A value as svccfg(8) prints and reads it. */
export function configurationQuoted(value: string): string {
  return value === '' || /[\s"\\()=:;#]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : value
}
