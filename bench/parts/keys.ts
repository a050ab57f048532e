/**
 * `ipseckey -f` of 20,000 SAs against `ip -batch` of the same. Where this kernel has no ESP, all of it happens
 * inside the virtual machine.
 *
 * @module
 */
import { compare } from '../support/compare.ts'
import { output } from '../support/execute.ts'
import { ours, Workplace } from '../support/host.ts'
import { type Row, timesAsFast } from '../support/table.ts'
import { keyFile, stateBatch } from '../support/workload.ts'

const SAS = 20_000

export function keys(rounds: number): Row[] {
  using place = new Workplace()
  const file = place.file('keys', keyFile(SAS))
  const batch = place.file('states.batch', stateBatch(SAS))
  const [a, b] = [place.freshNamespace('ours'), place.freshNamespace('theirs')]
  const result = compare(
    { command: ours('ipseckey', '--netns', a, '-f', file), prepare: () => place.freshNamespace('ours') },
    { command: ['ip', '-n', b, '-batch', batch], prepare: () => place.freshNamespace('theirs') },
    rounds,
  )
  assertSameStates(a, b)
  return [
    {
      what: `load ${SAS} SAs`,
      ours: result.ours,
      theirs: { name: 'ip -batch', measured: result.theirs },
      target: timesAsFast(result.ours, result.theirs, 2),
    },
  ]
}

/** The comparison is fair only if the kernel has the same in both namespaces. */
function assertSameStates(a: string, b: string): void {
  const [first, second] = [a, b].map((netns) =>
    output(['ip', '-n', netns, 'xfrm', 'state'])
      .split(/^(?=src)/m)
      .sort(),
  )
  const different = first?.findIndex((state, i) => state !== second?.[i]) ?? -1
  if (different < 0) return
  throw new Error(
    `ipseckey and ip -batch left different SAs in the kernel, the first:\n${first?.[different]}\n${second?.[different]}`,
  )
}
