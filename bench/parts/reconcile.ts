/**
 * Getting from loaded rules to a file in which 0, 1 or 100 of them have changed, against a reload: all
 * away, and the whole file again.
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
/** In two steps, between which nothing is protected. */
const RELOAD = '"$0" --netns "$1" -F && exec "$0" -q --netns "$1" -a "$2"'

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
  const [netns, other] = [place.freshNamespace('reconcile'), place.freshNamespace('reload')]
  const load = (file: string, where: string) => ours('ipsecconf', '-q', '--netns', where, '-Fa', file)
  const { ours: found, theirs } = compare(
    { command: load(second, netns), prepare: () => run(load(first, netns)) },
    {
      command: ['sh', '-c', RELOAD, ...ours('ipsecconf'), other, second],
      prepare: () => run(load(first, other)),
    },
    rounds,
  )
  return {
    what: `${changes} of ${rules} rules changed`,
    ours: found,
    theirs: { name: 'ipsecconf -F, -a', measured: theirs },
    target: timesAsLong(found, theirs, 1),
  }
}
