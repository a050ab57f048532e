/**
 * What an algorithm's key sizes allow. All sizes in bits, without the salt of a counter mode.
 *
 * @module
 */
import type { KeySizes } from './algorithm.ts'
import { greatest, least } from './lists.ts'

/** The size that is meant where none is written; 0 for an algorithm without a key. */
export function defaultKeyBits(sizes: KeySizes): number {
  return sizes.kind === 'range' ? sizes.default : (sizes.sizes[0] ?? 0)
}

/** Smallest and largest size; both 0 for an algorithm without a key. */
export function keySizeBounds(sizes: KeySizes): { min: number; max: number } {
  if (sizes.kind === 'range') return { min: sizes.min, max: sizes.max }
  if (sizes.sizes.length === 0) return { min: 0, max: 0 }
  return { min: least(sizes.sizes), max: greatest(sizes.sizes) }
}

/** True where a key of exactly this size can be used. */
export function acceptsKeyBits(sizes: KeySizes, bits: number): boolean {
  if (sizes.kind === 'range') {
    return (
      bits >= sizes.min && bits <= sizes.max && (sizes.step === 0 || (bits - sizes.min) % sizes.step === 0)
    )
  }
  return sizes.sizes.length === 0 ? bits === 0 : sizes.sizes.includes(bits)
}

/** Every usable size, ascending. */
export function allKeyBits(sizes: KeySizes): number[] {
  if (sizes.kind === 'list') return [...sizes.sizes].sort((a, b) => a - b)
  if (sizes.step === 0) return [...new Set([sizes.min, sizes.max])]
  const all: number[] = []
  for (let bits = sizes.min; bits <= sizes.max; bits += sizes.step) all.push(bits)
  return all
}
