/**
 * Cold start: `ipsecconf -c` of a small file against Node doing nothing.
 *
 * @module
 */
import { compare } from '../support/compare.ts'
import { ours, Workplace } from '../support/host.ts'
import { type Row, timesAsLong } from '../support/table.ts'
import { policyFile } from '../support/workload.ts'

const RULES = 5

export function start(rounds: number): Row[] {
  using place = new Workplace()
  const file = place.file('small.conf', policyFile(RULES))
  // Short runs: more of them, for the same time.
  const result = compare(
    { command: ours('ipsecconf', '-c', file) },
    { command: ['node', '-e', '0'] },
    4 * rounds + 1,
  )
  return [
    {
      what: `check a file of ${RULES} rules`,
      ours: result.ours,
      theirs: { name: 'node -e 0', measured: result.theirs },
      target: timesAsLong(result.ours, result.theirs, 1.5),
    },
  ]
}
