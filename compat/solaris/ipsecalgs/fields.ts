/**
 * The values that the file's fields and the command's options have in common: numbers, lists, key sizes, flags.
 * Readers give a value or a complaint, in the words of ipsecalgs(8) where it has some.
 *
 * @module
 */
import type { ExecutionMode, KeySizes } from '../../../agent/model/algorithm.ts'
import {
  FLAG_CCM,
  FLAG_COMBINED,
  FLAG_COUNTER,
  FLAG_GCM,
  FLAG_VALID,
} from '../../../agent/model/algorithm.ts'

/** A value, or what is wrong with the text. */
export type Reading<T> = { readonly value: T } | { readonly error: string }

/** Protocol and algorithm numbers are one byte in PF_KEY. */
export const MAX_NUMBER = 255
/** Key lengths are 16 bits in PF_KEY. */
const MAX_KEY_BITS = 65535

const FLAG_NAMES = {
  VALID: FLAG_VALID,
  COUNTER: FLAG_COUNTER,
  COMBINED: FLAG_COMBINED,
  CCM: FLAG_CCM,
  GCM: FLAG_GCM,
} as const

/** A decimal number, or hexadecimal after `0x`; `undefined` for anything else or beyond `max`. */
export function readNumber(text: string, max: number): number | undefined {
  if (!/^(\d{1,10}|0[xX][0-9a-fA-F]{1,8})$/.test(text)) return undefined
  const value = Number(text)
  return value <= max ? value : undefined
}

/** `a,b,c`. Empty and `0` are the empty list. */
function readSizes(text: string, max: number): number[] | undefined {
  if (text === '' || text === '0') return []
  const sizes = text.split(',').map((part) => readNumber(part, max))
  return sizes.every((size) => size !== undefined && size > 0) ? (sizes as number[]) : undefined
}

/** Block or MAC sizes in bytes. */
export function readBlockSizes(text: string): Reading<number[]> {
  const value = readSizes(text, MAX_NUMBER)
  return value ? { value } : { error: 'Invalid block/MAC lengths value.' }
}

/**
 * Key sizes as in the file: a list, `128,192,256`, or a range with its increment, `128-256,64`. The default may
 * stand before it, `192/128-256,64`; else it is the first or the least. Nothing, or `0`, is an algorithm without
 * a key.
 */
export function readKeySizes(text: string): Reading<KeySizes> {
  const [, usual, sizes = ''] = /^(?:([^/]*)\/)?(.*)$/.exec(text) ?? []
  const range = /^([^-]*)-([^,]*),(.*)$/.exec(sizes)
  if (!range) return keyList(usual, sizes)
  const [, min = '', max = '', step = ''] = range
  return keyRange(usual ?? min, min, max, step)
}

/** Checks a list of key sizes, and puts the default first. */
export function keyList(usual: string | undefined, text: string): Reading<KeySizes> {
  const sizes = readSizes(text, MAX_KEY_BITS)
  if (!sizes) return { error: 'Invalid key size value.' }
  if (usual === undefined) return { value: { kind: 'list', sizes } }
  const first = readNumber(usual, MAX_KEY_BITS)
  if (first === undefined || !sizes.includes(first)) return { error: 'Invalid default key size value.' }
  return { value: { kind: 'list', sizes: [first, ...sizes.filter((size) => size !== first)] } }
}

/** Checks the parts of a key size range against each other. */
export function keyRange(byDefault: string, min: string, max: string, step: string): Reading<KeySizes> {
  const low = readNumber(min, MAX_KEY_BITS)
  const high = readNumber(max, MAX_KEY_BITS)
  const increment = readNumber(step, MAX_KEY_BITS)
  const usual = readNumber(byDefault, MAX_KEY_BITS)
  if (low === undefined || low === 0) return { error: 'Invalid lower key size range' }
  if (high === undefined) return { error: 'Invalid higher key size range' }
  if (low >= high) return { error: 'Invalid key size range (min >= max)' }
  if (increment === undefined || increment === 0 || (high - low) % increment !== 0) {
    return { error: 'Key size increment not consistent with key size range' }
  }
  if (usual === undefined || usual < low || usual > high || (usual - low) % increment !== 0) {
    return { error: 'Default key size not consistent with key size range' }
  }
  return { value: { kind: 'range', default: usual, min: low, max: high, step: increment } }
}

/** Flags as a number, or as names: `VALID,COUNTER,COMBINED,GCM`. */
export function readFlags(text: string): Reading<number> {
  const number = readNumber(text, MAX_KEY_BITS)
  if (number !== undefined) return { value: number }
  let value = 0
  for (const name of text.split(',')) {
    const known = name.toUpperCase()
    if (!Object.hasOwn(FLAG_NAMES, known)) return { error: `Invalid flag: ${name}` }
    value |= FLAG_NAMES[known as keyof typeof FLAG_NAMES]
  }
  return { value }
}

/** Flag names, unknown bits as a number: `VALID,COUNTER,0x40`. */
export function formatFlags(flags: number): string {
  const names = Object.entries(FLAG_NAMES).filter(([, bit]) => (flags & bit) !== 0)
  const rest = names.reduce((left, [, bit]) => left & ~bit, flags)
  return [...names.map(([name]) => name), ...(rest ? [`0x${rest.toString(16)}`] : [])].join(',')
}

/** Algorithm names: a comma list of words that policies and key files can use. */
export function readNames(text: string): Reading<string[]> {
  const names = text.split(',')
  const distinct = new Set(names.map((name) => name.toLowerCase())).size === names.length
  if (!distinct || !names.every(isWord)) return { error: 'Invalid algorithm name(s) value.' }
  for (const name of names) {
    const reason = whyUnusable(name)
    if (reason !== undefined) return { error: `Invalid algorithm name(s) value: ${reason}.` }
  }
  return { value: names }
}

/** Why no policy or key file could use the name as it is meant. */
function whyUnusable(name: string): string | undefined {
  const [sign] = /[(){}"\\]/.exec(name) ?? []
  if (sign !== undefined) return `${name} has a ${sign}, which means something else in policies and key files`
  if (/^(\d+|0x[0-9a-f]+)$/i.test(name)) return `${name} would be read as the number of an algorithm`
  return undefined
}

/** True for the words that stand for no one algorithm: only number 0 may have them. */
export function isKeyword(name: string): boolean {
  return /^(any|none)$/i.test(name)
}

/** A mechanism; `-`, or nothing, is the empty one, for NULL encryption. */
export function readMechanism(text: string): Reading<string> {
  if (text === '-' || text === '') return { value: '' }
  return isWord(text) ? { value: text } : { error: 'Invalid mechanism name value.' }
}

export function readMode(text: string): ExecutionMode | undefined {
  const mode = text.toLowerCase()
  return mode === 'sync' || mode === 'async' ? mode : undefined
}

/** A protocol's or mechanism's name: one word. */
export function isWord(text: string): boolean {
  return /^[^\s|,#]+$/.test(text)
}

export function formatKeySizes(sizes: KeySizes): string {
  if (sizes.kind === 'range') return `${sizes.default}/${sizes.min}-${sizes.max},${sizes.step}`
  return sizes.sizes.join(',') || '0'
}

export function formatSizes(sizes: readonly number[]): string {
  return sizes.join(',') || '0'
}
