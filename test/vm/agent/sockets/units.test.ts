/** The section `sockets` on a stock kernel: programs of units, with real traffic. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import { socketsPath } from '../../../../agent/runtime/agent-sockets.ts'
import { collectStatus } from '../../../../agent/status/collect.ts'
import { AgentProcess } from '../../../support/agent-process.ts'
import { ConfigurationPlace } from '../../../support/configuration-place.ts'
import { ownState } from '../../../support/own-state.ts'
import { canMakeCgroups, UnitCgroup } from '../../../support/unit-cgroups.ts'
import { UNIT_PROGRAM, UnitProgram, unitsSuite } from '../../../support/units-suite.ts'
import { until } from '../../../support/until.ts'
import { INET, TwoStations } from '../../support/two-stations.ts'

t.setTimeout(600_000)
ownState(t)
// Nobody has done it: no systemd runs here.
if (!canMakeCgroups()) spawnSync('mount', ['-t', 'cgroup2', 'none', '/sys/fs/cgroup'])
const { left, right } = await TwoStations.make(t)
const { L, R } = INET

t.test('what was secured speaks protected, and connections that it accepts are not told of', async (t) => {
  const unit = `solipsec-web-${process.pid}.service`
  const protect = { encryption: 'aes(128)', authentication: 'sha256' }
  const file = new ConfigurationPlace(t, left).file({ sockets: [{ service: unit, protect }] })
  const agent = await AgentProcess.start(t, left, '--config', file)
  const argv = ['/usr/bin/python3', '-B', '-u', '-c', UNIT_PROGRAM, left.visit(socketsPath)]
  const server = new UnitProgram(new UnitCgroup(t, unit).start(t, left.host, ...argv))
  for (const one of ['make("a", "tcp", port=7200)', 'ask("a")', 'listen("a")']) await server.says(one)
  for (const one of ['make("b", "tcp", port=7201)', 'listen("b")']) await server.says(one)

  const clear = await right.host.tcpSend(L, 7200, 'in clear', { timeout: 1000 })
  t.equal(clear.error, 'timeout', 'who does not protect is not heard')
  const rules = new ConfigurationPlace(t, right)
  await rules.apply({ policies: [{ local: R, remote: L, protocol: 'tcp', remotePort: 7200, protect }] })
  const client = new UnitProgram(new UnitCgroup(t, 'client.service').start(t, right.host, ...argv))
  for (const [name, port] of [
    ['a', 7200],
    ['b', 7201],
  ] as const) {
    await client.says(`make("${name}", "tcp")`)
    t.match(await client.says(`connect("${name}", "${L}", ${port})`), { connected: true })
    t.match(await server.says(`accept("${name}")`), { accepted: true })
  }
  await agent.call('agent.reload')
  const told = () =>
    agent.events.flatMap(({ event, details }) =>
      event === 'unprotected-socket' ? [`${details?.localPort} ${details?.remoteAddress ?? 'listens'}`] : [],
    )
  await until(async () => told().length === 2)
  t.same(told().sort(), [`7201 ${R}`, '7201 listens'])
  const { units } = left.visit(() => collectStatus(defaultAlgorithmTable))
  t.same(units, [{ unit, sockets: 4, unprotected: 2 }])
  t.equal(await agent.stop(), 0)
  await rules.apply({ policies: [] })
})

unitsSuite(t, { station: left, address: L, hasHandles: false })
