/**
 * `ipsecconf -Fa` of a file in which one rule of 10,000 has changed, against the load of the whole file.
 *
 * @module
 */
import { EventQueue } from '../../netlink/socket/events.ts'
import { NETLINK_XFRM } from '../../netlink/socket/protocols.ts'
import { group } from '../../netlink/xfrm/constants.ts'
import { compare } from '../support/compare.ts'
import { run } from '../support/execute.ts'
import { ours, Workplace } from '../support/host.ts'
import { type Row, timesAsLong } from '../support/table.ts'
import { changedPolicyFile, policyFile } from '../support/workload.ts'

const RULES = 10_000

export function replace(rounds: number): Row[] {
  using place = new Workplace()
  const files = [policyFile(RULES), changedPolicyFile(RULES)].map((text, i) => place.file(`${i}.conf`, text))
  const [first = '', second = ''] = files
  const netns = place.freshNamespace('replace')
  const load = (file: string) => ours('ipsecconf', '-q', '--netns', netns, '-Fa', file)
  const fresh = place.freshNamespace('load')
  const result = compare(
    // Before each measured change the unchanged file is loaded again.
    { command: load(second), prepare: () => run(load(first)) },
    {
      command: ours('ipsecconf', '-q', '--netns', fresh, '-a', first),
      prepare: () => place.freshNamespace('load'),
    },
    rounds,
  )
  run(load(first))
  const writes = changesDuring(netns, () => run(load(second)))
  const row = { what: `replace 1 rule of ${RULES}`, ours: result.ours }
  const theirs = { name: 'ipsecconf -a of all', measured: result.theirs }
  return [
    { ...row, theirs, target: timesAsLong(result.ours, result.theirs, 0.2) },
    {
      ...row,
      what: '  its kernel writes',
      target: { wanted: '≤ 2', reached: String(writes), met: writes <= 2 },
    },
  ]
}

/** How many changes of policies and SAs the kernel announces while `act` runs. */
function changesDuring(netns: string, act: () => void): number {
  const events = EventQueue.open(NETLINK_XFRM, { netns, groups: [group.POLICY, group.SA] })
  try {
    act()
    let changes = 0
    const state = events.drain(() => {
      changes++
    })
    if (state === 'overrun') throw new Error('more changes than the kernel can queue')
    return changes
  } finally {
    events.close()
  }
}
