/**
 * Texts that are broken at random, and what may not be seen of the keys in them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'

export type Mutation = (text: string) => string

export interface Breakage {
  readonly pieces: readonly string[]
  readonly longestCut: number
  /** What only this text is broken by. */
  readonly others: readonly Mutation[]
}

/** Puts one of some pieces in, takes a few characters out, says some of it a second time, or does one of the others. */
export function mutations(text: string, { pieces, longestCut, others }: Breakage): fc.Arbitrary<Mutation> {
  const at = fc.nat({ max: text.length })
  return fc.oneof(
    fc.tuple(at, fc.constantFrom(...pieces)).map(
      ([where, piece]): Mutation =>
        (text) =>
          text.slice(0, where) + piece + text.slice(where),
    ),
    fc.tuple(at, fc.integer({ min: 1, max: longestCut })).map(
      ([where, length]): Mutation =>
        (text) =>
          text.slice(0, where) + text.slice(where + length),
    ),
    fc.tuple(at, at, fc.integer({ min: 1, max: 90 })).map(
      ([from, to, length]): Mutation =>
        (text) =>
          text.slice(0, to) + text.slice(from, from + length) + text.slice(to),
    ),
    fc.constantFrom(...others),
  )
}

/** @returns throws where a text shows 8 digits of a key, one behind the other */
export function keyWatch(keys: readonly string[]): (shown: string) => void {
  const pieces = keys.flatMap((key) =>
    Array.from({ length: key.length - 7 }, (_, at) => key.slice(at, at + 8)),
  )
  return (shown) => {
    const text = shown.toLowerCase()
    for (const piece of pieces) assert.equal(text.includes(piece), false, 'a piece of a key is shown')
  }
}
