/**
 * What the agent does where others change policy and SAs.
 *
 * @module
 */
import type { Test } from 'tap'
import { readState } from '../../agent/translate/read-association.ts'
import {
  type AgentWorld,
  deletion,
  find,
  meddle,
  pictureOf,
  policiesOf,
  policyDeletion,
  ruleFor,
  sentBy,
  spisOf,
} from './agent-world.ts'
import { espPair } from './configuration-place.ts'
import { Commands } from './status-scene.ts'

/** Adds the tests to a file's. */
export function agentDriftSuite(t: Test, { left, L, R, there, base, delivered, start }: AgentWorld): void {
  const commands = new Commands(t)
  t.test('what others take away or change is put right', async (t) => {
    await there.apply({ policies: [ruleFor(R, L)], associations: espPair(0x1000, L, R) })
    const { agent } = await start(t, base)
    t.match(await agent.status(), { state: 'online', rules: 1, associations: 2, dataPath: left.dataPath })
    t.ok(delivered())
    const wanted = pictureOf(left)
    t.ok(wanted.length > 2)

    meddle(left, (connection) => connection.send({ name: 'FLUSHPOLICY', body: {}, attributes: {} }))
    const told = await agent.event('drift-mended')
    t.match(told, { level: 'warning', details: { missingPolicies: wanted.length } })
    t.same(pictureOf(left), wanted, 'all policies are there again')
    await agent.settle()
    t.match(agent.notified, [{ event: 'drift-mended', message: told.message }], 'who has subscribed is told')

    meddle(left, (connection) => {
      const [one] = policiesOf(left).filter(({ body }) => body.dir === 1)
      if (!one) throw new Error('there is no outbound policy')
      connection.send({ ...one, name: 'UPDPOLICY', body: { ...one.body, action: 1 } })
    })
    t.match(await agent.event('drift-mended'), { details: { changedPolicies: 1 } })
    t.same(pictureOf(left), wanted, 'a changed one is as it was')

    const before = find(left, 0x1000)
    meddle(left, (connection) => connection.send(deletion(before)))
    t.match(await agent.event('drift-mended'), { details: { missingAssociations: 1 } })
    t.same(spisOf(left), [0x1000, 0x1001])
    const again = find(left, 0x1000)
    t.ok(sentBy(again) > sentBy(before), 'no sequence number comes twice')
    t.same(
      readState(again)?.association.encrKey?.equals(readState(before)?.association.encrKey as never),
      true,
    )
    t.same(again.body.curlft.add_time, before.body.curlft.add_time, 'and its age goes on')
    t.ok(delivered(), 'the other end takes its packets')

    meddle(left, (connection) => connection.send({ name: 'FLUSHSA', body: { proto: 0 }, attributes: {} }))
    t.match(await agent.event('drift-mended'), { details: { missingAssociations: 2 } })
    t.same(spisOf(left), [0x1000, 0x1001])
    t.ok(sentBy(find(left, 0x1000)) > sentBy(again) + 2 ** 20, 'far beyond all that may have been used')
    t.ok(delivered())

    const known = find(left, 0x1000)
    const { lastused, pad, ltime_val, alg_auth, alg_crypt: crypt, ...attributes } = known.attributes
    if (!crypt) throw new Error('it has a cipher')
    const changed = { ...crypt, alg_key: crypt.alg_key.map((byte) => byte ^ 1) }
    const another = {
      name: 'NEWSA',
      body: known.body,
      attributes: { ...attributes, alg_crypt: changed },
    } as const
    // At one stroke: in between, the agent would bring the old one.
    t.same(meddle(left, (connection) => connection.batch([deletion(known), another])).failures, [])
    t.match(await agent.event('drift-mended'), { details: { changedAssociations: 1 } })
    t.same(find(left, 0x1000).attributes.alg_crypt, known.attributes.alg_crypt, 'another key is not taken')
    t.ok(delivered())

    t.equal(await agent.stop(), 0)
    t.same(pictureOf(left), wanted, 'its end changes nothing')
    t.same(spisOf(left), [0x1000, 0x1001])
  })

  t.test('what commands do is no drift', async (t) => {
    const { agent } = await start(t, base)
    const outcome = await left.ipseckey(['delete', 'esp', 'spi', '0x1000', 'dst', R])
    t.equal(outcome.code, 0, outcome.err)
    t.match(await agent.settle(), { associations: 1, drifts: 0 })
    t.same(spisOf(left), [0x1001], 'what was deleted stays so')
    await left.policy('')
    t.match(await agent.settle(), { rules: 0, drifts: 0 })
    t.same(pictureOf(left), [])
    agent.signal('SIGHUP')
    await agent.event('reloaded')
    t.match(await agent.settle(), { rules: 1, associations: 2 })
    t.same(spisOf(left), [0x1000, 0x1001], 'the configuration says what is to be')
    t.equal(await agent.stop(), 0)
  })

  t.test('what others have is left alone', async (t) => {
    const { agent } = await start(t, base)
    const [foreign] = policiesOf(left)
    if (!foreign) throw new Error('there is no policy')
    const { body, attributes } = foreign
    const sel = { ...body.sel, sport: 7, sport_mask: 0xffff, dport: 9, dport_mask: 0xffff, proto: 17 }
    const other = { name: 'NEWPOLICY', body: { ...body, index: 0, sel }, attributes } as const
    meddle(left, (connection) => connection.send(other))
    await agent.settle()
    const found = meddle(left, (connection) => connection.policies()).filter(
      ({ body }) => body.sel.sport === 7,
    )
    t.equal(found.length, 1)
    t.match(await agent.status(), { drifts: 0 })
    meddle(left, (connection) => connection.send(policyDeletion(other)))
    t.equal(await agent.stop(), 0)
  })

  const policyDriftIsOnlyTold = async (t: Test) => {
    const { agent } = await start(t, { ...base, drift: 'report' })
    const { length } = pictureOf(left)
    meddle(left, (connection) => connection.send({ name: 'FLUSHPOLICY', body: {}, attributes: {} }))
    t.match(await agent.event('drift'), { details: { missingPolicies: length } })
    await agent.settle()
    t.match(await agent.settle(), { drifts: 1 })
    t.same(pictureOf(left), [], 'whoever wakes the agent next')
    await left.host.addAddress('fd09::2/64')
    await left.host.ip(`address delete fd09::2/64 dev ${left.host.device}`)
    await agent.settle()
    t.same(pictureOf(left), [], 'and whatever has changed beside it')
    await agent.call('agent.reload')
    t.equal(pictureOf(left).length, length, 'until the configuration is loaded again')
    t.equal(await agent.stop(), 0)
  }

  t.test('what cannot be put right is no good state', async (t) => {
    const { agent } = await start(t, base)
    const wanted = pictureOf(left)
    const [ours] = policiesOf(left).filter(({ body }) => body.dir === 1)
    if (!ours) throw new Error('there is no outbound policy')
    const theirs = { ...ours, name: 'NEWPOLICY', body: { ...ours.body, index: 0 } } as const
    // At one stroke, as above.
    const flush = { name: 'FLUSHPOLICY', body: {}, attributes: {} } as const
    t.same(meddle(left, (connection) => connection.batch([flush, theirs])).failures, [])
    await agent.event('failed')
    await t.rejects(agent.settle(), { code: -32002, message: /policies of another program/ })
    t.match(await agent.status(), { state: 'maintenance', problem: /policies of another program/ })
    const { problems, agent: told } = await commands.report(left)
    t.match(
      [told, problems.find((one) => one.startsWith('The agent'))],
      [{ state: 'maintenance', processId: agent.pid }, /^The agent: .*policies of another program/s],
    )
    t.equal(pictureOf(left).length, wanted.length - 1, 'all else is put right')
    meddle(left, (connection) => connection.send(policyDeletion(theirs)))
    await agent.event('drift-mended')
    t.match(await agent.settle(), { state: 'online' })
    t.same(pictureOf(left), wanted)
    t.equal(await agent.stop(), 0)
  })

  t.test('drift is only told where the configuration says so', async (t) => {
    const { agent } = await start(t, { ...base, drift: 'report' })
    meddle(left, (connection) => connection.send(deletion(find(left, 0x1001))))
    t.match(await agent.event('drift'), { level: 'warning', details: { missingAssociations: 1 } })
    t.same(spisOf(left), [0x1000])
    const { drifts } = await agent.settle()
    t.equal(drifts, 1, 'and only once')
    t.equal(await agent.stop(), 0)
    await policyDriftIsOnlyTold(t)
    const mending = await start(t, base)
    t.same(spisOf(left), [0x1000, 0x1001])
    t.equal(await mending.agent.stop(), 0)
  })
}
