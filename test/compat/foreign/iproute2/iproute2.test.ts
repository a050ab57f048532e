/**
 * `--to iproute2`: golden texts; and whatever the rules and SAs are, each is said as it is meant, or listed.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { appendRules, emptyState } from '../../../../agent/reconcile/policy-edit.ts'
import { placedRules } from '../../../../agent/reconcile/policy-state.ts'
import type { KernelPolicy } from '../../../../agent/translate/kernel-policy.ts'
import { markLayout } from '../../../../agent/translate/marks.ts'
import { classesOf, translatePolicySet } from '../../../../agent/translate/policy-set.ts'
import { toForeign } from '../../../../compat/foreign/index.ts'
import { toIproute2 } from '../../../../compat/foreign/iproute2/index.ts'
import { action, dir } from '../../../../netlink/xfrm/constants.ts'
import { times } from '../../../support/fuzz.ts'
import { KEY_128, KEY_256 } from '../../configuration/support.ts'
import { rule } from '../../solaris/ipsecconf/arbitraries.ts'
import { associations } from '../../solaris/ipseckey/arbitrary.ts'
import { hostWith, inputOf, linesOf, numbered } from '../support.ts'
import { readPolicyLine } from './batch-language.ts'

const ESP = 'encr_algs aes(128) encr_auth_algs sha256'

t.test('a rule and its SA', (t) => {
  const input = inputOf(
    `{laddr 192.0.2.1 raddr 198.51.100.7 ulp tcp rport 23} ipsec {${ESP}}\n`,
    `add esp spi 0x1001 src 192.0.2.1 dst 198.51.100.7 encr_alg aes encrkey ${KEY_128} auth_alg sha256 authkey ${KEY_256}\n`,
  )
  const { lines, unsaid, remarks } = toIproute2(input, hostWith())
  t.same([unsaid, remarks], [[], []])
  t.same(lines.slice(-4), [
    'xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir in mark 0x8000000 mask 0x8000000 index 0x400000a8 action block priority 0x70000000',
    'xfrm policy add src 192.0.2.1/32 dst 198.51.100.7/32 proto 6 dport 23 dir out index 0x400000b1 action allow priority 0x30000203 tmpl src 0.0.0.0 dst 0.0.0.0 proto esp reqid 0x56a2d126 mode transport',
    'xfrm policy add src 198.51.100.7/32 dst 192.0.2.1/32 proto 6 sport 23 dir in index 0x400000b8 action allow priority 0x30000203 tmpl src 0.0.0.0 dst 0.0.0.0 proto esp reqid 0x56a2d126 mode transport',
    `xfrm state add src 192.0.2.1 dst 198.51.100.7 proto esp spi 0x1001 auth-trunc hmac(sha256) 0x${KEY_256} 128 enc cbc(aes) 0x${KEY_128} mode transport reqid 0x56a2d126 sel src 0.0.0.0/0 dst 0.0.0.0/0`,
  ])
  t.end()
})

const CASES: readonly (readonly [
  what: string,
  policy: string,
  keys: string,
  reason: RegExp,
  tunnels?: string[],
])[] = [
  ['ports of all protocols', '{lport 22 dir both} bypass {}', '', /UDP-Lite.*say ulp/],
  ['UDP-Lite', '{lport 22 ulp 136 dir both} bypass {}', '', /no ports for IP protocol 136$/],
  [
    'a tunnel that is not there',
    `{tunnel tun1 negotiate tunnel} ipsec {${ESP}}`,
    '',
    /Cannot find tunnel interface tun1/,
  ],
  [
    'the packets of a tunnel itself',
    `{tunnel tun0 negotiate transport} ipsec {${ESP}}`,
    '',
    /netfilter/,
    ['tun0'],
  ],
  [
    'a tunnel beside the rules',
    `{raddr 10.0.0.1} ipsec {${ESP}} or ipsec {auth_algs md5}`,
    '',
    /narrowed.*tun0/,
    ['tun0'],
  ],
  ['ESP in UDP', '', sa('encap udp nat_loc 192.0.2.1 nat_rem 10.0.0.1 inbound'), /UDP port/],
  ['what was received', '', sa('replay 32 replay_value 7'), /replayed/],
  [
    'idle limits and a pair',
    '',
    sa('idle_addtime 5 srcidtype fqdn a.b'),
    /only the SA itself.*idle limits, identities/,
  ],
]

function sa(more: string): string {
  return `add esp spi 0x1001 src 10.0.0.1 dst 192.0.2.1 encr_alg aes encrkey ${KEY_128} ${more}\n`
}

t.test('what cannot be said', (t) => {
  for (const [what, policy, keys, reason, tunnels] of CASES) {
    const { text, unsaid } = toForeign('iproute2', inputOf(`\n${policy}\n`, `\n${keys}`), hostWith(tunnels))
    t.equal(unsaid.length, 1, what)
    t.match(unsaid[0], { file: policy ? 'policy' : 'keys', line: 2, reason }, what)
    t.match(text, /^# (policy|keys):2: not said: /m)
    if (policy) t.ok(text.includes(`\n#     ${policy}\n`), what)
    t.notOk(JSON.stringify(unsaid).includes(KEY_128.slice(0, 8)), 'no key in the list')
  }
  t.end()
})

t.test('what is stricter is told', (t) => {
  const remarks = (policy: string, keys = '', forwards = false) =>
    toIproute2(inputOf(policy, keys), { ...hostWith(), forwards }).remarks.join('\n')
  t.match(remarks(`{raddr 10.0.0.1} ipsec {${ESP}}`, '', true), /forwards packets/)
  t.match(remarks(`{raddr 2001:db8::2} ipsec {${ESP}}`), /IPv6 traffic to its own addresses/)
  t.match(remarks('', sa('')), /convert rules and keys together/)
  t.match(
    remarks(`{raddr 10.0.0.1} ipsec {${ESP}}`, sa('').replace('192.0.2.1', '10.9.9.9')),
    /which end is this host/,
  )
  const { unsaid, remarks: more } = toIproute2(
    inputOf(`{raddr 10.0.0.1} ipsec {${ESP}} or pass {}\n{lport 22 ulp tcp dir both} bypass {}\n`),
    hostWith(['tun0']),
  )
  t.same(unsaid, [])
  t.match(more.join(), /more protection than a rule asks for are let in/)
  t.end()
})

t.test('no text of a file ends a comment', (t) => {
  const input = numbered([])
  const also = [
    { file: 'a\nxfrm policy flush', line: 1, text: '{lport 22}\rxfrm state flush\u2028#', reason: 'none' },
  ]
  const { text } = toForeign('iproute2', input, hostWith(), also)
  for (const line of text.split(/[\n\r\u2028]/).filter((one) => one !== '')) t.match(line, /^#/)
  t.end()
})

const DIRECTIONS: Readonly<Record<number, string>> = { [dir.IN]: 'in', [dir.OUT]: 'out', [dir.FWD]: 'fwd' }

/** What tells policies apart but for their selectors. */
function content({ dir: direction, mark, action: verdict, priority, tmpl }: KernelPolicy): string {
  const marked = mark ? `0x${mark.v.toString(16)} mask 0x${mark.m.toString(16)}` : ''
  const word = verdict === action.BLOCK ? 'block' : 'allow'
  return [DIRECTIONS[direction], marked, word, priority, tmpl.map(({ reqid }) => reqid).join(' ')].join('|')
}

t.test('every rule is said or listed', async () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), (rules) => {
      const input = numbered(rules)
      const host = hostWith([
        ...new Set(rules.flatMap(({ tunnel }) => (tunnel?.mode === 'tunnel' ? [tunnel.name] : []))),
      ])
      const { lines, unsaid } = toIproute2(input, host)
      const spoken = lines.map(readPolicyLine)
      const listed = linesOf(unsaid)
      const said = input.rules.filter(({ span }) => !listed.includes(span.line))
      const facts = {
        ...input,
        ...host,
        marks: markLayout(host.markMask),
        forwarding: false,
        guardsOwnAddresses: false,
      }
      const expected = translatePolicySet(
        placedRules(appendRules(emptyState(0), said)),
        classesOf(said, facts),
        [],
        facts,
      )
      const found = spoken.map(({ dir, mark, action, priority, templates }) =>
        [dir, mark, action, priority, templates.map((one) => one.split(' ')[4]).join(' ')].join('|'),
      )
      assert.deepEqual([...new Set(found)].sort(), [...new Set(expected.map(content))].sort())
      assert.equal(new Set(spoken.map(({ index }) => index)).size, spoken.length, 'an index number for each')
      assert.equal(
        new Set(spoken.map(({ selector, dir, mark }) => `${selector} ${dir} ${mark}`)).size,
        spoken.length,
      )
    }),
    times(25),
  )
})

t.test('every SA is said or listed', async () => {
  fc.assert(
    fc.property(associations, (list) => {
      const placed = list.map((association, index) => ({ association, file: 'keys', line: index + 1 }))
      const { lines, unsaid } = toIproute2({ ...numbered([]), associations: placed }, hostWith())
      const gone = linesOf(unsaid.filter(({ reason }) => !reason.startsWith('only')))
      assert.equal(lines.length + gone.length, list.length)
      for (const { association, line } of placed) {
        const text = lines.find((one) => one.includes(` spi 0x${association.spi.toString(16)} `)) ?? ''
        assert.equal(text === '', gone.includes(line))
        const keys = [association.authKey, association.encrKey].flatMap((key) =>
          key ? [Buffer.from(key.reveal()).toString('hex')] : [],
        )
        for (const key of keys) {
          assert.ok(text === '' || text.includes(` 0x${key} `))
          assert.ok(!JSON.stringify(unsaid).includes(key))
        }
      }
    }),
    times(25),
  )
})
