/**
 * Arbitrary algorithm tables, for property tests.
 *
 * @module
 */
import fc from 'fast-check'
import type { Algorithm, AlgorithmTable, KeySizes } from '../../../../agent/model/algorithm.ts'

const byte = fc.integer({ min: 0, max: 255 })
const size = fc.integer({ min: 1, max: 255 })
const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,11}$/)

const keySizes: fc.Arbitrary<KeySizes> = fc.oneof(
  fc
    .array(fc.integer({ min: 1, max: 65535 }), { maxLength: 4 })
    .map((sizes): KeySizes => ({ kind: 'list', sizes })),
  fc
    .record({
      min: fc.integer({ min: 1, max: 1000 }),
      step: fc.integer({ min: 1, max: 64 }),
      count: fc.integer({ min: 1, max: 16 }),
      at: fc.nat(16),
    })
    .map(
      ({ min, step, count, at }): KeySizes => ({
        kind: 'range',
        default: min + step * Math.min(at, count),
        min,
        max: min + step * count,
        step,
      }),
    ),
)

const parameters = fc.record({ iv: byte, icv: byte, salt: byte })

/** An algorithm with one name that no other number has. */
export function algorithm(protocol: number): fc.Arbitrary<Algorithm> {
  return fc
    .record({
      number: size,
      stem: word,
      mechanism: fc.oneof(fc.constant(''), word),
      keySizes,
      blockOrMacSizes: fc.array(size, { maxLength: 3 }),
      parameters: fc.option(parameters, { nil: undefined }),
      flags: fc.integer({ min: 0, max: 65535 }),
    })
    .map(({ stem, parameters, ...entry }) => ({
      protocol,
      ...entry,
      names: [`${stem}-${entry.number}`, `alias${entry.number}`],
      ...(parameters && { parameters: { ...parameters } }),
    }))
}

export const algorithmTable: fc.Arbitrary<AlgorithmTable> = fc
  .uniqueArray(fc.record({ number: byte, name: word, mode: fc.constantFrom('sync', 'async') }), {
    selector: ({ number }) => number,
    maxLength: 3,
  })
  .map((protocols) => protocols.map((entry, index) => ({ ...entry, name: `${entry.name}${index}` })))
  .chain((protocols) =>
    fc
      .tuple(
        ...protocols.map(({ number }) =>
          fc.uniqueArray(algorithm(number), { selector: (entry) => entry.number, maxLength: 4 }),
        ),
      )
      .map((lists) => ({ protocols, algorithms: lists.flat() })),
  )
