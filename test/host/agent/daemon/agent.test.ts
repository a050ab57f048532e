/** The agent on the software data path; and its configuration, its signals and whom it answers, which are the same on each. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { formatAddress } from '../../../../agent/model/address.ts'
import { readAddress } from '../../../../agent/translate/selectors.ts'
import { lockFile } from '../../../../netlink/libc/lock.ts'
import { AgentProcess } from '../../../support/agent-process.ts'
import { agentSuite } from '../../../support/agent-suite.ts'
import { agentWorld, meddle, pictureOf, policiesOf, ruleFor, spisOf } from '../../../support/agent-world.ts'
import { ownState } from '../../../support/own-state.ts'
import { softwarePair } from '../../../support/software-pair.ts'
import { root } from '../../../support/tiers.ts'
import { until } from '../../../support/until.ts'

t.setTimeout(240_000)
ownState(t)
const { left, right } = await softwarePair(t)
const world = agentWorld(t, { left, right, L: '10.1.0.1', R: '10.1.0.2', hasTunnels: false })
const { L, R, here, base, start } = world
agentSuite(t, world)

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
  const file = here.file({ policies: [ruleFor(L, name)] })
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
