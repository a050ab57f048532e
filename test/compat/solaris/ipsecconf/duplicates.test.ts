import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { DuplicateFinder } from '../../../../compat/solaris/ipsecconf/duplicates.ts'
import { findDuplicates, policyEntries, withoutEntries } from '../../../../compat/solaris/ipsecconf/index.ts'
import { rule } from './arbitraries.ts'
import { parse, ruleOf, rulesOf } from './support.ts'

const summary = (text: string): readonly string[] =>
  parse(text).diagnostics.map(({ severity, message }) => `${severity}: ${message}`)
const lines = (text: string): readonly number[] => parse(text).rules.map((rule) => rule.span.line)

const IGNORED = ['warning: Duplicate policy entry (ignored):']
const CONFLICT = ['error: Conflicting policy entry: line 1 says otherwise about the same packets']

/** Two rules of one file, and what is said about the second. */
const PAIRS: readonly (readonly [string, string, readonly string[]])[] = [
  ['{laddr alpha} ipsec {auth_algs any}', '{laddr alpha} ipsec {auth_algs any}', IGNORED],
  ['{laddr alpha} ipsec {auth_algs any}', '{local 192.0.2.1/32} ipsec {sa shared auth_algs ANY}', IGNORED],
  ['{saddr alpha dir in} drop {}', '{raddr alpha dir in} drop {}', IGNORED],
  ['{laddr 0.0.0.0/0 raddr beta dir in} drop {}', '{raddr beta dir in} drop {}', IGNORED],
  ['{lport ssh dir in} drop {}', '{lport 22 dir in} drop {}', IGNORED],
  ['{laddr alpha} ipsec {auth_algs any}', '{laddr alpha dir in} ipsec {auth_algs any}', IGNORED],
  ['{laddr alpha} ipsec {auth_algs any}', '{laddr alpha} ipsec {auth_algs sha1}', CONFLICT],
  ['{laddr alpha} ipsec {auth_algs any}', '{laddr alpha} ipsec {auth_algs any sa unique}', CONFLICT],
  ['{laddr alpha} ipsec {auth_algs sha1}', '{laddr alpha} ipsec {auth_algs sha1()}', CONFLICT],
  ['{laddr alpha} ipsec {auth_algs any}', '{laddr alpha dir out} drop {}', CONFLICT],
  ['{laddr multi dir in} drop {}', '{laddr 192.0.2.11 dir in} pass {}', CONFLICT],
  ['{dir in} drop {}', '{laddr 0.0.0.0/0 dir in} pass {}', CONFLICT],
  ['{dir in} drop {}', '{dir out} pass {}', []],
  ['{lport 22 dir in} drop {}', '{rport 22 dir in} pass {}', []],
  ['{lport 22 dir in} drop {}', '{lport 23 dir in} pass {}', []],
  ['{rport 22 dir in} drop {}', '{rport 23 dir in} pass {}', []],
  ['{ulp 6 dir in} drop {}', '{ulp 17 dir in} pass {}', []],
  ['{ulp icmp type 8 code 0 dir in} drop {}', '{ulp icmp type 8 code 1 dir in} pass {}', []],
  ['{ulp icmp type 8-9 dir in} drop {}', '{ulp icmp type 8 dir in} pass {}', []],
  ['{lport 22 dir in} drop {}', '{lport 22 ulp tcp dir in} pass {}', []],
  ['{laddr 10.0.0.0/8 dir in} drop {}', '{laddr 10.0.0.0/9 dir in} pass {}', []],
  ['{ulp icmp type 8 dir in} drop {}', '{ulp icmp type 8 code 0 dir in} pass {}', []],
  ['{ulp icmp type 8 dir in} drop {}', '{ulp icmp type 8 dir in} pass {}', CONFLICT],
  ['{laddr 0.0.0.0/0 dir in} drop {}', '{laddr ::/0 dir in} pass {}', []],
  ['{tunnel t0 negotiate tunnel dir in} drop {}', '{dir in} pass {}', []],
  ['{tunnel t0 negotiate tunnel dir in} drop {}', '{tunnel t1 negotiate tunnel dir in} pass {}', []],
  ['{tunnel t0 negotiate tunnel dir in} drop {}', '{tunnel t0 negotiate tunnel dir in} pass {}', CONFLICT],
]
for (const [first, second, expected] of PAIRS) {
  t.test(`${first} · ${second}`, async (t) => {
    const text = `${first}\n${second}\n`
    t.same(summary(text), expected)
    if (expected === IGNORED) t.same(lines(text), [1])
    if (expected.length > 0) return
    t.same(lines(text), [1, 2])
    const colliding = new DuplicateFinder(() => 0)
    for (const rule of rulesOf(text)) t.same(colliding.add(rule), [])
  })
}

t.test('of a rule that is there in part, the rest stays', async (t) => {
  const rest = (first: string, second: string): object[] =>
    rulesOf(`${first}\n${second}`)
      .slice(1)
      .map(({ direction, selector }) => ({ direction, pairs: selector.pairs.length }))
  t.same(rest('{laddr alpha dir out} drop {}', '{laddr alpha dir both} drop {}'), [
    { direction: 'in', pairs: 1 },
  ])
  t.same(rest('{laddr 192.0.2.10 dir both} drop {}', '{laddr multi dir both} drop {}'), [
    { direction: 'both', pairs: 2 },
  ])
  t.same(rest('{laddr 192.0.2.10 dir in} drop {}', '{laddr multi dir both} drop {}'), [
    { direction: 'both', pairs: 2 },
    { direction: 'out', pairs: 1 },
  ])
  const [, left] = rulesOf('{laddr 0.0.0.0/0 dir in} drop {}\n{dir in} drop {}')
  t.same(left?.selector.pairs, ruleOf('{laddr ::/0 dir in} drop {}').selector.pairs)
})

t.test('against loaded rules', async (t) => {
  const loaded = rulesOf('{laddr alpha dir in} drop {}')
  const rules = rulesOf('{laddr alpha dir both} drop {}\n{laddr beta dir in} drop {}')
  const duplicates = findDuplicates(rules, loaded)
  t.match(duplicates, [{ entry: { direction: 'in', family: 'inet' }, conflict: false }])
  t.equal(duplicates.length, 1)
  t.equal(duplicates[0]?.earlier, loaded[0])
  t.same(findDuplicates(rules), [])
  t.equal(findDuplicates(rules, rulesOf('{laddr alpha dir out} pass {}'))[0]?.conflict, true)
})

t.test('entries in the order of Solaris: a pair, outbound, both families, inbound', async (t) => {
  const order = (text: string): string[] =>
    policyEntries(ruleOf(text)).map(({ direction, family }) => `${direction} ${family}`)
  t.same(order('{dir both} drop {}'), ['out inet', 'out inet6', 'in inet', 'in inet6'])
  t.same(order('{laddr dual dir both} drop {}'), ['out inet', 'in inet', 'out inet6', 'in inet6'])
  t.same(order('{laddr alpha dir in} drop {}'), ['in inet'])
  const rule = ruleOf('{dir both} drop {}')
  t.same(withoutEntries(rule, policyEntries(rule)), [])
  t.same(withoutEntries(rule, []), [rule])
})

t.test(
  'property: what is found does not depend on the hash, and a second time everything is there',
  async () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 12 }), (rules) => {
        const one = new DuplicateFinder()
        const other = new DuplicateFinder(() => 0)
        for (const next of [...rules, ...rules]) assert.deepStrictEqual(other.add(next), one.add(next))
        for (const next of rules) assert.equal(one.add(next).length, policyEntries(next).length)
      }),
    )
  },
)
