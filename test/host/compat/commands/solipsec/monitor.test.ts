/** What the agent tells, in the words of `solipsec monitor`; agents come and go meanwhile. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { StatusEvent } from '../../../../../agent/status/events.ts'
import { violations } from '../../../../schemas/support.ts'
import { AgentProcess } from '../../../../support/agent-process.ts'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { SolipsecProcess } from '../../../../support/solipsec-process.ts'
import { until } from '../../../../support/until.ts'
import { Station } from '../../../../vm/support/station.ts'

t.setTimeout(120_000)
ownState(t)
const [station] = await Station.make(t, new TestNet(t), 1)
const folder = mkdtempSync(join(tmpdir(), 'solipsec-monitor-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const config = join(folder, 'agent.json')
writeFileSync(config, JSON.stringify({ policies: [{ protocol: 'tcp', localPort: 99, action: 'drop' }] }))

t.test('an agent and the next one', async (t) => {
  const monitor = new SolipsecProcess(t, station.host.namespace, ['monitor', '--json'])
  const people = new SolipsecProcess(t, station.host.namespace, ['monitor'])
  for (const one of [monitor, people]) await one.until(() => one.out.includes('\n'))
  const told = () => monitor.documents<StatusEvent>().flatMap((one) => (one.event === 'agent' ? [one] : []))
  for (const round of [1, 2]) {
    const agent = await AgentProcess.start(t, station, '--config', config)
    // It is heard a moment after it was started.
    await until(async () => {
      await station.host.ip('xfrm policy flush')
      await agent.settle()
      const heard = people.out.split('agent drift-mended: ').length - 1
      return told().filter(({ name }) => name === 'drift-mended').length >= round && heard >= round
    })
    t.equal(await agent.stop(), 0)
  }
  t.match(told().at(0), { level: 'warning', message: /polic/, details: Object })
  for (const line of monitor.out.trimEnd().split('\n')) {
    t.same(violations('solipsec-event.schema.json', line), [], line)
  }
  for (const one of [monitor, people]) t.equal(await one.stop('SIGINT'), 0)
})
