/**
 * Getting from loaded rules to a file in which 0, 1 or 100 of them have changed, against loading the whole file.
 *
 * @module
 */
import { compare } from '../support/compare.ts'
import { run } from '../support/execute.ts'
import { ours, Workplace } from '../support/host.ts'
import { type Row, timesAsLong } from '../support/table.ts'
import { changedPolicyFile, policyFile } from '../support/workload.ts'

const SIZES = [1_000, 10_000, 100_000]
const CHANGES = [0, 1, 100]
/** From here on a few runs say enough. */
const LARGE = 100_000
const ROUNDS_OF_LARGE = 3

export function reconcile(rounds: number): Row[] {
  return SIZES.flatMap((rules) => {
    const times = rules >= LARGE ? Math.min(rounds, ROUNDS_OF_LARGE) : rounds
    return CHANGES.map((changes) => measure(rules, changes, times))
  })
}

function measure(rules: number, changes: number, rounds: number): Row {
  using place = new Workplace()
  const first = place.file('first.conf', policyFile(rules))
  const second = place.file('second.conf', changedPolicyFile(rules, changes))
  const netns = place.freshNamespace('reconcile')
  const load = (file: string) => ours('ipsecconf', '-q', '--netns', netns, '-Fa', file)
  const fresh = place.freshNamespace('load')
  const { ours: found, theirs } = compare(
    { command: load(second), prepare: () => run(load(first)) },
    {
      command: ours('ipsecconf', '-q', '--netns', fresh, '-a', second),
      prepare: () => place.freshNamespace('load'),
    },
    rounds,
  )
  return {
    what: `${changes} of ${rules} rules changed`,
    ours: found,
    theirs: { name: 'ipsecconf -a of all', measured: theirs },
    target: timesAsLong(found, theirs, 1),
  }
}
