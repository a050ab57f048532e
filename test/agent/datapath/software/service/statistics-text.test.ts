import t from 'tap'
import {
  formatStatistics,
  parseStatistics,
} from '../../../../../agent/datapath/software/service/statistics-text.ts'

t.test('what is told is what is read', async (t) => {
  const counts = { XfrmInNoStates: 3, XfrmOutPolBlock: 0, XfrmInStateSeqError: 2 ** 40 }
  t.same(Object.fromEntries(parseStatistics(formatStatistics(counts))), counts)
  t.equal(parseStatistics(undefined).size, 0, 'no answer, no counts')
})
