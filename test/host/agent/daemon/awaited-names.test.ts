/** The agent starts before names have addresses: what can be in force is, and the rest comes by itself. */
import { execFileSync } from 'node:child_process'
import { rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { AgentStatus } from '../../../../agent/daemon/agent.ts'
import { AF_INET, bind, close, SOCK_DGRAM, socket } from '../../../../netlink/libc/socket.ts'
import { AgentProcess, type NameFiles } from '../../../support/agent-process.ts'
import { meddle, policiesOf, policyDeletion } from '../../../support/agent-world.ts'
import { ConfigurationPlace, espPair, espSa } from '../../../support/configuration-place.ts'
import { ownState } from '../../../support/own-state.ts'
import { softwarePair } from '../../../support/software-pair.ts'
import { until } from '../../../support/until.ts'

t.setTimeout(240_000)
ownState(t)
const { left } = await softwarePair(t, ['10.1.0.1/24'], ['10.1.0.2/24'])
const [L, R] = ['10.1.0.1', '10.1.0.2']

const place = new ConfigurationPlace(t, left)
const hosts = join(place.folder, 'hosts')
const resolver = join(place.folder, 'resolv.conf')
/** Nobody is there who could answer, and that is known at once. */
writeFileSync(resolver, 'nameserver 127.0.0.1\n')
const names: NameFiles = { hosts, resolver }
const write = (...lines: string[]) => writeFileSync(hosts, lines.map((line) => `${line}\n`).join(''))

const rule = (local: string, remote: string) => ({
  local,
  remote,
  protect: { encryption: 'aes(128)', authentication: 'sha256' },
})
const clear = { remote: '10.9.0.0/16', action: 'bypass' }

const listed = async () => (await left.ipsecconf(['-l', '-n'])).out
const start = (t: Test, file: string) => AgentProcess.startWithNames(t, left, names, '--config', file)
const reached = (agent: AgentProcess, isIt: (status: AgentStatus) => boolean) =>
  until(async () => isIt(await agent.status()))
const nothing = async () => {
  await left.policy('')
  await left.ipseckey(['flush'])
}

t.test('what needs no name is in force at once, and the rest as soon as names have addresses', async (t) => {
  write()
  const document = {
    latch: 'on',
    policies: [rule(L, 'late.example'), rule(L, R), rule(L, 'later.example'), clear],
    associations: [...espPair(0x1000, L, R), espSa(0x2000, L, 'late.example')],
    drift: 'report',
  }
  document.associations.push(espSa(0x2001, '10.1.0.7', L, { pairSpi: 0x2000 }))
  const file = place.file(document)
  const agent = await start(t, file)
  const problem =
    /^No address is known for late\.example, later\.example\. Rules and SAs that name them are not in force: .*\.json:1:\d+: Could not resolve address late\.example\./
  t.match(await agent.status(), { state: 'maintenance', problem, rules: 2, drift: 'report' })
  t.match(await agent.settle(), { associations: 2 }, 'half a pair does not come without the other')
  const told = await agent.event('maintenance')
  t.match(told, { level: 'error' })
  t.match(
    told.message,
    /^Only a part of the configuration is in force\. It is tried again when names have addresses\. No/,
  )
  const seen = (await agent.call('status.report')) as { problems: string[] }
  t.match(seen.problems, [/^The agent: No address is known for late\.example/])
  t.notMatch(agent.err, /^[^{]/m, 'each line of the log is an event')
  const first = await listed()
  t.match(first, /10\.1\.0\.2/)
  t.match(first, /10\.9\.0\.0\/16/)

  agent.signal('SIGHUP')
  await agent.settle()
  t.match(
    await agent.status(),
    { state: 'maintenance', problem, rules: 2 },
    'asked to load, it goes on waiting',
  )
  t.equal(await listed(), first)

  write('10.1.0.7 late.example')
  await reached(agent, ({ rules }) => rules === 3)
  t.match(await agent.settle(), {
    state: 'maintenance',
    problem: /^No address is known for later\.example\./,
    associations: 4,
  })
  t.match(await listed(), /10\.1\.0\.7/)
  write('10.1.0.8 later.example')
  await agent.event('reloaded')
  t.match(await agent.settle(), { state: 'online', rules: 4, associations: 4, drifts: 0 })
  t.match(await agent.call('status.report'), { problems: [] })
  t.match(
    await listed(),
    /10\.9\.0\.0[\s\S]*10\.1\.0\.7[\s\S]*10\.1\.0\.2[\s\S]*10\.1\.0\.8/,
    'in their order',
  )
  t.notOk((await agent.status()).problem)
  t.equal(await agent.stop(), 0)

  write()
  const whole = await listed()
  const next = await start(t, file)
  const restarted = { state: 'maintenance', rules: 4, drift: 'report' }
  t.match(await next.status(), restarted, 'what the document says of the agent itself holds')
  t.match(await next.event('maintenance'), {
    message: /what was loaded stays in force\. .* names have addresses/,
  })
  t.equal(await listed(), whole, 'what is in force when it starts stays')
  t.match(await next.settle(), { associations: 4 })
  write('10.1.0.7 late.example', '10.1.0.8 later.example')
  await left.host.ip(`address add 10.1.0.77/24 dev ${left.host.device}`)
  await next.event('reloaded')
  t.match(await next.settle(), { state: 'online', rules: 4 })
  t.equal(await next.stop(), 0)
  await nothing()
})

t.test('an agent that is started again goes on with the part that is in force', async (t) => {
  write()
  const file = place.file({
    policies: [rule(L, 'late.example'), rule(L, R), rule(L, 'later.example')],
    associations: espPair(0x1000, L, R),
  })
  const first = await start(t, file)
  t.match(await first.status(), { state: 'maintenance', rules: 1 })
  t.equal(await first.stop(), 0)
  const next = await start(t, file)
  t.match(await next.status(), { state: 'maintenance', rules: 1 })
  write('10.1.0.7 late.example')
  await reached(next, ({ rules }) => rules === 2)
  t.match(await listed(), /10\.1\.0\.7/)
  next.signal('SIGKILL')
  const last = await start(t, file)
  write('10.1.0.7 late.example', '10.1.0.8 later.example')
  await last.event('reloaded')
  t.match(await last.settle(), { state: 'online', rules: 3 })
  t.equal(await last.stop(), 0)
  write()
  const other = await start(t, file)
  t.match(await other.status(), { state: 'maintenance', rules: 3 }, 'the whole is no part any more')
  t.equal(await other.stop(), 0)
  await nothing()
})

t.test('what commands have loaded since stays until all can be loaded', async (t) => {
  write()
  const agent = await start(t, place.file({ policies: [rule(L, 'late.example'), rule(L, 'later.example')] }))
  t.match(await agent.status(), { state: 'maintenance', rules: 0 })
  await left.policy('{raddr 10.7.0.0/16 dir both} drop {}')
  await agent.settle()
  write('10.1.0.7 late.example')
  await agent.event('maintenance')
  await agent.event('maintenance')
  t.match(await agent.settle(), { state: 'maintenance', rules: 1, problem: /^No address is known for later/ })
  t.match(await listed(), /10\.7\.0\.0/)
  write('10.1.0.7 late.example', '10.1.0.8 later.example')
  await agent.event('reloaded')
  t.match(await agent.settle(), { state: 'online', rules: 2 })
  t.equal(await agent.stop(), 0)
  await nothing()
})

t.test('what is in the way when a name has an address is in the way for a while only', async (t) => {
  await place.apply({ policies: [rule(L, '10.1.0.7')] })
  const ours = policiesOf(left).find(({ body }) => body.dir === 1)
  if (!ours) throw new Error('there is no outbound policy')
  await nothing()
  write()
  const agent = await start(t, place.file({ policies: [rule(L, 'late.example'), clear] }))
  const theirs = { ...ours, name: 'NEWPOLICY', body: { ...ours.body, index: 0 } } as const
  meddle(left, (connection) => connection.send(theirs))
  write('10.1.0.7 late.example')
  const conflict = { state: 'maintenance', problem: /^policies of another program/, rules: 1 }
  await reached(agent, ({ problem = '' }) => conflict.problem.test(problem))
  t.match(await agent.status(), conflict)
  meddle(left, (connection) => connection.send(policyDeletion(theirs)))
  await agent.event('reloaded')
  t.match(await agent.settle(), { state: 'online', rules: 2 })
  t.equal(await agent.stop(), 0)
  const flush = { name: 'FLUSHPOLICY', body: {}, attributes: {} } as const
  t.same(meddle(left, (connection) => connection.batch([flush, theirs])).failures, [])
  const next = await start(t, place.file({ policies: [rule(L, 'late.example'), clear] }))
  t.match(
    await next.status(),
    { state: 'maintenance', rules: 2 },
    'an agent that is started again waits as well',
  )
  t.ok(policiesOf(left).length > 1, 'and puts right what it can')
  meddle(left, (connection) => connection.send(policyDeletion(theirs)))
  await next.event('reloaded')
  t.match(await next.settle(), { state: 'online', rules: 2 })
  t.equal(await next.stop(), 0)
  await nothing()
})

t.test('an address that does not fit is no reason to ask no more', async (t) => {
  write()
  const agent = await start(t, place.file({ policies: [rule(L, 'late.example'), rule(L, 'later.example')] }))
  write('10.1.0.7 late.example', 'fd01::8 later.example')
  const unfit = /^1 error; nothing was changed\..* pairs\.$/
  await reached(agent, ({ problem = '' }) => unfit.test(problem))
  write('10.1.0.7 late.example', '10.1.0.8 later.example')
  await agent.event('reloaded')
  t.match(await agent.settle(), { state: 'online', rules: 2 })
  t.equal(await agent.stop(), 0)
  await nothing()
})

t.test('a file with other errors is refused', async (t) => {
  write()
  const bad = place.file({ policies: [rule(L, 'late.example'), rule(L, R), rule(L, '10.1.0.300')] })
  const failed = await AgentProcess.failWithNames(t, left, names, '--config', bad)
  t.match(failed, { code: 1, err: /2 errors; nothing was changed/ })
  t.notMatch(await listed(), /10\.1\.0\.2/)
})

t.test('no pipe and no flood in place of the file keeps the agent from its work', async (t) => {
  const file = place.file({ policies: [clear] })
  const agent = await start(t, file)
  rmSync(file)
  execFileSync('mkfifo', ['-m', '600', file])
  await t.rejects(agent.call('agent.reload'), { message: /is not a regular file$/ })
  rmSync(file)
  symlinkSync('/dev/zero', file)
  await t.rejects(agent.call('agent.reload'), { message: /is not a regular file$/ })
  rmSync(file)
  writeFileSync(file, '')
  truncateSync(file, 2 ** 30)
  await t.rejects(agent.call('agent.reload'), {
    message: /cannot be read \(it has more than 134217728 bytes\)$/,
  })
  t.match(await agent.status(), { state: 'maintenance', rules: 1 })
  t.equal(await agent.stop(), 0)
  await nothing()
})

t.test('a file with another error while names are awaited, and then a good one', async (t) => {
  write()
  const file = place.file({ policies: [rule(L, 'late.example'), clear] })
  const agent = await start(t, file)
  t.match(await agent.status(), { state: 'maintenance', rules: 1, dataPath: 'software' })
  writeFileSync(file, JSON.stringify({ policies: [rule(L, 'late.example'), { action: 'bypas' }] }))
  await t.rejects(agent.call('agent.reload'), { message: /^2 errors; nothing was changed/ })
  t.match(await agent.status(), { state: 'maintenance', rules: 1 })
  writeFileSync(file, JSON.stringify({ policies: [rule(L, R), clear] }))
  agent.signal('SIGHUP')
  await agent.event('reloaded')
  t.match(await agent.settle(), { state: 'online', rules: 2 })
  t.equal(await agent.stop(), 0)
  await nothing()
})

t.test('nobody waits for a name server that never answers', async (t) => {
  // As sockaddr_in: 127.0.0.1, port 53. What comes is never read.
  const deaf = left.visit(() => socket(AF_INET, SOCK_DGRAM, 0))
  t.teardown(() => close(deaf))
  bind(deaf, Uint8Array.of(AF_INET, 0, 0, 53, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0))
  // Longer than the test may take.
  writeFileSync(resolver, 'nameserver 127.0.0.1\noptions timeout:30 attempts:5\n')
  write(`${R} known.example`)
  const many = Array.from({ length: 80 }, (_, i) => rule(L, `host${i}.example`))
  const agent = await start(t, place.file({ policies: [...many, rule(L, 'known.example'), clear] }))
  t.match(await agent.status(), { state: 'maintenance', rules: 2, problem: /host7\.example and 72 more/ })
  t.match(await listed(), /10\.1\.0\.2/, 'what stands in a file is known')
  agent.signal('SIGHUP')
  await agent.settle()
  t.match(await agent.status(), { rules: 2 })
  t.equal(await agent.stop(), 0, 'nor when it is to end')
  await nothing()
})
