import t from 'tap'
import { fromXfrmAddress, toXfrmAddress } from '../../../netlink/xfrm/address.ts'
import { family, INF } from '../../../netlink/xfrm/constants.ts'
import { defaultId, defaultPolicy, defaultState, defaultTemplate } from '../../../netlink/xfrm/defaults.ts'
import {
  describeOffset,
  encodeDump,
  encodeMessage,
  messageName,
  messageType,
} from '../../../netlink/xfrm/messages.ts'

const type = messageType('NEWPOLICY')
const template = { ...defaultTemplate(), id: { ...defaultId(), proto: 50 } }
const payload = encodeMessage({
  name: 'NEWPOLICY',
  body: defaultPolicy(),
  attributes: {
    tmpl: [template, template],
    unknown: [{ type: 200, bytes: new Uint8Array(3) }],
    mark: { v: 1, m: 1 },
  },
})

t.test('an offset of an extended ACK gets a name', async (t) => {
  const tmpl = 16 + 168
  const mark = tmpl + 4 + 128
  const cases: readonly (readonly [number, string])[] = [
    [0, 'nlmsghdr.nlmsg_len'],
    [4, 'nlmsghdr.nlmsg_type'],
    [16, 'xfrm_userpolicy_info.sel.daddr'],
    [16 + 40, 'xfrm_userpolicy_info.sel.family'],
    [16 + 42, 'xfrm_userpolicy_info.sel.prefixlen_d'],
    [16 + 160, 'xfrm_userpolicy_info.dir'],
    [16 + 164, 'xfrm_userpolicy_info.(padding)'],
    [tmpl, 'XFRMA_TMPL'],
    [tmpl + 3, 'XFRMA_TMPL'],
    [tmpl + 4 + 16, 'XFRMA_TMPL[0].id.spi'],
    [tmpl + 4 + 64 + 16, 'XFRMA_TMPL[1].id.spi'],
    [tmpl + 4 + 64 + 48, 'XFRMA_TMPL[1].mode'],
    [mark, 'XFRMA_MARK'],
    [mark + 8, 'XFRMA_MARK.m'],
    [mark + 12, 'XFRMA(200)'],
    [mark + 18, 'XFRMA(200)'],
    [mark + 19, 'XFRMA(200).(padding)'],
    [mark + 20, ''],
    [99999, ''],
  ]
  for (const [offset, name] of cases) t.equal(describeOffset(type, payload, offset), name, `${offset}`)
})

t.test('an offset in an attribute with a key names the part', async (t) => {
  const algo = { alg_name: 'cbc(aes)', alg_key_len: 128, alg_key: new Uint8Array(16) }
  const payload = encodeMessage({ name: 'NEWSA', body: defaultState(), attributes: { alg_crypt: algo } })
  const start = 16 + 224 + 4
  const describe = (offset: number) => describeOffset(messageType('NEWSA'), payload, start + offset)
  t.equal(describe(-4), 'XFRMA_ALG_CRYPT')
  t.equal(describe(0), 'XFRMA_ALG_CRYPT.alg_name')
  t.equal(describe(64), 'XFRMA_ALG_CRYPT.alg_key_len')
  t.equal(describe(68), 'XFRMA_ALG_CRYPT.alg_key')
})

t.test('an offset has no name where there is nothing to name', async (t) => {
  t.equal(describeOffset(999, payload, 20), '')
  t.equal(describeOffset(type, payload.subarray(0, 170), 16 + 168), '', 'a malformed request')
  t.equal(messageName(type), 'NEWPOLICY')
  t.equal(messageName(999), undefined)
})

t.test('the padding of a short body is named as such', async (t) => {
  t.equal(describeOffset(messageType('FLUSHSA'), new Uint8Array(4), 17), 'xfrm_usersa_flush.(padding)')
})

t.test('a dump request has its filter right behind the header', async (t) => {
  t.same(Array.from(encodeDump('GETSA', { proto: 50 })), [5, 0, 25, 0, 50, 0, 0, 0])
  t.same(Array.from(encodeDump('GETPOLICY')), [])
})

t.test('the values to start from are safe', async (t) => {
  t.equal(INF, 2n ** 64n - 1n)
  for (const { lft } of [defaultPolicy(), defaultState()]) {
    t.same(Object.values(lft), [INF, INF, INF, INF, 0n, 0n, 0n, 0n])
  }
  const { aalgos, ealgos, calgos, optional } = defaultTemplate()
  t.same([aalgos, ealgos, calgos, optional], [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0])
  t.equal(defaultPolicy(family.INET6).sel.family, 10)
  t.equal(defaultState(family.INET6).family, 10)
})

t.test('addresses of 4 and of 16 bytes', async (t) => {
  const v4 = new Uint8Array([10, 0, 0, 1])
  const v6 = new Uint8Array(16).map((_, i) => i)
  t.same(Array.from(toXfrmAddress(v4)), [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  t.same(fromXfrmAddress(toXfrmAddress(v4), family.INET), v4)
  t.same(fromXfrmAddress(toXfrmAddress(v6), family.INET6), v6)
  t.throws(() => toXfrmAddress(new Uint8Array(5)), RangeError)
  t.throws(() => fromXfrmAddress(v6, 7), RangeError)
})
