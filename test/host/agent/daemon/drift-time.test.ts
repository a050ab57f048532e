/**
 * How soon what others have changed is put right: within a second, with a moderate number of rules and SAs.
 *
 * A machine may be busy with something else, so no single try counts: the best of several does. Were there a timer of a
 * second or more between the kernel's announcement and the repair, all of them would be late.
 */
import t from 'tap'
import {
  agentWorld,
  deletion,
  find,
  meddle,
  PROTECT,
  pictureOf,
  spisOf,
} from '../../../support/agent-world.ts'
import { espPair } from '../../../support/configuration-place.ts'
import { TestNet } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { Station } from '../../../vm/support/station.ts'

const RULES = 100
const PAIRS = 100
const TRIES = 5
const LIMIT_MS = 1000

t.setTimeout(240_000)
ownState(t)
const net = new TestNet(t)
const left = await Station.makeSoftware(t, net)
const right = await Station.makeSoftware(t, net)
const [L, R] = ['10.1.0.1', '10.1.0.2']
await net.wire(left.host, right.host, [`${L}/24`], [`${R}/24`])
const { start } = agentWorld(t, { left, right, L, R, hasTunnels: false })

const policies = Array.from({ length: RULES }, (_, i) => ({
  local: L,
  remote: R,
  protocol: 'tcp',
  remotePort: 1000 + i,
  protect: PROTECT,
}))
const associations = Array.from({ length: PAIRS }, (_, i) => espPair(0x1000 + 2 * i, L, R)).flat()

t.test('drift is put right within a second', async (t) => {
  const { agent } = await start(t, { policies, associations })
  t.match(await agent.status(), { rules: RULES, associations: 2 * PAIRS })
  const [wanted, spis] = [pictureOf(left), spisOf(left)]
  /** Milliseconds from the change to the word that it was mended. */
  const times = async (change: Parameters<typeof meddle>[1]): Promise<number[]> => {
    const all: number[] = []
    for (let i = 0; i < TRIES; i++) {
      const changed = performance.now()
      meddle(left, change)
      await agent.event('drift-mended')
      all.push(performance.now() - changed)
      await agent.settle()
    }
    return all.sort((a, b) => a - b)
  }
  for (const [what, change] of [
    ['all policies', (connection) => connection.send({ name: 'FLUSHPOLICY', body: {}, attributes: {} })],
    ['one SA', (connection) => connection.send(deletion(find(left, 0x1000)))],
    ['all SAs', (connection) => connection.send({ name: 'FLUSHSA', body: { proto: 0 }, attributes: {} })],
  ] as const satisfies readonly (readonly [string, Parameters<typeof meddle>[1]])[]) {
    const found = await times(change)
    const best = found[0] ?? Number.POSITIVE_INFINITY
    t.comment(`${what}: ${found.map((one) => one.toFixed(0)).join(', ')} ms`)
    t.ok(best < LIMIT_MS, `${what}: ${best.toFixed(0)} ms`)
    t.same(pictureOf(left), wanted)
    t.same(spisOf(left), spis)
  }
  t.equal(await agent.stop(), 0)
})
