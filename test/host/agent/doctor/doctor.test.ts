/** The command on this kernel, in a namespace of its own whose settings bite. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Finding } from '../../../../agent/doctor/finding.ts'
import { violations } from '../../../schemas/support.ts'
import { TestNet } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { root } from '../../../support/tiers.ts'

ownState(t)
const net = new TestNet(t)
const host = await net.host()

function doctor(argv: readonly string[] = [], uid?: number) {
  const where = uid === undefined ? ['--netns', host.namespace] : []
  const options = { encoding: 'utf8', ...(uid !== undefined && { uid, gid: uid }) } as const
  return spawnSync(join(root, 'bin', 'solipsec'), ['doctor', ...where, ...argv], options)
}

function examine(uid?: number) {
  const { stdout, stderr, status } = doctor(['--json'], uid)
  const { findings } = JSON.parse(stdout) as { findings: Finding[] }
  const by = (subject: string) => findings.find((finding) => finding.subject === subject)
  return { stdout, stderr, status, findings, by }
}

t.test('this kernel, as far as any machine for tests has it', async (t) => {
  const { stdout, stderr, status, findings, by } = examine()
  t.same([status, stderr], [0, ''])
  t.same(violations('solipsec-doctor.schema.json', stdout), [])
  t.match(by('XFRM'), { state: 'ok' })
  t.match(by('CAP_NET_ADMIN'), { state: 'ok' })
  t.match(by('TUN device'), { state: 'ok' })
  t.match(by('steering of packets'), { state: 'ok' })
  t.match(by('socket policy (IPv4)'), { state: 'ok' })
  t.match(by('of solipsec'), { meaning: '0 policies and 0 SAs are loaded.' })
  t.equal(findings.filter(({ state }) => state === 'problem').length, 0)
  const esp = by('ESP for IPv4')
  if (esp?.state === 'ok') t.comment('this kernel has ESP: what is said without it, unit tests tell')
  else {
    t.match(esp, {
      state: 'warning',
      meaning: /software data path takes its place/,
      wayOut: [/esp4|INET_ESP/],
    })
    t.match(by('tunnel mode (IPv4)'), { isKnown: false }, 'nothing to try it with')
    t.match(by('aes-cbc (cbc(aes))'), { state: 'ok', meaning: /^The software data path has it/ })
  }
})

t.test('settings that bite', async (t) => {
  // Tunnels, which many kernels for tests lack, have the tier of virtual machines.
  await host.ip(
    'link add name eth7 type veth peer name eth8',
    'xfrm policy setdefault in block',
    'xfrm policy add src 10.0.0.1/32 dst 10.0.0.2/32 dir out action block priority 7',
  )
  const settings = [
    'net.ipv4.conf.eth7.disable_xfrm=1',
    'net.ipv4.conf.eth7.disable_policy=1',
    'net.ipv4.conf.all.accept_redirects=1',
    'net.core.xfrm_larval_drop=0',
    'net.core.xfrm_acq_expires=0',
    'net.ipv4.ipfrag_high_thresh=0',
    'net.ipv4.ipfrag_low_thresh=0',
    'net.ipv4.ip_no_pmtu_disc=3',
    'net.ipv6.conf.all.disable_ipv6=1',
  ]
  // The last of a pair cannot be below the first.
  for (const setting of [...settings, ...settings]) await host.exec('sysctl', ['-qw', setting])
  const { status, by } = examine()
  t.equal(status, 1)
  t.match(by('net.ipv4.conf.eth7.disable_xfrm'), {
    state: 'problem',
    wayOut: ['sysctl -w net.ipv4.conf.eth7.disable_xfrm=0', /sysctl\.d/],
  })
  t.match(by('net.ipv4.conf.eth7.disable_policy'), { state: 'problem' })
  t.match(by('net.ipv4.ipfrag_high_thresh'), { state: 'problem' })
  t.match(by('net.ipv4.ip_no_pmtu_disc'), { state: 'warning' })
  t.match(by('net.core.xfrm_larval_drop'), { state: 'note' })
  t.match(by('net.core.xfrm_acq_expires'), { state: 'warning' })
  t.match(by('net.ipv6.conf.eth7.disable_ipv6'), { state: 'note' })
  t.match(by('net.ipv4.conf.all.accept_redirects'), { state: 'note' })
  t.match(by('default policy'), { state: 'problem', meaning: /\(in\)/ })
  t.match(by('of other programs'), { state: 'note', meaning: /1 policy and 0 SAs/ })
  const text = doctor()
  t.equal(text.status, 1)
  t.match(text.stdout, /\nSETTINGS {2}\d+ ok\n[\s\S]* {2}PROBLEM {2}net\.ipv4/)
  t.match(text.stdout, /\n4 problems: default policy, net\.ipv4\.conf\.eth7\.disable_xfrm, /)
})

t.test('the ways out are ways out', async (t) => {
  const { findings } = examine()
  const commands = findings
    .filter(({ state, group }) => state === 'problem' || group === 'settings')
    .flatMap(({ wayOut }) => wayOut.filter((way) => /^(sysctl -w|ip xfrm policy setdefault)/.test(way)))
  t.ok(commands.length >= 9)
  for (const command of commands) {
    const [name = '', ...args] = command.split(' ')
    t.match(await host.exec(name, args), { status: 0 }, command)
  }
  const after = examine()
  t.same([after.status, after.findings.filter(({ state }) => state === 'problem')], [0, []])
  t.same(
    after.findings
      .filter(({ group, state }) => group === 'settings' && state !== 'ok')
      .map(({ subject }) => subject),
    [],
  )
})

t.test('ports of key management', async (t) => {
  await host.udpEcho(4500)
  t.match(examine().by('UDP 4500'), { state: 'note', meaning: /\(\d+\) has it: key management/ })
})

t.test('without root, it says what it could not look at', async (t) => {
  const run = process.env.SOLIPSEC_RUN_DIR ?? ''
  mkdirSync(run, { recursive: true })
  chmodSync(join(run, '..'), 0o755)
  const { status, stderr, by, findings } = examine(65_534)
  t.same([status, stderr], [0, ''])
  t.match(by('CAP_NET_ADMIN'), { state: 'note', wayOut: ['run as root: sudo solipsec doctor'] })
  t.match(by('XFRM'), { isKnown: false, meaning: 'Not looked at: not permitted (EPERM).' })
  t.match(by('of other programs'), { isKnown: false })
  t.match(by('SAs of the rules'), { isKnown: false, meaning: 'Not looked at: not permitted.' })
  t.notOk(
    findings.some(({ group, state }) => group === 'kernel' && state === 'ok'),
    'nothing is claimed',
  )
})
