/** The command on a stock kernel: it has ESP, AH, tunnels and every algorithm of the table. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import type { Finding } from '../../../../agent/doctor/finding.ts'
import { violations } from '../../../schemas/support.ts'
import { TestNet } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { root } from '../../../support/tiers.ts'

// Loading some forty modules takes an emulated machine a minute.
t.setTimeout(400_000)
ownState(t)
const net = new TestNet(t)
const host = await net.host()

function examine() {
  const argv = ['doctor', '--json', '--netns', host.namespace]
  const { stdout, status } = spawnSync(join(root, 'bin', 'solipsec'), argv, { encoding: 'utf8' })
  t.same(violations('solipsec-doctor.schema.json', stdout), [])
  const { findings } = JSON.parse(stdout) as { findings: Finding[] }
  return { status, findings, by: (subject: string) => findings.find((one) => one.subject === subject) }
}

t.test('everything of IPsec is there', async (t) => {
  const { status, findings } = examine()
  const problems = findings.filter(({ state }) => state === 'problem')
  t.same([status, problems], [0, []])
  const ofKernel = findings.filter(({ group }) => group === 'kernel')
  t.equal(ofKernel.length, 19)
  const lacking = ofKernel
    .filter(({ state }) => state !== 'ok')
    .map(({ subject, meaning }) => [subject, meaning])
  // Linux 6.1 has words for errors of XFRM; what it lacks would be told here.
  t.same(lacking, [])
  const algorithms = findings.filter(({ group }) => group === 'algorithms')
  t.ok(algorithms.length >= 20)
  t.same([...new Set(algorithms.map(({ meaning }) => meaning))], ['The kernel has it.'])
  t.match(
    findings.filter(({ subject }) => subject === 'steering of packets' || subject === 'TUN device'),
    [{ state: 'ok' }, { state: 'ok' }],
  )
  for (const { subject, state, meaning } of findings)
    if (state !== 'ok') t.comment(`${state} ${subject}: ${meaning}`)
})

t.test('tunnels, SAs of others, and a strict reverse path filter', async (t) => {
  const ends = 'src 10.0.0.1 dst 10.0.0.2'
  const keys = 'auth hmac(sha1) 0x0102030405060708091011121314151617181920 enc cipher_null ""'
  await host.ip(
    'link add name eth7 type dummy',
    'link add name tun7 type ipip local 10.0.0.1 remote 10.0.0.2',
    `xfrm state add ${ends} proto esp spi 0x1001 mode tunnel ${keys}`,
  )
  for (const setting of ['all.rp_filter=0', 'eth7.rp_filter=1', 'tun7.disable_xfrm=1'])
    await host.exec('sysctl', ['-qw', `net.ipv4.conf.${setting}`])
  const { status, by } = examine()
  t.equal(status, 1)
  t.match(by('of other programs'), { state: 'note', meaning: /0 policies and 1 SA / })
  t.match(by('net.ipv4.conf.eth7.rp_filter'), { state: 'warning', wayOut: [/rp_filter=2$/, /./] })
  t.match(by('net.ipv4.conf.tun7.disable_xfrm'), { state: 'problem' })
  t.match(by('net.ipv4.ip_forward'), { state: 'note' })
})
