import fc from 'fast-check'
import t from 'tap'
import {
  decodeRequest,
  encodeRequest,
  type IpsecRequest,
  REQUEST_MEMBERS,
} from '../../../agent/sockets/request-codec.ts'
import { times } from '../../support/fuzz.ts'

const request = fc.record(
  Object.fromEntries(
    REQUEST_MEMBERS.map(([name, largest]) => [name, fc.nat(Math.min(largest, 2 ** 31 - 1))]),
  ),
) as unknown as fc.Arbitrary<IpsecRequest>

t.test('an ipsec_req_t lies in memory as on Solaris', async (t) => {
  const bytes = encodeRequest({
    ipsr_ah_req: 1,
    ipsr_esp_req: 2,
    ipsr_self_encap_req: 4,
    ipsr_auth_alg: 5,
    ipsr_esp_alg: 12,
    ipsr_esp_auth_alg: 3,
  })
  t.same([...bytes], [1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 5, 12, 3, 0])
})

t.test('property: what is written is read', async () => {
  fc.assert(
    fc.property(request, (one) => {
      const again = decodeRequest(encodeRequest(one))
      return REQUEST_MEMBERS.every(([name]) => again[name] === one[name])
    }),
    times(500),
  )
})

t.test('property: bytes give the same bytes but for the padding', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const again = encodeRequest(decodeRequest(bytes))
      return again.every((byte, i) => byte === (i === 15 ? 0 : bytes[i]))
    }),
    times(500),
  )
})

t.test('the length is exactly 16', async (t) => {
  for (const length of [0, 1, 15, 17, 32]) {
    t.throws(() => decodeRequest(new Uint8Array(length)), { code: 'EINVAL' }, `${length}`)
  }
})
