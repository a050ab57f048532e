/** The section `sockets` of a configuration, with cgroups of the test's own. There is no ESP here. */
import t from 'tap'
import { TestNet } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { canMakeCgroups } from '../../../support/unit-cgroups.ts'
import { unitsSuite } from '../../../support/units-suite.ts'
import { Station } from '../../../vm/support/station.ts'

t.setTimeout(240_000)
if (process.geteuid?.() !== 0) t.bailout('needs root')
if (!canMakeCgroups()) t.plan(0, 'needs a tree of cgroups to write to')
else {
  ownState(t)
  const net = new TestNet(t)
  const [left, right] = await Station.make(t, net, 2)
  await net.wire(left.host, right.host, ['10.1.0.1/24'], ['10.1.0.2/24'])
  unitsSuite(t, { station: left, address: '10.1.0.1', hasHandles: true })
}
