import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Rule } from '../../../../agent/model/policy.ts'
import { formatEntry, formatRule, policyEntries } from '../../../../compat/solaris/ipsecconf/index.ts'
import { rule } from './arbitraries.ts'
import { algorithms, resolver, ruleOf, rulesOf } from './support.ts'

/** A rule without where it stood, all objects plain. */
const meaning = ({ selector, direction, tunnel, actions }: Rule): object =>
  structuredClone({ selector, direction, tunnel, actions })

/** Numeric listing of the outbound or only entries, and the one with names. */
const LISTINGS: readonly (readonly [string, string, string])[] = [
  [
    '{laddr alpha raddr 10.0.0.0/8 ulp tcp lport ssh rport 80 dir out} ipsec {encr_algs aes(128..256) encr_auth_algs sha1}',
    '{ ulp 6 laddr 192.0.2.1/32 lport 22 raddr 10.0.0.0/8 rport 80 dir out } ipsec { encr_algs aes-cbc(128..256) encr_auth_algs hmac-sha1(160..) sa shared } ',
    '{ ulp tcp laddr alpha/32 lport ssh raddr 10.0.0.0/8 rport http dir out } ipsec { encr_algs aes-cbc(128..256) encr_auth_algs hmac-sha1(160..) sa shared } ',
  ],
  [
    '{laddr six dir in} drop {}',
    '{ laddr 2001:db8::6/128 dir in } drop { } ',
    '{ laddr six/128 dir in } drop { } ',
  ],
  [
    '{ulp icmp type 8-10 code 0 laddr beta dir in} bypass {}',
    '{ ulp 1 laddr 198.51.100.2/32 type 8-10 code 0 dir in } pass { } ',
    '{ ulp icmp laddr beta/32 type 8-10 code 0 dir in } pass { } ',
  ],
  [
    '{tunnel t0 negotiate tunnel raddr 10.0.0.0/8 dir out} ipsec {auth_algs any sa shared} or pass {}',
    '{ tunnel t0 negotiate tunnel raddr 10.0.0.0/8 dir out } ipsec { auth_algs any sa shared } or pass { } ',
    '{ tunnel t0 negotiate tunnel raddr 10.0.0.0/8 dir out } ipsec { auth_algs any sa shared } or pass { } ',
  ],
  [
    '{laddr alpha dir out} ipsec {encr_auth_algs sha256(256) auth_algs md5() sa unique}',
    '{ laddr 192.0.2.1/32 dir out } ipsec { auth_algs hmac-md5() encr_algs null encr_auth_algs hmac-sha256(256) sa unique } ',
    '{ laddr alpha/32 dir out } ipsec { auth_algs hmac-md5() encr_algs null encr_auth_algs hmac-sha256(256) sa unique } ',
  ],
]
for (const [source, numeric, named] of LISTINGS) {
  t.test(source, async (t) => {
    const [entry] = policyEntries(ruleOf(source))
    t.ok(entry)
    if (!entry) return
    t.equal(formatEntry(entry, { algorithms }), numeric)
    t.equal(formatEntry(entry, { algorithms, resolver }), named)
  })
}

t.test('an algorithm that the table lacks is a number', async (t) => {
  const none = { algorithms: { protocols: [], algorithms: [] } }
  const line = formatRule(ruleOf('{dir in} ipsec {encr_algs aes-gcm} or pass {}'), none)
  t.equal(line, '{ dir in } ipsec { encr_algs 20(128..) sa shared } or pass { }')
})

t.test('property: a printed rule reads back as the same rule', async () => {
  fc.assert(
    fc.property(rule, (written) => {
      const text = formatRule(written, { algorithms })
      assert.deepStrictEqual(meaning(ruleOf(text)), meaning(written), text)
    }),
  )
})

t.test('property: a printed entry reads back as this entry alone', async () => {
  fc.assert(
    fc.property(rule, (written) => {
      for (const entry of policyEntries(written)) {
        const text = formatEntry(entry, { algorithms })
        assert.deepStrictEqual(
          meaning(ruleOf(text)),
          { ...meaning(written), direction: entry.direction },
          text,
        )
      }
    }),
  )
})

t.test('property: printing is stable', async () => {
  fc.assert(
    fc.property(rule, (written) => {
      const text = formatRule(written, { algorithms })
      assert.equal(formatRule(ruleOf(text), { algorithms }), text)
    }),
  )
})

t.test('a rule of several addresses prints as one line for each pair', async (t) => {
  const multi = ruleOf('{laddr multi raddr dual} ipsec {auth_algs any}')
  const read = rulesOf(formatRule(multi, { algorithms }))
  t.same(
    read.flatMap(({ selector }) => selector.pairs),
    multi.selector.pairs,
  )
  t.equal(read.length, 3)
})
