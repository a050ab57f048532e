import t from 'tap'
import { formatPrefix } from '../../../agent/model/address.ts'
import { readState } from '../../../agent/translate/read-association.ts'
import { family, mode, proto } from '../../../netlink/xfrm/constants.ts'
import { defaultState } from '../../../netlink/xfrm/defaults.ts'

const AF_UNSPEC = 0
const NULL_CIPHER = { alg_name: 'ecb(cipher_null)', alg_key_len: 0, alg_key: new Uint8Array(0) }

const address = (first: number) => Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? first : 0))

t.test('the tunnel SA of another program that is for both families, as strongSwan makes them', async (t) => {
  for (const [outer, any] of [
    [family.INET, '0.0.0.0/0'],
    [family.INET6, '::/0'],
  ] as const) {
    const state = defaultState()
    const found = readState({
      body: {
        ...state,
        family: outer,
        mode: mode.TUNNEL,
        id: { spi: 0x100, proto: proto.ESP, daddr: address(10) },
        sel: { ...state.sel, family: AF_UNSPEC },
      },
      attributes: { alg_crypt: NULL_CIPHER },
    })
    const inner = found?.association.inner
    t.ok(inner)
    t.same(inner && [formatPrefix(inner.source), formatPrefix(inner.destination)], [any, any])
  }
})
