/**
 * `ipsecconf -a` of 10,000 rules against `ip -batch` of the same policies, each into a fresh namespace.
 *
 * @module
 */
import { compare } from '../support/compare.ts'
import { output } from '../support/execute.ts'
import { ours, plannedPolicies, Workplace } from '../support/host.ts'
import { type Row, timesAsFast } from '../support/table.ts'
import { policyBatch, policyFile } from '../support/workload.ts'

const RULES = 10_000

export function policies(rounds: number): Row[] {
  using place = new Workplace()
  const file = place.file('policies.conf', policyFile(RULES))
  const plan = plannedPolicies(place, file)
  const batch = place.file('policies.batch', policyBatch(plan))
  const [a, b] = [place.freshNamespace('ours'), place.freshNamespace('theirs')]
  const result = compare(
    {
      command: ours('ipsecconf', '-q', '--netns', a, '-a', file),
      prepare: () => place.freshNamespace('ours'),
    },
    { command: ['ip', '-n', b, '-batch', batch], prepare: () => place.freshNamespace('theirs') },
    rounds,
  )
  assertSamePolicies(a, b)
  return [
    {
      what: `load ${RULES} rules (${plan.length} policies)`,
      ours: result.ours,
      theirs: { name: 'ip -batch', measured: result.theirs },
      target: timesAsFast(result.ours, result.theirs, 4),
    },
  ]
}

/** The comparison is fair only if the kernel has the same in both namespaces. */
function assertSamePolicies(a: string, b: string): void {
  const [first, second] = [a, b].map((netns) =>
    output(['ip', '-n', netns, 'xfrm', 'policy'])
      .split(/^(?=src)/m)
      .sort()
      .join(''),
  )
  if (first !== second) throw new Error('ipsecconf and ip -batch left different policies in the kernel')
}
