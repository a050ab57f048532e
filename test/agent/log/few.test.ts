import t from 'tap'
import { fewMessages } from '../../../agent/log/few.ts'

t.test('five of a kind, and how many more there are', async (t) => {
  const single = (count: number) =>
    Array.from({ length: count }, (_, index) => `10.0.${index}.0 is one address`)
  t.same(fewMessages(single(6)), single(6), 'a line that says one more is no shorter')
  t.same(fewMessages(single(8)), [...single(5), '10.0.5.0 is one address (and 2 more like it)'])
})

t.test('kinds do not hide each other', async (t) => {
  const many = Array.from({ length: 20 }, (_, index) => [`\`a${index}\` is gone`, `"b" was ${index}`]).flat()
  const found = fewMessages([...many, 'the last'])
  t.equal(found.length, 13)
  t.equal(found[0], '`a0` is gone')
  t.equal(found.at(-2), '"b" was 5 (and 14 more like it)')
  t.equal(found.at(-1), 'the last')
  t.same(fewMessages([]), [])
})
