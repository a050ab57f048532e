/** What the agent does because of tunables and latching, on this kernel. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { decodeState } from '../../../../agent/reconcile/policy-state.ts'
import { AgentProcess } from '../../../support/agent-process.ts'
import { ConfigurationPlace } from '../../../support/configuration-place.ts'
import { TestNet } from '../../../support/namespaces.ts'
import { OpenConnection, type Place } from '../../../support/open-connection.ts'
import { ownState } from '../../../support/own-state.ts'
import { Station } from '../../../vm/support/station.ts'
import { udp } from '../../../vm/support/traffic.ts'

t.setTimeout(120_000)
/** Milliseconds. */
const INTERVAL = 1500
ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, ['10.1.0.1/24'], ['10.1.0.2/24'])
const here: Place = { station: left, address: '10.1.0.1' }
const there: Place = { station: right, address: '10.1.0.2' }
const place = new ConfigurationPlace(t, left)
const drop = (protocol: string, localPort: number, direction: string) => ({
  protocol,
  localPort,
  direction,
  action: 'drop',
})

const livePins = () =>
  decodeState(readFileSync(join(left.folder, 'policy.json'), 'utf8')).pins.filter(({ isEnded }) => !isEnded)

t.test('refused packets are told, at most once an interval', async (t) => {
  const document = { policies: [drop('udp', 7, 'in')], tunables: { ip: { policyLogInterval: INTERVAL } } }
  const agent = await AgentProcess.start(t, left, '--config', place.file(document))
  for (let i = 0; i < 3; i++) t.notOk(udp(there, here, { port: 7 }).delivered)
  const told = await agent.event('policy-failure')
  t.match(told, { level: 'warning', message: /^Incoming packets refused: \d+ refused by a rule/ })
  t.match(told.details?.rules, [/file-\d+\.json:\d+$/])
  // Each message counts what came since the one before, and the agent says when it was made: how busy the machine is only
  // makes the times longer.
  const times = [told.time]
  for (let i = 0; i < 3; i++) {
    let isTold = false
    const next = agent.event('policy-failure').finally(() => {
      isTold = true
    })
    while (!isTold) {
      t.notOk(udp(there, here, { port: 7 }).delivered)
      await sleep(20)
    }
    times.push((await next).time)
  }
  const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0))
  t.comment(`${pauses.join(', ')} ms from one message to the next`)
  // A timer may come a little early by the wall clock, in which the log has its times.
  for (const pause of pauses) t.ok(pause >= INTERVAL - 20, `${pause} ms`)
  t.match(await agent.status(), { state: 'online', drifts: 0 })
})

t.test('pins end though no program of a command watches', async (t) => {
  const before = OpenConnection.open(there, here, 23)
  const document = { latch: 'on', policies: [drop('tcp', 23, 'both')] }
  const agent = await AgentProcess.start(t, left, '--config', place.file(document))
  t.ok(before.passes(true))
  t.equal(livePins().length, 1)
  t.equal(OpenConnection.tryOpen(there, here, 23), undefined)
  before.close()
  for (let i = 0; i < 200 && livePins().length > 0; i++) await new Promise((done) => setTimeout(done, 50))
  t.equal(livePins().length, 0)
  await agent.settle()
  t.match(await agent.status(), { drifts: 0 }, 'which is no drift')
  t.equal(OpenConnection.tryOpen(there, here, 23), undefined)
})
