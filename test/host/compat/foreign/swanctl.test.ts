/**
 * `solipsec convert --to swanctl.conf`: strongSwan itself reads all of it, and makes the policies that were asked for.
 */
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { toForeign } from '../../../../compat/foreign/index.ts'
import { temporaryFolder } from '../../../compat/commands/support/temporary.ts'
import { hostWith, inputOf } from '../../../compat/foreign/support.ts'
import { lackingStrongSwan, loadConnections } from '../../../support/charon.ts'
import { makeNetns, skip } from '../../netlink/namespace.ts'

t.setTimeout(120_000)
const reason = skip || lackingStrongSwan() || false

function load(t: Parameters<typeof temporaryFolder>[0] & Parameters<typeof makeNetns>[0], policy: string) {
  const netns = makeNetns(t)
  for (const line of ['link set lo up', 'addr add 192.0.2.1/24 dev lo', 'route add default dev lo']) {
    execFileSync('ip', ['-n', netns, ...line.split(' ')])
  }
  const { text } = toForeign('swanctl.conf', inputOf(policy), hostWith(['tun0']))
  return loadConnections(netns, temporaryFolder(t), text)
}

const ESP = 'encr_algs aes(256) encr_auth_algs sha256'

t.test('policies as asked for', { skip: reason }, (t) => {
  const { status, said, policies } = load(
    t,
    `{laddr 192.0.2.1 raddr 198.51.100.7 ulp tcp rport 23} ipsec {${ESP}}
{laddr 192.0.2.1 raddr 10.0.0.0/8 ulp udp} ipsec {auth_algs sha256}
{laddr 2001:db8::1 raddr 2001:db8::2} ipsec {encr_algs aes-gcm}
{tunnel tun0 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16} ipsec {${ESP}}
{laddr 192.0.2.0/24 lport 22 ulp tcp dir both} bypass {}
{raddr 203.0.113.0/24 dir both} drop {}
`,
  )
  t.equal(status, 0, said)
  const shown = policies.map((one) => one.replace(/ ptype main| reqid \d+/g, ''))
  t.same(
    shown,
    [
      'src 192.0.2.1/32 dst 198.51.100.7/32 proto tcp dport 23 dir out priority 2 tmpl src 0.0.0.0 dst 0.0.0.0 proto esp mode transport',
      'src 198.51.100.7/32 dst 192.0.2.1/32 proto tcp sport 23 dir in priority 2 tmpl src 0.0.0.0 dst 0.0.0.0 proto esp mode transport',
      ...shown.filter((one) => / proto ah /.test(one)),
      'src 2001:db8::1/128 dst 2001:db8::2/128 dir out priority 3 tmpl src :: dst :: proto esp mode transport',
      'src 2001:db8::2/128 dst 2001:db8::1/128 dir in priority 3 tmpl src :: dst :: proto esp mode transport',
      'src 10.1.0.0/16 dst 10.2.0.0/16 dir out priority 4 tmpl src 192.0.2.1 dst 198.51.100.1 proto esp mode tunnel',
      'src 10.2.0.0/16 dst 10.1.0.0/16 dir in priority 4 tmpl src 198.51.100.1 dst 192.0.2.1 proto esp mode tunnel',
      'src 10.2.0.0/16 dst 10.1.0.0/16 dir fwd priority 4 tmpl src 198.51.100.1 dst 192.0.2.1 proto esp mode tunnel',
      'src 192.0.2.0/24 dst 0.0.0.0/0 proto tcp sport 22 dir out priority 1',
      'src 0.0.0.0/0 dst 192.0.2.0/24 proto tcp dport 22 dir in priority 1',
      'src 0.0.0.0/0 dst 192.0.2.0/24 proto tcp dport 22 dir fwd priority 1',
      'src 0.0.0.0/0 dst 203.0.113.0/24 dir out action block priority 6',
      'src 203.0.113.0/24 dst 0.0.0.0/0 dir in action block priority 6',
      'src 203.0.113.0/24 dst 0.0.0.0/0 dir fwd action block priority 6',
    ].sort(),
  )
  const open = shown.filter((one) => / proto ah /.test(one))
  t.equal(open.length, 2)
  for (const one of open) {
    t.match(
      one,
      /^src (192\.0\.2\.1\/32 dst 10\.0\.0\.0\/8 proto udp dir out|10\.0\.0\.0\/8 dst 192\.0\.2\.1\/32 proto udp dir in) /,
    )
    const priority = Number(/ priority (\d+)/.exec(one)?.[1])
    t.ok(priority > 100_000 && priority < 1_000_000, "strongSwan's own priorities lie between")
  }
  t.end()
})

t.test('every name of an algorithm', { skip: reason }, (t) => {
  const actions = [
    'ipsec {encr_algs any}',
    'ipsec {encr_algs any encr_auth_algs any}',
    'ipsec {encr_algs null encr_auth_algs any}',
    'ipsec {encr_algs null-aes-gmac}',
    'ipsec {auth_algs any}',
  ]
  const rules = actions.map((action, i) => `{laddr 192.0.2.1 raddr 198.51.100.${i + 1}} ${action}\n`)
  const { status, said, policies } = load(t, rules.join(''))
  t.equal(status, 0, said)
  t.equal(policies.length, 2 * actions.length)
  t.end()
})
