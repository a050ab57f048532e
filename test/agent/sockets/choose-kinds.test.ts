import t from 'tap'
import { defaultAlgorithmTable as algorithms } from '../../../agent/model/default-algorithms.ts'
import type { Protection } from '../../../agent/model/policy.ts'
import { chooseKinds } from '../../../agent/sockets/choose-kinds.ts'
import type { SaContent } from '../../../agent/translate/requirements.ts'
import { kindKey } from '../../../agent/translate/socket-kinds.ts'
import { address } from '../../support/address.ts'

const [here, near, far] = [address('192.0.2.1'), address('192.0.2.2'), address('192.0.2.3')]

const aes = (encrBits: number, more: Partial<SaContent> = {}): SaContent => ({
  protocol: 'esp',
  encrAlgorithm: 12,
  encrBits,
  authAlgorithm: 5,
  authBits: 256,
  combined: false,
  unique: false,
  mode: 'transport',
  source: here,
  destination: near,
  ...more,
})

const any = { algorithm: 0, minBits: 0, maxBits: 65535 }
const anyEsp: Protection = { esp: { encryption: any }, unique: false }

const keys = (
  protection: Protection,
  contents: readonly SaContent[],
  more: { peer?: typeof far; tunnel?: Parameters<typeof chooseKinds>[1] } = {},
): readonly string[] => {
  const { tunnel, ...facts } = more
  const chosen = chooseKinds(protection, tunnel, { contents, algorithms, ...facts })
  return 'kinds' in chosen ? chosen.kinds.map(kindKey) : [`missing ${chosen.missing.key}`]
}

t.test('the kind with the most SAs, those of the peer first', async (t) => {
  const contents = [aes(128), aes(128), aes(256, { destination: far })]
  t.same(keys(anyEsp, contents), ['socket esp encr 12(128) auth 5(256)'])
  t.same(keys(anyEsp, contents, { peer: far }), ['socket esp encr 12(256) auth 5(256)'])
  t.same(keys(anyEsp, contents, { peer: address('192.0.2.9') }), ['socket esp encr 12(128) auth 5(256)'])
})

t.test('without SAs only what can be of one kind', async (t) => {
  t.same(keys(anyEsp, []), ['missing esp encr 0(0..65535)'])
  const exact: Protection = {
    esp: {
      encryption: { algorithm: 12, minBits: 256, maxBits: 256 },
      authentication: { algorithm: 5, minBits: 0, maxBits: 65535 },
    },
    unique: false,
  }
  t.same(keys(exact, [aes(128)]), ['socket esp encr 12(256) auth 5(256)'])
  t.same(keys({ ...exact, unique: true }, []), ['socket esp encr 12(256) auth 5(256) unique'])
})

t.test('unique asks for unique SAs; shared ones are not', async (t) => {
  const unique: Protection = { ...anyEsp, unique: true }
  t.same(keys(unique, [aes(128)]), ['missing esp encr 0(0..65535) unique'])
  t.same(keys(unique, [aes(128), aes(128, { unique: true })]), ['socket esp encr 12(128) auth 5(256) unique'])
  t.same(keys(anyEsp, [aes(128, { unique: true }), aes(128)]), ['socket esp encr 12(128) auth 5(256)'])
})

t.test('AH around ESP are two', async (t) => {
  const ah = aes(0, { protocol: 'ah', encrAlgorithm: 0 })
  const both: Protection = { esp: { encryption: any }, ah: any, unique: false }
  t.same(keys(both, [aes(128), ah]), ['socket esp encr 12(128) auth 5(256)', 'socket ah auth 5(256)'])
  t.match(keys(both, [aes(128)]), ['missing ah auth 0(0..65535)'])
})

t.test('self-encapsulation asks for SAs of the tunnel', async (t) => {
  const tunnel = { local: here, remote: near }
  const inside = aes(128, { mode: 'tunnel', source: near, destination: here })
  t.match(keys(anyEsp, [aes(128)], { tunnel }), [/^missing/])
  t.same(keys(anyEsp, [inside], { tunnel }), [
    'socket esp encr 12(128) auth 5(256) tunnel 192.0.2.1-192.0.2.2',
  ])
})
