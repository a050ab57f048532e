import t from 'tap'
import { formatAddress, formatPrefix, parseAddress } from '../../../../agent/model/address.ts'
import type { Rule } from '../../../../agent/model/policy.ts'
import { parsePolicy } from '../../../../compat/solaris/ipsecconf/index.ts'
import { addressesOf, namesOf, withAddresses } from '../../../../compat/solaris/ipsecconf/names.ts'
import { algorithms, resolver } from '../ipseckey/support.ts'

const addresses = (...texts: string[]) => texts.flatMap((text) => parseAddress(text) ?? [])
const environment = { algorithms, resolver: { ...resolver, addresses: () => addresses('192.0.2.1') } }

function ruleOf(text: string): Rule {
  const [rule] = parsePolicy(text, 'file', environment).rules
  if (!rule) throw new Error(`this is a rule: ${text}`)
  return rule
}

t.test('names in rules', async (t) => {
  for (const [text, names] of [
    ['{laddr 192.0.2.1 raddr 10.0.0.0/8} drop {}', []],
    ['{raddr beef::1/64} drop {}', []],
    ['{raddr ::1} drop {}', []],
    ['{laddr here.example raddr There} drop {}', ['here.example', 'There']],
    ['{raddr net/24 laddr net} drop {}', ['net']],
    ['{daddr\tx.example/32} drop {dir out}', ['x.example']],
  ] as const) {
    t.same(namesOf({ ...ruleOf('{} drop {}'), text }), names, text)
  }
})

t.test('the addresses that rules have for names', async (t) => {
  const known = (text: string) =>
    [...addressesOf(ruleOf(text))].map(([name, found]) => [name, found.map(formatAddress)])
  const here = ['192.0.2.1']
  for (const [text, found] of [
    ['{laddr 192.0.2.7 raddr 10.0.0.0/8} drop {}', []],
    ['{laddr 192.0.2.7 raddr There} drop {}', [['There', here]]],
    ['{laddr one raddr 192.0.2.7} drop {}', [['one', here]]],
    ['{saddr one daddr 192.0.2.7} drop {dir out}', [['one', here]]],
    ['{daddr one saddr 192.0.2.7} drop {dir out}', [['one', here]]],
    ['{daddr one saddr 192.0.2.7} drop {dir in}', [['one', here]]],
    ['{srcaddr one dstaddr 192.0.2.7} drop {dir in}', [['one', here]]],
  ] as const) {
    t.same(known(text), found, text)
  }
})

t.test('the same rule with other addresses', async (t) => {
  const rule = ruleOf(
    '{laddr 192.0.2.7 raddr there ulp tcp rport 80} ipsec {encr_algs aes encr_auth_algs sha256}',
  )
  const next = withAddresses(rule, environment, () => addresses('192.0.2.8', '2001:db8::8', '192.0.2.9'))
  const remotes = next?.selector.pairs.map(({ remote }) => remote && formatPrefix(remote))
  t.same(remotes, ['192.0.2.8/32', '192.0.2.9/32'], 'those of the other end’s family')
  const { selector: _, ...rest } = rule
  t.match(next, rest)
  t.equal(
    withAddresses(rule, environment, () => addresses('2001:db8::8')),
    undefined,
  )
  t.equal(
    withAddresses(rule, environment, () => []),
    undefined,
  )
})
