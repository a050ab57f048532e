/**
 * Algorithm values: `aes`, `aes(256)`, `12(128..)`, `any`, `none`.
 *
 * @module
 */
import type { Algorithm, KeySizes } from '../../../../agent/model/algorithm.ts'
import type { AlgorithmRequirement } from '../../../../agent/model/policy.ts'
import { nearest } from '../../../nearest.ts'
import type { Setting } from '../syntax/parser.ts'
import type { Advice } from '../syntax/report.ts'
import { type AlgorithmField, UNLIMITED_BITS } from '../vocabulary.ts'
import type { AlgorithmIndex, Context } from './context.ts'
import { parseInteger } from './integer.ts'

interface BitRange {
  readonly minBits: number
  readonly maxBits: number
}

const ANY_LENGTH: BitRange = { minBits: 0, maxBits: UNLIMITED_BITS }
const LENGTHS = 'a key length in bits: (n), (n..m), (n..), (..m) or ()'

/**
 * The requirement that a property states; `undefined` for `none`, which is as if the property were not there,
 * and after an error.
 */
export function checkAlgorithm(
  setting: Setting<AlgorithmField>,
  context: Context,
): AlgorithmRequirement | undefined {
  const { field, value } = setting
  const { text } = value
  const known = context.requirements[field].get(text)
  if (known) return known
  if (text.toLowerCase() === 'none') return undefined
  const index = field === 'encrAlgorithm' ? context.esp : context.ah
  const result = parseAlgorithm(text, index, context)
  if ('algorithm' in result) {
    context.requirements[field].set(text, result)
    return result
  }
  context.report.fault(value, 'Bad', field, result)
  return undefined
}

function parseAlgorithm(
  text: string,
  index: AlgorithmIndex,
  context: Context,
): AlgorithmRequirement | Advice {
  const paren = text.indexOf('(')
  const name = (paren < 0 ? text : text.slice(0, paren)).toLowerCase()
  const length = paren < 0 ? undefined : parseLength(text.slice(paren))
  if (paren >= 0 && !length) return { expected: LENGTHS, ...lengthHint(text.slice(paren)) }
  if (name === 'any') return { algorithm: 0, ...(length ?? ANY_LENGTH) }
  if (name === 'none') return { hint: '`none` has no key length.' }
  const algorithm = index.byName.get(name) ?? index.byNumber.get(parseInteger(name, 255) ?? -1)
  if (!algorithm) return unknownAlgorithm(name, index)
  const canonical = algorithm.names[0] ?? String(algorithm.number)
  if (!context.isAvailable(algorithm)) {
    return {
      hint:
        `The running kernel has no ${canonical}; \`ipsecalgs -l\` lists what it has. ` +
        'The software data path may have it: `--datapath software`.',
    }
  }
  if (!length) {
    return { algorithm: algorithm.number, minBits: defaultBits(algorithm), maxBits: UNLIMITED_BITS }
  }
  if (length !== ANY_LENGTH && !hasSizeWithin(algorithm.keySizes, length)) {
    return { expected: `a key length that ${canonical} has: ${describeSizes(algorithm.keySizes)}` }
  }
  return { algorithm: algorithm.number, ...length }
}

/** The default key size of an algorithm, in bits; 0 where it has no key. */
export function defaultBits(algorithm: Algorithm): number {
  const { keySizes } = algorithm
  return keySizes.kind === 'list' ? (keySizes.sizes[0] ?? 0) : keySizes.default
}

/** Reads `(…)`. `undefined` where it is no key length; `(0)` and backward ranges are none. */
function parseLength(text: string): BitRange | undefined {
  if (!text.endsWith(')')) return undefined
  const inside = text.slice(1, -1)
  if (inside === '') return ANY_LENGTH
  const dots = inside.indexOf('..')
  const min = dots < 0 ? parseBits(inside, 0) : parseBits(inside.slice(0, dots), 0)
  const max = dots < 0 ? min : parseBits(inside.slice(dots + 2), UNLIMITED_BITS)
  if (min === undefined || max === undefined || max === 0 || min > max) return undefined
  return min === 0 && max === UNLIMITED_BITS ? ANY_LENGTH : { minBits: min, maxBits: max }
}

function parseBits(text: string, absent: number): number | undefined {
  if (text === '') return absent
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(text)) return undefined
  const bits = Number(text)
  return bits <= UNLIMITED_BITS ? bits : undefined
}

function lengthHint(text: string): Advice {
  if (!text.endsWith(')')) return { hint: 'The value ends with `)`, without blanks inside.' }
  return text.includes('.') && !text.includes('..') ? { hint: 'A range is written with two dots.' } : {}
}

/** True where the algorithm has a key size inside the range, its step counted. */
function hasSizeWithin(sizes: KeySizes, { minBits, maxBits }: BitRange): boolean {
  if (sizes.kind === 'list') return sizes.sizes.some((size) => size >= minBits && size <= maxBits)
  const step = Math.max(1, sizes.step)
  const steps = Math.ceil((Math.max(minBits, sizes.min) - sizes.min) / step)
  return sizes.min + steps * step <= Math.min(maxBits, sizes.max)
}

function describeSizes(sizes: KeySizes): string {
  if (sizes.kind === 'list') {
    const keys = sizes.sizes.filter((size) => size > 0)
    return keys.length === 0 ? 'none, it has no key' : `${keys.join(', ')} bits`
  }
  return `${sizes.min} to ${sizes.max} bits in steps of ${sizes.step}`
}

function unknownAlgorithm(name: string, index: AlgorithmIndex): Advice {
  const names = [...index.byNumber.values()].map((algorithm) => algorithm.names[0])
  const match = nearest(name, index.byName.keys())
  return {
    expected: `any, none, or one of ${names.join(', ')}`,
    hint:
      match === undefined
        ? '`ipsecalgs` lists the algorithms by name and number.'
        : `Did you mean \`${match}\`?`,
  }
}
