/**
 * `solipsec convert --to iproute2`: SAs and policies that the real `ip` makes of it are those of ipseckey and ipsecconf.
 */
import t from 'tap'
import { batchFor, kernelOf, loadBatch } from '../../../support/batch.ts'
import { twoHosts } from '../../../support/namespaces.ts'
import { KeyLines, V4 } from '../commands/ipseckey/key-lines.ts'
import { Commands } from '../commands/ipseckey/support.ts'

t.setTimeout(250_000)

const everyKind = [
  'proto 4 isrc 10.1.0.0/16 idst 10.2.0.0/16',
  'proto 4 isrc 10.1.2.3 idst 10.2.0.0/16 iproto tcp isport 80 idport 1024',
  'proto 41 isrc 2001:db8:a::/48 idst 2001:db8:b::/64',
  'proto tcp sport 1000 dport 80',
  'proto icmp',
  'soft_bytes 1000 hard_bytes 2000000 soft_addtime 5000 hard_addtime 6000 soft_usetime 100 hard_usetime 200',
  'hard_bytes 5000000000',
  'replay 32',
  'replay 33',
  'replay 4096',
  'replay 0 replay_value 12',
  'outbound',
  'encap udp nat_loc 192.0.2.1 nat_rem 192.0.2.2 nat_rport 1024 outbound',
]

const RULES = `{laddr 192.0.2.1 raddr 192.0.2.2} ipsec {encr_algs aes(256) encr_auth_algs sha256} or ipsec {auth_algs sha256}
{raddr 198.51.100.0/24} ipsec {encr_algs any}
{laddr 192.0.2.1 ulp tcp lport 22 dir both} bypass {}
{tunnel tun0 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16} ipsec {encr_algs aes encr_auth_algs sha256}
`

t.test('every kind of SA, the policies that choose among them, a tunnel', async (t) => {
  const { left, right } = await twoHosts(t)
  for (const host of [left, right]) {
    await host.ip('link add tun0 type ipip local 192.0.2.1 remote 192.0.2.2')
    await host.ip('addr add 192.0.2.1/32 dev lo')
    await host.exec('sysctl', ['-qw', 'net.ipv4.conf.all.forwarding=0'])
  }
  const commands = new Commands(t, left.namespace)
  const all = new KeyLines()
  const lines = [...all.everyAlgorithm(3)]
  for (const kind of everyKind) lines.push(all.add('esp', `${V4} ${kind} ${all.aes()}`))
  lines.push(all.add('ah', `src 198.51.100.1 dst 198.51.100.2 inbound ${all.sha256()}`))
  lines.push(all.add('esp', `src 192.0.2.2 dst 192.0.2.1 ${all.aes()}`))
  const keys = commands.file(lines.join('\n'))
  const rules = commands.file(RULES)
  const converted = batchFor(left.namespace, '--partial', rules, keys)
  t.equal(converted.status, 0, converted.stderr)
  const unsaid = converted.stderr.split('\n').filter((line) => line.includes('not said'))
  t.match(unsaid, [/only the SA itself: the kernel has no place for addresses of address translation/])
  t.equal(unsaid.length, 1)
  await commands.policy(RULES)
  await commands.done(`-f ${keys}`)
  loadBatch(right.namespace, converted.stdout)
  const [own, foreign] = [kernelOf(left.namespace), kernelOf(right.namespace)]
  t.equal(own.states.length, lines.length)
  const bySpi = (states: typeof own.states) => new Map(states.map((state) => [state.body.id.spi, state]))
  const there = bySpi(foreign.states)
  for (const [spi, state] of bySpi(own.states)) t.same(there.get(spi), state, `spi ${spi}`)
  t.equal(foreign.states.length, own.states.length)
  const ordered = (policies: typeof own.policies) =>
    policies
      .map(({ body: { index: _, ...body }, attributes }) => ({ body, attributes }))
      .map((one) => JSON.stringify(one, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
      .sort()
  t.same(ordered(foreign.policies), ordered(own.policies))
})
