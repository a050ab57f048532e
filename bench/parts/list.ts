/**
 * `ipsecconf -l` of 20,000 entries against `ip xfrm policy`.
 *
 * @module
 */
import { compare } from '../support/compare.ts'
import { output, run } from '../support/execute.ts'
import { ours, Workplace } from '../support/host.ts'
import { type Row, timesAsLong } from '../support/table.ts'
import { policyFile } from '../support/workload.ts'

const RULES = 10_000

export function list(rounds: number): Row[] {
  using place = new Workplace()
  const netns = place.freshNamespace('list')
  run(ours('ipsecconf', '-q', '--netns', netns, '-a', place.file('policies.conf', policyFile(RULES))))
  const command = ours('ipsecconf', '--netns', netns, '-ln')
  const entries = output(command).match(/^#INDEX/gm)?.length ?? 0
  if (entries !== 2 * RULES) throw new Error(`ipsecconf -l shows ${entries} entries of ${2 * RULES}`)
  const result = compare({ command }, { command: ['ip', '-n', netns, 'xfrm', 'policy'] }, rounds)
  return [
    {
      what: `list ${entries} entries`,
      ours: result.ours,
      theirs: { name: 'ip xfrm policy', measured: result.theirs },
      target: timesAsLong(result.ours, result.theirs, 1),
    },
  ]
}
