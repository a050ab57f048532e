/** The agent on the software data path. */
import t from 'tap'
import { agentSuite } from '../../../support/agent-suite.ts'
import { TestNet } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { Station } from '../../../vm/support/station.ts'

t.setTimeout(240_000)
ownState(t)
const net = new TestNet(t)
const left = await Station.makeSoftware(t, net)
const right = await Station.makeSoftware(t, net)
await net.wire(left.host, right.host, ['10.1.0.1/24', 'fd01::1/64'], ['10.1.0.2/24', 'fd01::2/64'])
agentSuite(t, { left, right, L: '10.1.0.1', R: '10.1.0.2', hasTunnels: false })
