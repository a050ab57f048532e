/**
 * `solipsec convert --to iproute2`: what the real `ip` makes of it is what ipsecconf installs.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import { batchFor, kernelOf, loadBatch } from '../../../support/batch.ts'
import { makePlace } from '../../../support/ipsecconf-place.ts'
import { makeNetns, skip } from '../../netlink/namespace.ts'

type Tap = Parameters<typeof makePlace>[0]

/** A namespace that forwards nothing and has an address. */
function prepare(netns: string): string {
  const lines = ['link set lo up', 'addr add 192.0.2.1/24 dev lo']
  for (const line of lines) execFileSync('ip', ['-n', netns, ...line.split(' ')])
  const closed = ['all', 'default', 'lo'].map((name) => `net.ipv4.conf.${name}.forwarding=0`)
  execFileSync('ip', ['netns', 'exec', netns, 'sysctl', '-qw', ...closed])
  return netns
}

/** The same rules by ipsecconf, and by ip in another namespace. */
async function bothWays(t: Tap, rules: string) {
  const place = makePlace(t)
  prepare(place.netns)
  const file = place.file('policy', rules)
  const { status, stdout, stderr } = batchFor(place.netns, '--kind', 'ipsecinit.conf', file)
  if (status !== 0) throw new Error(stderr)
  await place.ok(`-qa ${file}`)
  const other = prepare(makeNetns(t))
  loadBatch(other, stdout)
  return { own: kernelOf(place.netns).policies, foreign: kernelOf(other).policies }
}

const ESP = 'encr_algs aes(256) encr_auth_algs sha256'

t.test('IPv4: the same policies, bit by bit', { skip }, async (t) => {
  const { own, foreign } = await bothWays(
    t,
    `{laddr 192.0.2.1 raddr 198.51.100.0/24 ulp tcp rport 23} ipsec {${ESP} sa shared}
{laddr 192.0.2.1 raddr 10.1.0.0/16} ipsec {auth_algs sha256 ${ESP}} or ipsec {encr_algs aes-gcm}
{raddr 10.2.0.0/16 ulp udp lport 514} ipsec {encr_algs any}
{raddr 10.3.0.1} ipsec {${ESP} sa unique} or pass {}
{raddr 10.4.0.0/24 dir in} drop {}
{laddr 192.0.2.1 ulp tcp lport 22 dir both} bypass {}
{raddr 10.5.0.1 ulp icmp type 8 code 0} ipsec {auth_algs md5}
{raddr 10.6.0.1 ulp sctp lport 1 rport 2} ipsec {auth_algs any}
{raddr 10.7.0.1 ulp 89} ipsec {${ESP}}
`,
  )
  t.ok(own.length > 40, `${own.length}`)
  t.same(foreign, own)
})

/** What is said of each ICMP type and some codes, in place of masks; of two that are alike, the one that comes first. */
function oneByOne(policies: readonly XfrmMessage<'NEWPOLICY'>[]): Map<string, string> {
  const best = new Map<string, { readonly priority: number; readonly content: string }>()
  for (const { body, attributes } of policies) {
    const { sel, priority, action, dir } = body
    const { sport, sport_mask, dport, dport_mask, ...ends } = sel
    const { mark, tmpl } = attributes
    const isIcmp = sel.proto === 58 || sel.proto === 1
    const types = isIcmp ? Array.from({ length: 256 }, (_, type) => type) : [sport]
    for (const type of types.filter((one) => (one & sport_mask) === sport)) {
      const codes = isIcmp ? [0, 1, 2, 3, 4, 7, 255] : [dport]
      for (const code of codes.filter((one) => (one & dport_mask) === dport)) {
        const ports = isIcmp ? [] : [sport_mask, dport_mask]
        const key = JSON.stringify([dir, ends, type, code, ports, mark])
        const known = best.get(key)
        if (known && known.priority <= priority) continue
        best.set(key, { priority, content: JSON.stringify([priority, action, tmpl]) })
      }
    }
  }
  return new Map([...best].map(([key, { content }]) => [key, content]))
}

t.test('IPv6 and ICMP: the same, with types one by one', { skip }, async (t) => {
  const { own, foreign } = await bothWays(
    t,
    `{raddr 2001:db8::/32 ulp tcp rport 443} ipsec {${ESP}}
{raddr 2001:db8:1::1 ulp ipv6-icmp type 128-130 code 0-3} ipsec {encr_algs aes}
{raddr 2001:db8:2::/48 ulp ipv6-icmp type 134} bypass {}
{raddr 10.0.0.1 ulp icmp type 3-18} ipsec {auth_algs sha512}
{raddr 10.0.0.1 ulp icmp type 0-254 dir in} drop {}
`,
  )
  t.ok(foreign.length > own.length)
  const [wanted, found] = [oneByOne(own), oneByOne(foreign)]
  t.equal(found.size, wanted.size)
  const different = [...wanted].filter(([key, content]) => found.get(key) !== content)
  t.same(different.slice(0, 3), [])
})

t.test('what cannot be said is listed, and nothing is written', { skip }, async (t) => {
  const place = makePlace(t)
  prepare(place.netns)
  const file = place.file(
    'policy',
    `{raddr 10.0.0.1} ipsec {${ESP}}\n# ports of all\n{lport 22 dir both} bypass {}\n`,
  )
  const output = join(place.folder, 'batch')
  writeFileSync(output, 'as it was')
  const refused = batchFor(place.netns, '-o', output, file)
  t.match(refused, { status: 1, stdout: '' })
  t.match(
    refused.stderr,
    /policy:3: not said: .*UDP-Lite.*\n {4}\{lport 22 dir both\} bypass \{\}\n.*--partial/s,
  )
  t.equal(execFileSync('cat', [output], { encoding: 'utf8' }), 'as it was')
  const partial = batchFor(place.netns, '--partial', file)
  t.equal(partial.status, 0)
  t.match(partial.stdout, /^# .*policy:3: not said: /m)
  t.match(partial.stdout, /^# +\{lport 22 dir both\} bypass \{\}$/m)
  loadBatch(place.netns, partial.stdout)
  t.ok(kernelOf(place.netns).policies.length > 0)
  t.notOk(kernelOf(place.netns).policies.some(({ body }) => body.sel.sport === 22 || body.sel.dport === 22))
})
