import t from 'tap'
import { counted } from '../../../agent/model/counted.ts'

t.test('one, many, and none', async (t) => {
  t.same(
    [counted(1, 'rule'), counted(2, 'rule'), counted(0, 'policy', 'policies')],
    ['1 rule', '2 rules', '0 policies'],
  )
})
