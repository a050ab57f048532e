/** Real connections across changes of rules on this kernel: who is told of, who keeps its policy, and until when. */
import { openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConnections } from '../../../../agent/latch/connections.ts'
import type { Pin } from '../../../../agent/latch/pins.ts'
import { decodeState } from '../../../../agent/reconcile/policy-state.ts'
import { helperName } from '../../../../agent/runtime/helper.ts'
import { BAND } from '../../../../agent/translate/priorities.ts'
import { run } from '../../../../compat/commands/solipsec.ts'
import { enterNetns } from '../../../../netlink/libc/netns.ts'
import { XfrmConnection } from '../../../../netlink/xfrm/connection.ts'
import { captureIo } from '../../../compat/commands/support/capture-io.ts'
import { violations } from '../../../schemas/support.ts'
import { ConfigurationPlace } from '../../../support/configuration-place.ts'
import { TestNet } from '../../../support/namespaces.ts'
import { OpenConnection, type Place } from '../../../support/open-connection.ts'
import { ownState } from '../../../support/own-state.ts'
import { until } from '../../../vm/support/sockets.ts'
import { Station } from '../../../vm/support/station.ts'

t.setTimeout(240_000)
ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, ['10.1.0.1/24', 'fd01::1/64'], ['10.1.0.2/24', 'fd01::2/64'])
const here: Place = { station: left, address: '10.1.0.1' }
const there: Place = { station: right, address: '10.1.0.2' }
const here6: Place = { station: left, address: 'fd01::1' }
const there6: Place = { station: right, address: 'fd01::2' }

const home = openSync('/proc/thread-self/ns/net', 'r')
const NO_TELNET = '{ulp tcp rport 23 dir both} drop {}\n'
const NO_SSH = '{ulp tcp rport 22 dir both} drop {}\n'
const PATIENCE_MS = 15_000

async function load(text: string, ...options: string[]): Promise<string> {
  const { code, out, err } = await left.ipsecconf([...options, '-F', '-a', '-'], text)
  if (code !== 0) throw new Error(err)
  return out
}

async function explain(question: string): Promise<{ code: number; out: string }> {
  const io = captureIo()
  const where = ['--netns', left.host.namespace, '--datapath', 'kernel']
  const code = await run(['explain', ...where, ...question.split(' ')], io)
  enterNetns(home)
  return { code, out: io.out() }
}

function pinPolicies(): number {
  return left.visit(() => {
    const connection = XfrmConnection.open()
    try {
      return connection
        .policies()
        .filter(({ body }) => body.priority >= BAND.pin && body.priority < BAND.system).length
    } finally {
      connection.close()
    }
  })
}

const pins = (): readonly Pin[] => decodeState(readFileSync(join(left.folder, 'policy.json'), 'utf8')).pins
const livePins = () => pins().filter(({ isEnded }) => !isEnded)

/** Programs that watch the pins of the left host. One that has ended, but was not looked after yet, does not. */
function holders(): number {
  const own = left.visit(() => readlinkSync('/proc/thread-self/ns/net'))
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const isHolder = status.startsWith(`Name:\t${helperName.latch}\n`) && !/^State:\s+[ZX]/m.test(status)
      return isHolder && readlinkSync(`/proc/${pid}/ns/net`) === own
    } catch {
      return false
    }
  }).length
}

t.afterEach(async () => {
  await left.policy('', '--latch', 'off')
})

t.test('connections are told of as they are', async (t) => {
  const four = OpenConnection.open(here, there, 22)
  const six = OpenConnection.open(here6, there6, 22)
  const found = left.visit(readConnections)
  t.same(found.map(({ protocol, remotePort, local }) => `${protocol} ${remotePort} ${local.family}`).sort(), [
    '6 22 inet',
    '6 22 inet6',
  ])
  four.close()
  t.equal(left.visit(readConnections).length, 1)
  six.close()
})

t.test('without latching, the warning names the connections, and the rules reach them', async (t) => {
  const telnet = OpenConnection.open(here, there, 23)
  const other = OpenConnection.open(here, there, 80)
  const said = await load(NO_TELNET)
  t.match(said, /^WARNING : New policy applies to established connections at once/)
  t.match(said, /\nThese connections are concerned:\n {2}tcp 10\.1\.0\.1:\d+ - 10\.1\.0\.2:23\nPolicy set/)
  t.notOk(telnet.passes(false))
  t.ok(other.passes(true))
  t.equal(pinPolicies(), 0)
  t.notMatch(await load(NO_TELNET), /WARNING/, 'nothing changes')
  t.match(await load(NO_SSH), /concerned:\n {2}tcp 10\.1\.0\.1:\d+ - 10\.1\.0\.2:23\n/, 'and back again')
  t.ok(telnet.passes(true))
  telnet.close()
  other.close()
})

t.test('with latching, a connection goes on, and new ones go by the new rules', async (t) => {
  const telnet = OpenConnection.open(here, there, 23)
  const telnet6 = OpenConnection.open(here6, there6, 23)
  const said = await load(NO_TELNET, '--latch', 'on')
  t.match(said, /^WARNING : New policy applies to connections that begin from now on/)
  t.match(said, /\[fd01::1\]:\d+ - \[fd01::2\]:23\n/)
  t.equal(livePins().length, 2)
  t.ok(telnet.passes(true))
  t.ok(telnet6.passes(true))
  t.equal(OpenConnection.tryOpen(here, there, 23), undefined)
  const port = livePins().find(({ local }) => local.family === 'inet')?.localPort ?? 0
  const explained = await explain(`10.1.0.1 10.1.0.2 tcp ${port} 23`)
  t.match(explained, { code: 0, out: /IN CLEAR/ })
  t.match(explained.out, /Decides\n.*its connection began under \(latching\)/)
  t.match(await explain(`10.1.0.1 10.1.0.2 tcp ${port === 1025 ? 1026 : 1025} 23`), { out: /DROPPED/ })
  t.ok(
    until(() => (holders() > 0 ? true : undefined), PATIENCE_MS),
    'somebody watches',
  )
  t.match(await load(`${NO_TELNET}${NO_SSH}`), /WARNING/)
  t.ok(telnet.passes(true), 'across further changes')
  t.equal(livePins().length, 2)
  telnet.close()
  t.ok(
    until(() => (livePins().length === 1 ? true : undefined), PATIENCE_MS),
    'the pin ends with the connection',
  )
  t.equal(pinPolicies(), 2)
  telnet6.close()
  t.ok(until(() => (pinPolicies() === 0 ? true : undefined), PATIENCE_MS))
  t.ok(
    until(() => (holders() === 0 ? true : undefined), PATIENCE_MS),
    'and nobody watches any more',
  )
  t.equal(pins().length, 2, 'the classes of SAs wait for the next change')
  await load(NO_TELNET)
  t.equal(pins().length, 0)
})

t.test('another connection between the same ports has no part in it', async (t) => {
  const first = OpenConnection.open(here, there, 23, 5023)
  await load(NO_TELNET, '--latch', 'on')
  t.ok(first.passes(true))
  first.close()
  t.ok(until(() => (pinPolicies() === 0 ? true : undefined), PATIENCE_MS))
  t.equal(OpenConnection.tryOpen(here, there, 23, 5023), undefined)
})

t.test('a dropped connection stays dropped, and ipsecconf -F ends all of it', async (t) => {
  const telnet = OpenConnection.open(here, there, 23)
  const ssh = OpenConnection.open(here, there, 22)
  await load(NO_SSH, '--latch', 'on')
  t.ok(ssh.passes(true))
  await load(NO_TELNET)
  t.ok(telnet.passes(true), 'a change that concerns another one')
  t.ok(ssh.passes(true))
  t.equal(livePins().length, 1, 'what the rules let pass needs no pin')
  await left.policy('')
  t.equal(pinPolicies(), 0)
  t.same(pins(), [])
  telnet.close()
  ssh.close()
})

t.test('a document: planned, applied, compared', async (t) => {
  const place = new ConfigurationPlace(t, left)
  const telnet = OpenConnection.open(here, there, 23)
  const policies = [{ protocol: 'tcp', remotePort: 23, direction: 'both', action: 'drop' }]
  const document = { latch: 'on', policies }
  const planned = await place.command('plan', document)
  t.match(
    planned.out,
    /\nTunables\n {2}~ latch off => on\n\nConnections that keep .*\n {2}tcp 10\.1\.0\.1:\d+ - 10\.1\.0\.2:23\n/,
  )
  const json = await place.command('plan --json', document)
  t.same(violations('solipsec-plan.schema.json', json.out), [])
  t.match(JSON.parse(json.out), {
    latch: { to: 'on' },
    connections: [{ remote: '10.1.0.2:23', latched: true }],
  })
  await place.apply(document)
  t.ok(telnet.passes(true))
  t.equal((await place.command('diff', document)).code, 0)
  const off = await place.command('diff --json', { latch: 'off' })
  t.same([off.code, violations('solipsec-diff.schema.json', off.out)], [1, []])
  await place.apply({ latch: 'off' })
  t.equal(pinPolicies(), 0, 'without latching there are no pins')
  t.notOk(telnet.passes(false))
  telnet.close()
})
