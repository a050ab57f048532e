/** The agent on the kernel's own data path. */
import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { AgentProcess } from '../../../support/agent-process.ts'
import { agentSuite } from '../../../support/agent-suite.ts'
import { agentWorld } from '../../../support/agent-world.ts'
import { TestNet } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { Station } from '../../support/station.ts'

t.setTimeout(600_000)
ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, ['10.1.0.1/24', 'fd01::1/64'], ['10.1.0.2/24', 'fd01::2/64'])

const [USUAL, L, R] = ['/etc/solipsec.json', '10.1.0.1', '10.1.0.2']

t.test('a file in the usual place that is gone is a mistake', async (t) => {
  t.teardown(() => rmSync(USUAL, { force: true }))
  const agent = await AgentProcess.start(t, left)
  t.match(await agent.call('agent.reload'), { state: 'online', rules: 0 }, 'there need not be one')
  const protect = { encryption: 'aes(128)', authentication: 'sha256' }
  writeFileSync(USUAL, JSON.stringify({ policies: [{ local: L, remote: R, protect }] }))
  t.match(await agent.call('agent.reload'), { state: 'online', rules: 1 })
  rmSync(USUAL)
  await t.rejects(agent.call('agent.reload'), { message: /solipsec\.json cannot be read/ })
  t.match(await agent.status(), { state: 'maintenance', rules: 1 })
  t.equal(await agent.stop(), 0)
  const next = await AgentProcess.start(t, left, '--config', USUAL)
  t.match(await next.status(), { state: 'online', rules: 1 }, 'what was loaded before is kept')
  t.equal(await next.stop(), 0)
  await left.policy('')
})

agentSuite(t, agentWorld(t, { left, right, L, R, hasTunnels: true }))
