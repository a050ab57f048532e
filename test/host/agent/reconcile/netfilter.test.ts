/**
 * What the netfilter table is for, with packets: this host's own addresses are nobody else's, and packets that it
 * forwards are not held to its rules.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type Host, TestNet, twoHosts } from '../../../support/namespaces.ts'

if (process.geteuid?.() !== 0) t.bailout('needs root')

const IPSECCONF = fileURLToPath(new URL('../../../../../bin/ipsecconf', import.meta.url))
const runDir = mkdtempSync(join(tmpdir(), 'solipsec-netfilter-'))
t.teardown(() => rmSync(runDir, { recursive: true, force: true }))

function ipsecconf(host: Host, options: readonly string[], rules = ''): void {
  const { status, stderr } = spawnSync(IPSECCONF, ['--netns', host.namespace, '-q', ...options], {
    input: rules,
    encoding: 'utf8',
    env: { ...process.env, SOLIPSEC_RUN_DIR: runDir },
  })
  if (status !== 0) throw new Error(stderr)
}

async function table(host: Host): Promise<string> {
  return (await host.exec('nft', ['list', 'ruleset'])).stdout
}

t.test('nobody outside passes for this host itself over IPv6', async (t) => {
  const { left, right } = await twoHosts(t)
  const mine = 'fd00:5::1'
  await right.ip(`address add ${mine}/128 dev lo nodad`)
  await left.ip(`address add ${mine}/128 dev lo nodad`)
  await right.udpEcho(7777)
  ipsecconf(right, ['-a', '-'], '{ulp udp lport 7777 dir both} drop {}\n')
  await left.udpSend(right.address6, 7777, 'as another host', { timeout: 300 })
  await left.udpSend(right.address6, 7777, 'as you', { timeout: 300, from: mine })
  t.same(await right.received(7777), [])
  t.match(await table(right), /saddr type local drop/)
  await right.udpSend(mine, 7777, 'as myself', { timeout: 1000, from: mine })
  t.same(await right.received(7777), ['as myself'], "the host's traffic with itself passes")
  ipsecconf(right, ['-F'])
  t.equal(await table(right), '', 'the table goes with the rules')
})

t.test('a router does not hold what it forwards to its own rules', async (t) => {
  const net = new TestNet(t)
  const [west, router, east] = [await net.host(), await net.host(), await net.host()]
  await net.wire(west, router, ['10.71.0.2/24'], ['10.71.0.1/24'])
  await net.wire(router, east, ['10.72.0.1/24'], ['10.72.0.2/24'])
  await router.exec('sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
  await west.ip('route add 10.72.0.0/24 via 10.71.0.1')
  await east.ip('route add 10.71.0.0/24 via 10.72.0.1')
  await east.udpEcho(7777)
  ipsecconf(router, ['-a', '-'], '{ulp udp rport 7777 dir out} drop {}\n')
  t.match(await table(router), /fib daddr type unicast/)
  t.same(await west.udpSend('10.72.0.2', 7777, 'through', { timeout: 2000 }), { reply: 'through' })
  t.match(await router.udpSend('10.72.0.2', 7777, 'own', { timeout: 300 }), { error: /./ })
  t.same(await east.received(7777), ['through'])
})
