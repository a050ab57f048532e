/**
 * What the agent does for policy and SAs with what carries packets, whichever that is: the same tests on a host with the
 * software data path, and on a stock kernel.
 *
 * @module
 */
import type { Test } from 'tap'
import { keyOf } from '../vm/support/keys.ts'
import { agentDriftSuite } from './agent-drift-suite.ts'
import { AgentProcess } from './agent-process.ts'
import {
  type AgentWorld,
  deletion,
  find,
  meddle,
  PROTECT,
  pictureOf,
  policiesOf,
  ruleFor,
  spisOf,
} from './agent-world.ts'
import { espPair, espSa } from './configuration-place.ts'

/** Looks at SAs come often. */
const OFTEN = { tunables: { esp: { ageInterval: 125 }, ah: { ageInterval: 125 } } }

/** Adds the tests to a file's. */
export function agentSuite(t: Test, world: AgentWorld): void {
  const { left, L, R, hasTunnels, here, there, base, delivered, start } = world
  agentDriftSuite(t, world)

  t.test('a pair ends together, and so does what is not used', async (t) => {
    const out = espSa(0x2000, L, R, { hard: { addTime: 2 }, pairSpi: 0x2001 })
    const unused = espSa(0x2002, L, R, { idle: { addTime: 1 } })
    const { agent } = await start(t, { ...base, associations: [out, espSa(0x2001, R, L), unused] })
    const told = await agent.event('association-ended')
    const more = await agent.event('association-ended')
    t.same([told.details?.why, more.details?.why].sort(), ['idle', 'pair'])
    t.same(spisOf(left), [])
    t.match(await agent.status(), { associations: 0, drifts: 0 })
    t.equal(await agent.stop(), 0)
  })

  t.test('soft limits are told of, each once', async (t) => {
    await there.apply({ policies: [ruleFor(R, L)], associations: espPair(0x4000, L, R) })
    const limited = espSa(0x4000, L, R, { soft: { bytes: 20, addTime: 2 }, hard: { addTime: 3600 } })
    const { agent } = await start(t, { ...base, associations: [limited, espSa(0x4001, R, L)], ...OFTEN })
    t.ok(delivered())
    const association = `esp 0x4000 -> ${R}`
    // Nobody knows which of them is first on a slow machine.
    const [one, other] = [await agent.event('association-soft'), await agent.event('association-soft')]
    t.same([one.details?.limit, other.details?.limit].sort(), ['addTime', 'bytes'])
    for (const told of [one, other]) t.match(told, { level: 'warning', details: { association } })
    await agent.settle()
    const heard = agent.notified.filter(({ event }) => event === 'association-soft')
    t.same(
      heard.map(({ message }) => message).sort(),
      [one.message, other.message].sort(),
      'subscribers, too',
    )
    meddle(left, (connection) => connection.send(deletion(find(left, 0x4000))))
    await agent.event('drift-mended')
    t.ok(delivered())
    await agent.settle()
    t.same(
      agent.events.filter(({ event }) => event === 'association-soft'),
      [],
      'it is the same SA still',
    )
    t.match(await agent.status(), { associations: 2, state: 'online' })
    t.equal(await agent.stop(), 0)
    await here.apply({ ...base, tunables: {} })
  })

  t.test('output takes the next alternative where the first has expired', async (t) => {
    const either = (local: string, remote: string) => ({
      local,
      remote,
      protect: [{ encryption: 'aes(256)', authentication: 'sha256' }, PROTECT],
    })
    const strong = (spi: number, source: string, destination: string, more = {}) => {
      const plain = espSa(spi, source, destination, more) as { encryption: object }
      const key = { algorithm: 'aes', key: keyOf(spi, 'cipher', 256).toString('hex') }
      return { ...plain, encryption: key }
    }
    const all = (limit: object) => [
      strong(0x3000, L, R, limit),
      strong(0x3001, R, L, limit),
      ...espPair(0x1000, L, R),
    ]
    await there.apply({ policies: [either(R, L)], associations: all({}) })
    const { agent } = await start(t, {
      policies: [either(L, R)],
      associations: all({ hard: { addTime: 4 } }),
    })
    const sentWith = (spi: number) => find(left, spi).body.curlft.packets
    t.ok(delivered())
    t.ok(sentWith(0x3000) > 0n, 'the first')
    t.equal(sentWith(0x1000), 0n)
    await agent.event('followed')
    t.same(spisOf(left), [0x1000, 0x1001])
    delivered()
    t.ok(sentWith(0x1000) > 0n, 'the second')
    t.match(await agent.status(), { drifts: 0 })
    t.equal(await agent.stop(), 0)
    await there.apply({ policies: [ruleFor(R, L)], associations: espPair(0x1000, L, R) })
  })

  t.test('it follows the addresses of the host', async (t) => {
    await left.policy('{dir both} ipsec {encr_algs aes encr_auth_algs sha256}')
    const agent = await AgentProcess.start(t, left, '--config', here.file({}))
    const before = pictureOf(left).length
    await left.host.addAddress('fd09::1/64')
    await agent.event('followed')
    t.ok(pictureOf(left).length > before, 'there are policies for this host with itself')
    await left.host.ip(`address delete fd09::1/64 dev ${left.host.device}`)
    await agent.event('followed')
    t.equal(pictureOf(left).length, before)
    t.match(await agent.status(), { drifts: 0 })
    t.equal(await agent.stop(), 0)
    await left.policy('')
  })

  if (!hasTunnels) return
  t.test('a tunnel that comes later', async (t) => {
    const tunnel = { tunnel: { name: 'late0', mode: 'transport' }, protect: PROTECT }
    const { agent } = await start(t, { policies: [ruleFor(L, R), tunnel] })
    t.match(await agent.status(), { state: 'maintenance', problem: /late0/ })
    await left.host.ip(`link add late0 type ipip local ${L} remote ${R}`)
    await agent.event('reloaded')
    t.match(await agent.settle(), { state: 'online', rules: 2 })
    t.ok(
      policiesOf(left).some(({ body }) => body.sel.proto === 4),
      'its packets are protected',
    )
    await left.host.ip('link delete late0')
    t.match(await agent.settle(), { state: 'online', rules: 2, drifts: 0 })
    t.ok(
      policiesOf(left).some(({ body }) => body.sel.proto === 4),
      'and stay so',
    )
    t.equal(await agent.stop(), 0)
    await left.policy('')
  })
}
