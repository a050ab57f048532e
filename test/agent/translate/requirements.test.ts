import t from 'tap'
import { unspecified } from '../../../agent/model/address.ts'
import type { Protection } from '../../../agent/model/policy.ts'
import { requirementsOf, type SaContent, satisfies } from '../../../agent/translate/requirements.ts'
import { ruleOf } from '../../compat/solaris/ipsecconf/support.ts'
import { address } from '../../support/address.ts'

function protection(properties: string): Protection {
  const [action] = ruleOf(`{} ipsec {${properties}}\n`).actions
  if (action?.kind !== 'protect') throw new Error(properties)
  return action.protection
}

const PLACE = { mode: 'transport', source: unspecified('inet'), destination: unspecified('inet') } as const

const ah = (authAlgorithm: number, authBits: number): SaContent => ({
  protocol: 'ah',
  encrAlgorithm: 0,
  encrBits: 0,
  authAlgorithm,
  authBits,
  combined: false,
  unique: false,
  ...PLACE,
})

/** [cipher, its key bits, MAC, its key bits]; GCM 20 and GMAC 23 are combined modes. */
const esp = ([encrAlgorithm, encrBits, authAlgorithm, authBits]: readonly number[]): SaContent => ({
  ...ah(authAlgorithm ?? 0, authBits ?? 0),
  protocol: 'esp',
  encrAlgorithm: encrAlgorithm ?? 0,
  encrBits: encrBits ?? 0,
  combined: encrAlgorithm === 20 || encrAlgorithm === 23,
})

const SAS: Readonly<Record<string, SaContent>> = {
  aes128: esp([12, 128]),
  'aes128-sha1': esp([12, 128, 3, 160]),
  'aes256-sha1': esp([12, 256, 3, 160]),
  'aes256-sha256': esp([12, 256, 5, 256]),
  '3des-md5': esp([3, 192, 2, 128]),
  'null-sha1': esp([11, 0, 3, 160]),
  gcm256: esp([20, 256]),
  gmac128: esp([23, 128]),
  'ah-sha1': ah(3, 160),
  'ah-sha256': ah(5, 256),
}

t.test('which SA satisfies which properties', async (t) => {
  const rows: [string, string][] = [
    ['auth_algs sha1', 'ah-sha1'],
    ['auth_algs any', 'ah-sha1 ah-sha256'],
    ['encr_algs aes', 'aes128 aes128-sha1 aes256-sha1 aes256-sha256'],
    ['encr_algs aes encr_auth_algs sha1', 'aes128-sha1 aes256-sha1'],
    ['encr_algs aes(256..) encr_auth_algs sha1', 'aes256-sha1'],
    ['encr_algs aes(192..256) encr_auth_algs any', 'aes256-sha1 aes256-sha256'],
    ['encr_algs aes(..128) encr_auth_algs any', 'aes128-sha1'],
    ['encr_algs any', 'aes128 aes128-sha1 aes256-sha1 aes256-sha256 3des-md5 gcm256'],
    ['encr_algs any encr_auth_algs any', 'aes128-sha1 aes256-sha1 aes256-sha256 3des-md5 gcm256'],
    ['encr_algs any encr_auth_algs md5', '3des-md5'],
    ['encr_auth_algs sha1', 'null-sha1'],
    ['encr_auth_algs any', 'null-sha1'],
    ['encr_algs aes-gcm', 'gcm256'],
    ['encr_algs aes-gcm(128)', ''],
  ]
  for (const [properties, expected] of rows) {
    const [requirement, second] = requirementsOf(protection(properties))
    t.equal(second, undefined)
    const fitting = Object.keys(SAS).filter((name) => {
      const sa = SAS[name]
      return requirement && sa && satisfies(sa, requirement)
    })
    t.equal(fitting.join(' '), expected, properties)
  }
})

t.test('unique SAs, and tunnels', async (t) => {
  const sa = esp([12, 128, 3, 160])
  const properties = 'encr_algs aes encr_auth_algs sha1'
  const [unique] = requirementsOf(protection(`${properties} sa unique`))
  const [shared] = requirementsOf(protection(properties))
  if (!unique || !shared) throw new Error('no requirement')
  t.notOk(satisfies(sa, unique))
  t.ok(satisfies({ ...sa, unique: true }, unique))
  t.ok(satisfies({ ...sa, unique: true }, shared), 'more than was asked')
  const ends = { local: address('192.0.2.1'), remote: address('192.0.2.2') }
  const [tunnel] = requirementsOf(protection(properties), ends)
  if (!tunnel) throw new Error('no requirement')
  const through = { ...sa, mode: 'tunnel', source: ends.local, destination: ends.remote } as const
  t.ok(satisfies(through, tunnel))
  t.ok(satisfies({ ...through, source: ends.remote, destination: ends.local }, tunnel), 'and back')
  t.notOk(satisfies({ ...through, source: address('192.0.2.3') }, tunnel))
  t.notOk(satisfies(through, shared), 'a tunnel is no transport')
  t.notOk(satisfies(sa, tunnel))
})

t.test('ESP is the inner header; only the innermost is a tunnel', async (t) => {
  const ends = { local: address('192.0.2.1'), remote: address('192.0.2.2') }
  const both = requirementsOf(protection('auth_algs sha1 encr_algs aes'), ends)
  t.same(
    both.map(({ protocol, tunnel }) => [protocol, tunnel !== undefined]),
    [
      ['esp', true],
      ['ah', false],
    ],
  )
  t.same(
    both.map(({ key }) => key),
    ['esp encr 12(128..65535) tunnel 192.0.2.1-192.0.2.2', 'ah auth 3(160..65535)'],
    'reqids derive from these texts: they stay',
  )
})
