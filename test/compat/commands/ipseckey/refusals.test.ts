import t from 'tap'
import { refusalText } from '../../../../compat/commands/ipseckey/refusals.ts'
import { NetlinkError } from '../../../../netlink/socket/error.ts'

const ENOSYS = 38

t.test('an algorithm that the kernel lacks is one that the software data path has', async (t) => {
  const error = new NetlinkError({
    operation: 'XFRM_MSG_NEWSA',
    errno: ENOSYS,
    code: 'ERR_XFRM_NO_ALGORITHM',
    hint: 'this kernel lacks the algorithm, or its crypto module',
  })
  const text = refusalText(error, 'kernel')
  t.match(text, /^Kernel returned: XFRM_MSG_NEWSA: ENOSYS.*\nhelp: this kernel lacks/)
  t.match(text, /--datapath software$/)
  t.notMatch(refusalText(error, 'software'), /--datapath/)
})

t.test('other refusals have their own hint, if any', async (t) => {
  const error = new NetlinkError({ operation: 'XFRM_MSG_NEWSA', errno: 17 })
  t.match(refusalText(error, 'kernel'), /^Kernel returned: XFRM_MSG_NEWSA: EEXIST[^\n]*$/)
})
