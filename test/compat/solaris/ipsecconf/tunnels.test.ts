import t from 'tap'
import { messages, parse, ruleOf, rulesOf } from './support.ts'

const ESP = 'ipsec {encr_algs aes encr_auth_algs sha256}'

t.test('tunnel mode selects by the inner packet', async (t) => {
  const rule = ruleOf(`{tunnel ip.tun0 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16 ulp tcp} ${ESP}`)
  t.same(rule.tunnel, { name: 'ip.tun0', mode: 'tunnel' })
  t.equal(rule.selector.protocol, 6)
  t.match(rule.actions, [{ protection: { unique: false } }])
})

t.test('transport mode is always unique', async (t) => {
  for (const sa of ['', 'sa shared', 'sa unique']) {
    const rule = ruleOf(`{tunnel t0 negotiate transport} ipsec {auth_algs any ${sa}}`)
    t.match(rule.actions, [{ protection: { unique: true } }], sa)
  }
  const rules = rulesOf(
    '{tunnel t0 negotiate transport} ipsec {auth_algs md5}\n{tunnel t1 negotiate tunnel} ipsec {auth_algs md5}',
  )
  t.match(rules, [
    { actions: [{ protection: { unique: true } }] },
    { actions: [{ protection: { unique: false } }] },
  ])
})

t.test('transport mode takes no selector', async (t) => {
  const selectors: readonly (readonly [string, readonly string[]])[] = [
    ['laddr alpha', ['Source Address']],
    ['raddr beta', ['Destination Address']],
    ['lport 1', ['Source Port']],
    ['rport 1', ['Destination Port']],
    ['ulp tcp', ['Upper Layer Protocol']],
    ['ulp icmp type 8 code 0', ['Upper Layer Protocol', 'ICMP type', 'ICMP code']],
    ['saddr alpha smask 255.0.0.0 dir in', ['Source Address', 'Source Mask']],
    ['daddr alpha dmask 255.0.0.0 dir in', ['Destination Address', 'Destination Mask']],
  ]
  for (const [pattern, things] of selectors) {
    t.same(
      messages(`{tunnel t0 negotiate transport ${pattern}} ${ESP}`),
      things.map((thing) => `Bad ${thing} on line: 1`),
      pattern,
    )
  }
  t.same(messages(`{tunnel t0 negotiate transport dir in} ${ESP}`), [])
})

const ERRORS: readonly (readonly [string, readonly string[]])[] = [
  [`{tunnel t0} ${ESP}`, ['Requires Negotiate on line: 1']],
  [`{negotiate tunnel} ${ESP}`, ['Requires Tunnel on line: 1']],
  [`{tunnel t0 negotiate tunnelxyz} ${ESP}`, ['Bad Negotiate on line: 1']],
  [`{tunnel t0 negotiate Transport} ${ESP}`, ['Bad Negotiate on line: 1']],
  [`{tunnel ${'x'.repeat(32)} negotiate tunnel} ${ESP}`, ['Bad Tunnel on line: 1']],
  ['{tunnel t0 negotiate tunnel} ipsec {auth_algs any sa unique}', ['Bad SA on line: 1']],
  [
    `{tunnel t0 negotiate tunnel} ${ESP}\n{tunnel t1 negotiate transport} ${ESP}\n{tunnel t0 negotiate transport} ${ESP}`,
    ['Bad Negotiate on line: 3'],
  ],
]
for (const [text, expected] of ERRORS) {
  t.test(`refused: ${JSON.stringify(text)}`, async (t) => {
    t.same(messages(text), expected)
  })
}

t.test('what belongs together is said, and the file is read on', async (t) => {
  const { rules, diagnostics } = parse(`{tunnel t0} ${ESP}\n{ulp tcp} ${ESP}`)
  t.equal(diagnostics[0]?.hint, 'tunnel and negotiate tokens must occur together')
  t.equal(rules.length, 1)
  t.equal(ruleOf(`{tunnel ${'x'.repeat(31)} negotiate tunnel} ${ESP}`).tunnel?.name.length, 31)
})
