import t from 'tap'
import { forbidDumps, mayBeDumped } from '../../../netlink/libc/dump.ts'

t.test('a process with keys in its memory leaves none behind', async (t) => {
  forbidDumps()
  t.notOk(mayBeDumped())
})
