import t from 'tap'
import { paddingCheckOf, paddingFlags } from '../../../agent/model/padding-check.ts'
import { extraFlag } from '../../../netlink/xfrm/constants.ts'

t.test('what an SA says of the check of its padding', async (t) => {
  for (const check of [0, 1, 2] as const) {
    t.equal(paddingCheckOf(paddingFlags(check)), check)
    t.equal(paddingCheckOf(paddingFlags(check) | extraFlag.DONT_ENCAP_DSCP | extraFlag.OSEQ_MAY_WRAP), check)
    t.equal(paddingFlags(check) & 0xff, 0, 'other flags are not touched')
  }
  t.equal(paddingFlags(1), 0, 'nothing where it is as it is at first')
  t.equal(paddingCheckOf(0), 1)
})
