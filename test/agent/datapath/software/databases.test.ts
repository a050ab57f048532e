import t from 'tap'
import { encapType, proto } from '../../../../netlink/xfrm/constants.ts'
import { defaultState } from '../../../../netlink/xfrm/defaults.ts'
import { emptyDatabases, stateOf } from './surroundings.ts'

const key = (bytes: number) => new Uint8Array(bytes).fill(7)

function sa(spi: number, limit: bigint, isInUdp = false) {
  const body = defaultState()
  return stateOf({
    body: {
      ...body,
      id: { ...body.id, spi, proto: proto.ESP },
      lft: { ...body.lft, hard_add_expires_seconds: limit },
    },
    attributes: {
      alg_crypt: { alg_name: 'cbc(aes)', alg_key_len: 128, alg_key: key(16) },
      alg_auth_trunc: { alg_name: 'hmac(sha256)', alg_key_len: 256, alg_trunc_len: 128, alg_key: key(32) },
      ...(isInUdp && {
        encap: { encap_type: encapType.ESPINUDP, encap_sport: 4500, encap_dport: 4500, encap_oa: key(16) },
      }),
    },
  })
}

t.test('only SAs for which something comes with time are looked at each second', async (t) => {
  const databases = emptyDatabases()
  const add = (state: ReturnType<typeof sa>) => {
    databases.states.add(state)
    databases.generation++
  }
  const spis = () => databases.clocked().map(({ body }) => body.id.spi)
  add(sa(1, 0n))
  t.same(spis(), [])
  const limited = sa(2, 60n)
  add(limited)
  add(sa(3, 0n, true))
  t.same(spis(), [2, 3])
  databases.expire(limited)
  t.same(spis(), [3], 'it goes with its end')
})
