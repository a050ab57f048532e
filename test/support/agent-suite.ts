/**
 * What the agent does for policy and SAs, on whichever data path: the same tests on a host with the software one, and on a
 * stock kernel.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { connectDataPath } from '../../agent/datapath/data-path.ts'
import { formatAddress } from '../../agent/model/address.ts'
import { isOurPolicyIndex, isOurState } from '../../agent/reconcile/ownership.ts'
import { readState } from '../../agent/translate/read-association.ts'
import { readAddress } from '../../agent/translate/selectors.ts'
import { lockFile } from '../../netlink/libc/lock.ts'
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import { keyOf } from '../vm/support/keys.ts'
import type { Station } from '../vm/support/station.ts'
import { ping } from '../vm/support/traffic.ts'
import { AgentProcess } from './agent-process.ts'
import { ConfigurationPlace, espPair, espSa } from './configuration-place.ts'
import { until } from './snoop-process.ts'
import { root } from './tiers.ts'

interface Ends {
  readonly left: Station
  readonly right: Station
  readonly L: string
  readonly R: string
  /** The kernel has tunnel interfaces. */
  readonly hasTunnels: boolean
}

const PROTECT = { encryption: 'aes(128)', authentication: 'sha256' }

/** Does something with what carries a station's packets, as another program would. */
function meddle<T>(station: Station, use: (connection: XfrmConnection) => T): T {
  return station.visit(() => {
    const connection = connectDataPath(station.folder)
    try {
      return use(connection)
    } finally {
      connection.close()
    }
  })
}

const statesOf = (station: Station) =>
  meddle(station, (connection) => connection.states().filter(({ body }) => isOurState(body.reqid)))

const policiesOf = (station: Station) =>
  meddle(station, (connection) => connection.policies().filter(({ body }) => isOurPolicyIndex(body.index)))

/** Without numbers that the kernel gives. */
const pictureOf = (station: Station): string[] =>
  policiesOf(station)
    .map(({ body: { dir, sel, priority, action }, attributes: { tmpl, mark } }) =>
      JSON.stringify([dir, sel, priority, action, tmpl, mark]),
    )
    .sort()

const spisOf = (station: Station): number[] =>
  statesOf(station)
    .map(({ body }) => body.id.spi)
    .sort()

function deletion({ body: { id, family } }: XfrmMessage<'NEWSA'>): XfrmMessage<'DELSA'> {
  return { name: 'DELSA', body: { daddr: id.daddr, spi: id.spi, family, proto: id.proto }, attributes: {} }
}

function find(station: Station, spi: number): XfrmMessage<'NEWSA'> {
  const found = statesOf(station).find(({ body }) => body.id.spi === spi)
  if (!found) throw new Error(`there is no SA with SPI ${spi}`)
  return found
}

/** Sequence number that an SA has reached. */
function sentBy({ attributes }: XfrmMessage<'NEWSA'>): number {
  return attributes.replay_esn_val?.oseq ?? attributes.replay_val?.oseq ?? 0
}

/** Adds the tests to a file's. */
export function agentSuite(t: Test, { left, right, L, R, hasTunnels }: Ends): void {
  const here = new ConfigurationPlace(t, left)
  const there = new ConfigurationPlace(t, right)
  const rule = (local: string, remote: string) => ({ local, remote, protect: PROTECT })
  const base = { policies: [rule(L, R)], associations: espPair(0x1000, L, R) }
  const delivered = () => ping({ station: left, address: L }, { station: right, address: R }).delivered
  const start = async (t: Test, document: object, ...more: string[]) => {
    const file = here.file(document)
    const agent = await AgentProcess.start(t, left, '--config', file, ...more)
    return { agent, file }
  }

  t.test('what others take away or change is put right', async (t) => {
    await there.apply({ policies: [rule(R, L)], associations: espPair(0x1000, L, R) })
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
    meddle(left, (connection) => {
      connection.send(deletion(known))
      const { alg_crypt: crypt } = known.attributes
      if (!crypt) throw new Error('it has a cipher')
      const changed = { ...crypt, alg_key: crypt.alg_key.map((byte) => byte ^ 1) }
      const { lastused, pad, ltime_val, alg_auth, ...attributes } = known.attributes
      connection.send({ name: 'NEWSA', body: known.body, attributes: { ...attributes, alg_crypt: changed } })
    })
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
    meddle(left, (connection) =>
      connection.send({ name: 'DELPOLICY', body: { sel, index: 0, dir: body.dir }, attributes: {} }),
    )
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
    meddle(left, (connection) => {
      connection.send({ name: 'FLUSHPOLICY', body: {}, attributes: {} })
      connection.send(theirs)
    })
    await agent.event('failed')
    await t.rejects(agent.settle(), { code: -32002, message: /policies of another program/ })
    t.match(await agent.status(), { state: 'maintenance', problem: /policies of another program/ })
    t.equal(pictureOf(left).length, wanted.length - 1, 'all else is put right')
    const { sel, dir } = theirs.body
    const { mark } = theirs.attributes
    meddle(left, (connection) =>
      connection.send({ name: 'DELPOLICY', body: { sel, index: 0, dir }, attributes: mark ? { mark } : {} }),
    )
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
    await there.apply({ policies: [rule(R, L)], associations: espPair(0x1000, L, R) })
  })

  t.test('a bad file changes nothing', async (t) => {
    const { agent, file } = await start(t, base)
    const wanted = pictureOf(left)
    writeFileSync(file, '{ "policies": [{ "local": "10.1.0.1", "action": "bypas" }] }')
    const problem = /^1 error; nothing was changed\. \S+\.json:1:\d+: `action` /
    await t.rejects(agent.call('agent.reload'), { message: problem })
    t.match(await agent.status(), { state: 'maintenance', problem, rules: 1 })
    t.notMatch(agent.err, /^[^{]/m, 'each line of the log is an event')
    t.same(pictureOf(left), wanted)
    meddle(left, (connection) => connection.send({ name: 'FLUSHPOLICY', body: {}, attributes: {} }))
    await agent.event('drift-mended')
    t.same(pictureOf(left), wanted, 'and the old policy is looked after')
    writeFileSync(file, JSON.stringify(base))
    t.match(await agent.call('agent.reload'), { state: 'online' })
    chmodSync(file, 0o666)
    await agent.call('agent.reload')
    const words = `${file} may be changed by others than root`
    await until(async () => agent.events.some(({ message }) => message.startsWith(words)))
    chmodSync(file, 0o604)
    agent.events.length = 0
    const many = Array.from({ length: 20 }, () => agent.signal('SIGHUP'))
    await agent.event('reloaded')
    await agent.settle()
    t.ok(agent.events.length < many.length / 2, 'who asks often is answered at once')
    t.notMatch(JSON.stringify(agent.events), /may be changed/)
    rmSync(file)
    t.match(await AgentProcess.fail(t, left), {
      code: 1,
      err: /another agent looks after this network namespace/,
    })
    t.equal(await agent.stop(), 0)
    t.match(await AgentProcess.fail(t, left, '--config', file), { code: 1, err: /cannot be read/ })
    const bad = here.file('{ "policies": [1] }')
    t.match(await AgentProcess.fail(t, left, '--config', bad), { code: 1, err: /1 error.*\.json:1:16: / })
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

  t.test('SIGHUP while it starts is heeded when it has started', async (t) => {
    const path = join(left.folder, 'agent')
    rmSync(path, { force: true })
    const busy = lockFile(join(left.folder, 'lock'))
    const agent = AgentProcess.begin(t, left, '--config', here.file(base))
    await until(async () => existsSync(path))
    agent.signal('SIGHUP')
    busy?.release()
    await agent.ready()
    await agent.event('reloaded')
    t.equal(await agent.stop(), 0)
  })

  t.test('killed, it is started again', async (t) => {
    const { agent, file } = await start(t, base)
    const wanted = pictureOf(left)
    await agent.stop('SIGKILL')
    const next = await AgentProcess.start(t, left, '--config', file)
    t.same(pictureOf(left), wanted)
    t.same(spisOf(left), [0x1000, 0x1001])
    t.equal(await next.stop(), 0)
  })

  t.test('rules follow the names of hosts', async (t) => {
    const hosts = join(here.folder, 'hosts')
    const name = 'branch.example'
    const write = (...addresses: string[]) =>
      writeFileSync(hosts, addresses.map((address) => `${address} ${name}\n`).join(''))
    const remotes = () =>
      policiesOf(left)
        .filter(({ body }) => body.dir === 1 && body.sel.prefixlen_d === 32)
        .map(({ body }) => formatAddress(readAddress(body.sel.daddr, body.sel.family)))
        .sort()
    write(R)
    const file = here.file({ policies: [rule(L, name)] })
    const agent = await AgentProcess.startWithNames(t, left, { hosts }, '--config', file)
    t.same(remotes(), [R])
    await agent.call('agent.resolve')
    t.match(await agent.status(), { rules: 1 })
    t.notOk(agent.events.some(({ event }) => event === 'names-followed'))
    write(R, '10.1.0.8')
    await agent.call('agent.reload')
    t.same(remotes(), [R, '10.1.0.8'])
    write(R)
    await agent.call('agent.resolve')
    t.same(remotes(), [R, '10.1.0.8'], 'what the first answer after a load leaves out is kept, too')
    write('10.1.0.9')
    await agent.call('agent.resolve')
    await agent.event('names-followed')
    t.same(remotes(), [R, '10.1.0.8', '10.1.0.9'], 'what was protected stays so for a time')
    write()
    await agent.call('agent.resolve')
    t.same(remotes(), [R, '10.1.0.8', '10.1.0.9'], 'no answer is no news')
    write('10.1.0.9')
    await agent.call('agent.reload')
    t.same(remotes(), [R, '10.1.0.8', '10.1.0.9'], 'nor does a load take away what has to stay')
    t.match(await agent.settle(), { drifts: 0 })
    t.equal(await agent.stop(), 0)
  })

  t.test('who may ask the agent sees what is loaded, and no keys', async (t) => {
    const { agent } = await start(t, base)
    // As a group would have it that the host of a test lacks.
    chmodSync(process.env.SOLIPSEC_RUN_DIR ?? '', 0o755)
    chmodSync(dirname(process.env.SOLIPSEC_RUN_DIR ?? ''), 0o755)
    chmodSync(agent.path, 0o666)
    const asNobody = (name: string, ...argv: string[]) => {
      const command = [
        'setpriv',
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        join(root, 'bin', name),
        ...argv,
      ]
      return spawnSync('ip', ['netns', 'exec', left.host.namespace, ...command], { encoding: 'utf8' })
    }
    const listed = asNobody('ipsecconf', '-l', '-n')
    t.match(listed, { status: 0, stderr: '' })
    t.equal(listed.stdout, (await left.ipsecconf(['-l', '-n'])).out)
    const dumped = asNobody('ipseckey', '-pn', 'dump')
    t.match(dumped.stdout, /spi=0x1000/)
    t.notMatch(dumped.stdout, /[0-9a-f]{24}/)
    t.match(asNobody('ipseckey', '--json', 'dump').stdout, /"spi": 4096/)
    t.match(asNobody('ipseckey', 'dump'), { status: 1, stdout: '', stderr: /Insufficient privileges/ })
    t.match(asNobody('ipsecconf', '-F'), { status: 1, stdout: '' })
    t.match(asNobody('solipsec', 'status', '--json').stdout, /"spi": 4096/)
    t.match(asNobody('solipsec', 'kstat', '-p', '-m', 'ipsecesp').stdout, /^ipsecesp:0:/m)
    t.match(await agent.call('status.report'), { rules: [{}] })
    t.match(await agent.call('status.metrics'), /^solipsec_/m)
    const show = (command: string, ...argv: string[]) => agent.call('command.show', { command, argv })
    for (const [command, ...argv] of [
      ['ipseckey', 'dump'],
      ['ipseckey', '-p', '-f', '/etc/shadow'],
      ['ipsecconf', '-F'],
      ['ipsecconf', '-a', '/etc/shadow'],
      ['ipsecconf', '-l', '--netns', 'other'],
      ['ipsecconf', '--what'],
      ['solipsec status', '--watch'],
      ['solipsec apply', '/etc/shadow'],
      ['constructor'],
    ]) {
      await t.rejects(show(command ?? '', ...argv), { message: 'only root may do this' })
    }
    t.same(spisOf(left), [0x1000, 0x1001])
    t.equal(await agent.stop(), 0)
    t.match(asNobody('ipsecconf', '-l').status, 1, 'without the agent, it takes root')
  })

  if (!hasTunnels) return
  t.test('a tunnel that comes later', async (t) => {
    const tunnel = { tunnel: { name: 'late0', mode: 'transport' }, protect: PROTECT }
    const { agent } = await start(t, { policies: [rule(L, R), tunnel] })
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
