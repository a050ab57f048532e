import t from 'tap'
import { algorithmByName, joinTables, PROTOCOL_ESP } from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'

t.test('what a table lost comes from the other, what it has stays its own', async (t) => {
  const [first, ...rest] = defaultAlgorithmTable.algorithms
  if (!first) throw new Error('the built-in table is empty')
  const own = { ...first, names: ['mine'] }
  const joined = joinTables({ protocols: [], algorithms: [own] }, defaultAlgorithmTable)
  t.equal(joined.algorithms.length, rest.length + 1)
  t.same(joined.algorithms[0]?.names, ['mine'])
  t.ok(algorithmByName(joined, PROTOCOL_ESP, 'aes'))
})
