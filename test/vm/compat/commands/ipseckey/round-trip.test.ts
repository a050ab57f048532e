import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { twoHosts } from '../../../../support/namespaces.ts'
import { KeyLines, V4, V6 } from './key-lines.ts'
import { Commands } from './support.ts'

t.setTimeout(250_000)

const everyKind = [
  'proto 4 isrc 10.1.0.0/16 idst 10.2.0.0/16',
  'proto 4 isrc 10.1.2.3 idst 10.2.0.0/16 iproto tcp isport 80 idport 1024',
  'proto 41 isrc 2001:db8:a::/48 idst 2001:db8:b::/64',
  'proto tcp sport 1000 dport 80',
  'proto udp',
  'proto icmp',
  'soft_bytes 1000 hard_bytes 2000000 soft_addtime 5000 hard_addtime 6000 soft_usetime 100 hard_usetime 200',
  'hard_bytes 5000000000',
  'soft_alloc 7 hard_alloc 9 idle_addtime 60 idle_usetime 90',
  'srcidtype fqdn left.example.net dstidtype user_fqdn "joe of right"',
  'replay 32',
  'replay 32 replay_value 77',
  'replay 33',
  'replay 64 replay_value 4000000000',
  'replay 4096',
  'replay 0 replay_value 12',
  'outbound',
  'encap udp nat_loc 192.0.2.1 nat_rem 192.0.2.2',
  'encap udp nat_loc 192.0.2.1 nat_rem 192.0.2.2 nat_lport 4500 nat_rport 1024',
]

function* richSet(): Generator<string> {
  const lines = new KeyLines()
  const add = (protocol: string, rest: string) => lines.add(protocol, rest)
  yield* lines.everyAlgorithm()
  for (const kind of everyKind) yield add('esp', `${V4} ${kind} ${lines.aes()}`)
  yield add(
    'esp',
    `${V6} encap udp nat_loc 2001:db8::1 nat_rem 2001:db8::2 nat_lport 4501 nat_rport 1025 ${lines.aes()}`,
  )
  yield add('esp', `${V6} proto 41 isrc 2001:db8:a::/48 idst 2001:db8:b::/64 ${lines.aes()}`)
  yield add('esp', `dst 192.0.2.2 ${lines.aes()}`)
  yield add('ah', `src 198.51.100.1 dst 198.51.100.2 inbound ${lines.sha256()}`)
  yield add('esp', `src 192.0.2.2 dst 192.0.2.1 ${lines.aes()}`)
  yield add('esp', `${V4} pair-spi ${lines.spi} ${lines.aes()}`)
}

t.test('save, flush, and loading what was saved give the same SADB', async (t) => {
  const { left } = await twoHosts(t)
  const commands = new Commands(t, left.namespace)
  const lines = [...richSet()]
  await commands.loaded(lines.join('\n'))
  const before = commands.states()
  t.equal(before.length, lines.length)
  const shown = await commands.dump()
  const saved = join(commands.folder, 'saved')
  await commands.done(`-s ${saved}`)
  t.equal(statSync(saved).mode & 0o777, 0o600)
  await commands.done('flush')
  t.same(commands.states(), [])
  await commands.done(`-f ${saved}`)
  const after = commands.states()
  t.equal(after.length, before.length)
  after.forEach((state, i) => {
    t.same(state, before[i], `spi ${state.body.id.spi}`)
  })
  for (const [spi, one] of await commands.dump()) {
    const { current: _now, ...now } = one
    const { current: _then, ...then } = shown.get(spi) ?? {}
    t.same(now, then, `spi ${spi} with its notes`)
  }
  const again = join(commands.folder, 'again')
  await commands.done(`save all ${again}`)
  t.same(entries(again), entries(saved), 'the same text')
  t.same(entries(saved).length, lines.length + 1, 'nothing left out')
})

/** Which half of a pair names the other depends on the order in which the kernel tells them. */
function entries(file: string): string[] {
  return readFileSync(file, 'utf8')
    .replaceAll(/ pair-spi 0x\w+/g, '')
    .split(/^$/m)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .sort()
}
