/**
 * `ipsecconf -a` of 1,000, 10,000 and 100,000 rules: the time for each rule must not grow with their number.
 *
 * @module
 */
import { measure } from '../support/compare.ts'
import { ours, Workplace } from '../support/host.ts'
import type { Row } from '../support/table.ts'
import { policyFile } from '../support/workload.ts'

const SIZES = [1_000, 10_000, 100_000] as const
/** What a linear load may cost more for each rule at 100,000 than at 10,000: caches are smaller than that. */
const SLACK = 1.25

export function growth(rounds: number): Row[] {
  using place = new Workplace()
  const perRule: number[] = []
  return SIZES.map((size) => {
    const file = place.file(`${size}.conf`, policyFile(size))
    const netns = place.freshNamespace(`${size}`)
    const measured = measure(
      {
        command: ours('ipsecconf', '-q', '--netns', netns, '-a', file),
        prepare: () => place.freshNamespace(`${size}`),
      },
      rounds,
    )
    const microseconds = (1000 * measured.time) / size
    const before = perRule.at(-1) ?? Number.POSITIVE_INFINITY
    perRule.push(microseconds)
    return {
      what: `load ${size} rules`,
      ours: measured,
      target: {
        wanted: 'linear growth',
        reached: `${microseconds.toFixed(1)} µs a rule`,
        met: microseconds <= SLACK * before,
      },
    }
  })
}
