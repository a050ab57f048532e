import t from 'tap'
import { GRACE_MS, NameBook } from '../../../../agent/daemon/duties/name-book.ts'
import { formatAddress, parseAddress } from '../../../../agent/model/address.ts'

const addresses = (...texts: string[]) => texts.flatMap((text) => parseAddress(text) ?? [])

t.test('what was heard of lately, and what was heard of last', async (t) => {
  const book = new NameBook()
  const current = () => book.current('a').map(formatAddress)
  const recent = () => book.recent('a').map(formatAddress)
  t.same([current(), recent()], [[], []], 'nothing is known')
  book.learn('a', addresses('192.0.2.1', '2001:db8::1'), 0)
  t.same(current(), ['192.0.2.1', '2001:db8::1'])
  book.learn('a', addresses('192.0.2.2'), GRACE_MS)
  t.same(current(), ['192.0.2.2'])
  t.same(recent(), ['192.0.2.1', '2001:db8::1', '192.0.2.2'])
  book.learn('a', [], GRACE_MS * 10)
  t.same(recent(), ['192.0.2.1', '2001:db8::1', '192.0.2.2'], 'no answer makes nothing older')
  book.learn('a', addresses('192.0.2.2'), GRACE_MS + 1)
  t.same(recent(), ['192.0.2.2'])
  book.learn('b', addresses('192.0.2.3'), 0)
  book.keep(new Set(['b']))
  t.same(recent(), [])
  t.same(book.recent('b').map(formatAddress), ['192.0.2.3'])
})

t.test('what rules were loaded with was heard of, too', async (t) => {
  const book = new NameBook()
  const current = () => book.current('a').map(formatAddress)
  const recent = () => book.recent('a').map(formatAddress)
  book.assume('a', [], 0)
  t.same([current(), recent()], [[], []])
  book.assume('a', addresses('192.0.2.1', '192.0.2.2'), 5)
  t.same(current(), ['192.0.2.1', '192.0.2.2'])
  book.learn('a', addresses('192.0.2.2'), 10)
  t.same([current(), recent()], [['192.0.2.2'], ['192.0.2.1', '192.0.2.2']], 'an answer may be a part of all')
  book.assume('a', addresses('192.0.2.1'), GRACE_MS)
  t.same(current(), ['192.0.2.2'])
  book.learn('a', addresses('192.0.2.2'), GRACE_MS + 6)
  t.same(recent(), ['192.0.2.2'], 'which makes it no fresher')
  book.assume('a', addresses('192.0.2.3'), GRACE_MS + 9)
  t.same(current(), ['192.0.2.3'], 'it was the last answer')
  t.same(recent(), ['192.0.2.2', '192.0.2.3'], 'and nothing is taken away')
})
