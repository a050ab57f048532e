import t from 'tap'
import { GRACE_MS, NameBook } from '../../../../agent/daemon/duties/name-book.ts'
import { followNames } from '../../../../agent/daemon/duties/names.ts'
import { formatPrefix, parseAddress } from '../../../../agent/model/address.ts'
import type { Rule } from '../../../../agent/model/policy.ts'
import { parsePolicy } from '../../../../compat/solaris/ipsecconf/index.ts'
import { addressesOf, namesOf, withAddresses } from '../../../../compat/solaris/ipsecconf/names.ts'
import { algorithms, resolver } from '../../../compat/solaris/ipseckey/support.ts'

const addresses = (...texts: string[]) => texts.flatMap((text) => parseAddress(text) ?? [])
const first = { algorithms, resolver: { ...resolver, addresses: () => addresses('192.0.2.1') } }
const named = {
  namesOf,
  addressesOf,
  withAddresses: (rule: Rule, of: (name: string) => ReturnType<typeof addresses>) =>
    withAddresses(rule, first, of),
}
const { rules } = parsePolicy(
  '{raddr there} ipsec {encr_algs aes}\n{raddr there rport 22 ulp tcp} bypass {}\n{raddr 10.0.0.1} drop {}\n',
  'file',
  first,
)
const remotes = (all: readonly Rule[] | undefined) =>
  all?.map(({ selector }) => selector.pairs.map(({ remote }) => remote && formatPrefix(remote)))

t.test('rules change with their names alone', async (t) => {
  const book = new NameBook()
  t.equal(followNames(rules, book, named), undefined, 'nobody has answered yet')
  book.learn('there', addresses('192.0.2.1'), 0)
  t.equal(followNames(rules, book, named), undefined, 'the same as before')
  book.learn('there', addresses('192.0.2.2'), 1)
  const lingering = followNames(rules, book, named, 'lingering')
  t.same(
    remotes(lingering)?.slice(0, 2),
    [['192.0.2.1/32', '192.0.2.2/32'], ['192.0.2.1/32']],
    'nobody was asked',
  )
  const next = followNames(rules, book, named)
  const both = ['192.0.2.1/32', '192.0.2.2/32']
  t.same(
    remotes(next),
    [both, ['192.0.2.2/32'], ['10.0.0.1/32']],
    'protection lingers, letting pass does not',
  )
  t.equal(next?.[2], rules[2])
  book.learn('there', addresses('192.0.2.2', '192.0.2.1'), 2)
  t.same(remotes(followNames(next ?? [], book, named))?.[0], both, 'another order')
  book.learn('there', addresses('192.0.2.2'), GRACE_MS + 3)
  t.same(remotes(followNames(next ?? [], book, named)), [['192.0.2.2/32'], ['192.0.2.2/32'], ['10.0.0.1/32']])
})
