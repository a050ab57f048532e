/**
 * Probes in a table, each with what is expected of it.
 *
 * @module
 */

/** By name: what to do, and what it must say. */
export type Expectations = Readonly<Record<string, readonly [probe: () => string, expected: string]>>

interface Same {
  same(found: unknown, expected: unknown, title: string): unknown
}

/** Runs every probe, and compares all that they say in one assertion. */
export function check(t: Same, title: string, expectations: Expectations): void {
  const entries = Object.entries(expectations)
  const found = entries.map(([name, [probe]]) => [name, probe()])
  const expected = entries.map(([name, [, word]]) => [name, word])
  t.same(Object.fromEntries(found), Object.fromEntries(expected), title)
}
