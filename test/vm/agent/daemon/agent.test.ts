/** The agent on the kernel's own data path. */
import t from 'tap'
import { agentSuite } from '../../../support/agent-suite.ts'
import { TestNet } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { Station } from '../../support/station.ts'

t.setTimeout(600_000)
ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, ['10.1.0.1/24', 'fd01::1/64'], ['10.1.0.2/24', 'fd01::2/64'])
agentSuite(t, { left, right, L: '10.1.0.1', R: '10.1.0.2', hasTunnels: true })
