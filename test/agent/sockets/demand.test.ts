import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { PROTOCOL_AH, PROTOCOL_ESP } from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable as table } from '../../../agent/model/default-algorithms.ts'
import { demandOf, requestOf, type SocketDemand } from '../../../agent/sockets/demand.ts'
import { demandJson } from '../../../agent/sockets/demand-json.ts'
import { EMPTY_REQUEST, type IpsecRequest } from '../../../agent/sockets/request-codec.ts'
import { socketPolicyReader } from '../../../compat/configuration/socket-policy.ts'
import { resolver } from '../../compat/configuration/support.ts'
import { times } from '../../support/fuzz.ts'

const [NEVER, REQUIRED, UNIQUE] = [1, 2, 4]
const [SHA1, SHA256, AES, AES_GCM] = [3, 5, 12, 20]

const demand = (request: Partial<IpsecRequest>): SocketDemand | undefined =>
  demandOf({ ...EMPTY_REQUEST, ...request }, table)

const numbersOf = (protocol: number): fc.Arbitrary<number> =>
  fc.constantFrom(
    0,
    ...table.algorithms.filter((one) => one.protocol === protocol).map(({ number }) => number),
  )
const preference = fc.constantFrom(0, NEVER, REQUIRED, UNIQUE, REQUIRED | UNIQUE, NEVER | UNIQUE, 3, 7, 8)
const request: fc.Arbitrary<IpsecRequest> = fc.record({
  ipsr_ah_req: preference,
  ipsr_esp_req: preference,
  ipsr_self_encap_req: preference,
  ipsr_auth_alg: numbersOf(PROTOCOL_AH),
  ipsr_esp_alg: numbersOf(PROTOCOL_ESP),
  ipsr_esp_auth_alg: numbersOf(PROTOCOL_AH),
})

t.test('the meanings of a request', async (t) => {
  t.equal(demand({}), undefined, 'all zero: no policy')
  t.same(
    demand({ ipsr_ah_req: NEVER, ipsr_esp_req: NEVER }),
    { action: { kind: 'bypass' }, selfEncapsulation: false },
    'never both: in clear',
  )
  t.match(
    demand({ ipsr_ah_req: REQUIRED, ipsr_auth_alg: SHA1 }),
    { action: { kind: 'protect', protection: { ah: { algorithm: SHA1 }, esp: undefined, unique: false } } },
    'AH',
  )
  t.match(
    demand({
      ipsr_ah_req: NEVER,
      ipsr_esp_req: REQUIRED | UNIQUE,
      ipsr_esp_alg: AES,
      ipsr_esp_auth_alg: SHA256,
    }),
    {
      action: {
        kind: 'protect',
        protection: {
          ah: undefined,
          esp: { encryption: { algorithm: AES }, authentication: { algorithm: SHA256 } },
          unique: true,
        },
      },
    },
    'ESP and no AH, unique',
  )
  t.equal(demand({ ipsr_esp_req: REQUIRED, ipsr_self_encap_req: REQUIRED })?.selfEncapsulation, true)
})

t.test('requests without a meaning', async (t) => {
  const wrong: Record<string, Partial<IpsecRequest>> = {
    'never and required': { ipsr_esp_req: NEVER | REQUIRED },
    'the same for AH': { ipsr_ah_req: NEVER | REQUIRED, ipsr_esp_req: REQUIRED },
    'the same for self-encapsulation': { ipsr_esp_req: REQUIRED, ipsr_self_encap_req: NEVER | REQUIRED },
    'bits that mean nothing': { ipsr_esp_req: REQUIRED | 8 },
    'an algorithm that is not there': { ipsr_esp_req: REQUIRED, ipsr_esp_alg: 99 },
    'the same where it is not needed': { ipsr_esp_req: REQUIRED, ipsr_auth_alg: 99 },
    'never one of two': { ipsr_ah_req: NEVER },
    'nothing to be unique': { ipsr_esp_req: UNIQUE },
    'nothing to encapsulate': { ipsr_self_encap_req: REQUIRED },
    'clear text in a tunnel': { ipsr_ah_req: NEVER, ipsr_esp_req: NEVER, ipsr_self_encap_req: REQUIRED },
    'a cipher that authenticates, and an algorithm for that': {
      ipsr_esp_req: REQUIRED,
      ipsr_esp_alg: AES_GCM,
      ipsr_esp_auth_alg: SHA256,
    },
    'an algorithm alone': { ipsr_esp_alg: AES },
  }
  for (const [title, one] of Object.entries(wrong)) t.throws(() => demand(one), { code: 'EINVAL' }, title)
})

t.test('property: a demand is the same after it was a request, or JSON', async () => {
  const readPolicy = socketPolicyReader({ algorithms: table, resolver })
  fc.assert(
    fc.property(request, (one) => {
      let meant: SocketDemand | undefined
      try {
        meant = demandOf(one, table)
      } catch {
        return true
      }
      if (!meant) return true
      const json = demandJson(meant, table)
      const read = readPolicy(json)
      const again = demandOf(requestOf(meant), table)
      return isDeepStrictEqual(again, meant) && 'demand' in read && isDeepStrictEqual(read.demand, meant)
    }),
    times(300),
  )
})

t.test('JSON can say more than a request', async (t) => {
  const readPolicy = socketPolicyReader({ algorithms: table, resolver })
  const read = readPolicy({ protect: { encryption: 'aes(256)', authentication: 'any' } })
  if (!('demand' in read)) return t.fail(read.reason)
  t.throws(() => requestOf(read.demand), { code: 'ERANGE' })
  t.same(demandJson(read.demand, table), {
    protect: { encryption: 'aes-cbc(256)', authentication: 'any' },
  })
})

t.test('what JSON may not say', async (t) => {
  const readPolicy = socketPolicyReader({ algorithms: table, resolver })
  for (const policy of [
    null,
    [],
    'bypass',
    {},
    { action: 'drop' },
    { action: 'bypass', protect: {} },
    { action: 'bypass', selfEncapsulation: true },
    { protect: { encryption: 'rot13' } },
    { protect: { encryption: 'aes' }, service: 'x' },
    { protect: { encryption: 'aes' }, toString: 1 },
    { protect: {} },
  ]) {
    t.match(readPolicy(policy), { reason: /./ }, JSON.stringify(policy))
  }
})
