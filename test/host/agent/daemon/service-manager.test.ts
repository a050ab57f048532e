/** What a service manager hears, and from an agent whose configuration waits for a tunnel or a name. */
import { closeSync, mkdtempSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { notifyServiceManager } from '../../../../agent/daemon/service-manager.ts'
import * as libc from '../../../../netlink/libc/socket.ts'
import { AgentProcess } from '../../../support/agent-process.ts'
import { ConfigurationPlace } from '../../../support/configuration-place.ts'
import { type Teardown, TestNet } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { Station } from '../../../vm/support/station.ts'

t.setTimeout(120_000)
ownState(t)
const folder = mkdtempSync(join(tmpdir(), 'solipsec-notify-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'notify')
const fd = libc.socket(libc.AF_UNIX, libc.SOCK_DGRAM, 0)
libc.bind(fd, libc.unixAddress(path))
t.teardown(() => closeSync(fd))

function heard(): string {
  const bytes = Buffer.alloc(4096)
  return bytes.toString('utf8', 0, readSync(fd, bytes))
}

/** A host on which agents have a service manager. */
async function notifyingHost(t: Teardown) {
  const [station] = await Station.make(t, new TestNet(t), 1)
  process.env.NOTIFY_SOCKET = path
  t.teardown(() => {
    delete process.env.NOTIFY_SOCKET
  })
  return { station, place: new ConfigurationPlace(t, station) }
}

t.test('one assignment a line', async (t) => {
  notifyServiceManager(['READY=1', 'STATUS=one\nMAINPID=1'], { NOTIFY_SOCKET: path })
  t.equal(heard(), 'READY=1\nSTATUS=one MAINPID=1')
})

t.test('an agent that waits for a tunnel does not look well, and has all else in force', async (t) => {
  const { station, place } = await notifyingHost(t)
  const tunnel = { name: 'nope0', mode: 'tunnel' }
  const protect = { encryption: 'aes', authentication: 'sha256' }
  const agent = await AgentProcess.start(
    t,
    station,
    '--config',
    place.file({
      policies: [
        { remote: '203.0.113.5', action: 'drop' },
        { tunnel, protect },
      ],
    }),
  )
  t.match(heard(), /^READY=1\nSTATUS=[^\n]*nope0[^\n]*$/)
  t.match(await station.host.ip('xfrm policy'), /dst 203\.0\.113\.5\/32.*\n.*action block/)
  t.match(await agent.settle(), { state: 'maintenance', rules: 1 })
  t.equal(await agent.stop(), 0)
  t.equal(heard(), 'STOPPING=1')
})

t.test('an agent that waits for names, and for a tunnel as well', async (t) => {
  const { station, place } = await notifyingHost(t)
  const [hosts, resolver] = [join(folder, 'hosts'), join(folder, 'resolv.conf')]
  writeFileSync(hosts, '')
  writeFileSync(resolver, 'nameserver 127.0.0.1\n')
  const file = place.file({
    policies: [
      { remote: '203.0.113.5', action: 'drop' },
      { remote: 'late.example', action: 'drop' },
      { tunnel: { name: 'nope0', mode: 'tunnel' }, protect: { encryption: 'aes', authentication: 'sha256' } },
    ],
  })
  const agent = await AgentProcess.startWithNames(t, station, { hosts, resolver }, '--config', file)
  t.match(heard(), /^READY=1\nSTATUS=No address is known for late\.example\.[^\n]*nope0[^\n]*$/)
  t.match(await agent.settle(), { state: 'maintenance', rules: 1 })
  t.match(
    (await agent.event('maintenance')).message,
    /tried again when interfaces change, and when names have/,
  )
  writeFileSync(hosts, '203.0.113.6 late.example\n')
  await agent.event('maintenance')
  t.match(
    heard(),
    /^STATUS=The configuration could not be loaded[^\n]*nope0[^\n]*$/,
    'the state is told as it changes',
  )
  t.match(await agent.settle(), { state: 'maintenance', rules: 2, problem: /nope0/ })
  t.match(await station.host.ip('xfrm policy'), /dst 203\.0\.113\.6\/32.*\n.*action block/)
  t.equal(await agent.stop(), 0)
})
