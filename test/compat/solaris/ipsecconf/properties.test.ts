import t from 'tap'
import { FLAG_COMBINED, PROTOCOL_AH } from '../../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import type { Protection } from '../../../../agent/model/policy.ts'
import { messages, parse, ruleOf } from './support.ts'

function protection(properties: string): Protection {
  const [action] = ruleOf(`{} ipsec {${properties}}`).actions
  if (action?.kind !== 'protect') throw new Error('no protection')
  return action.protection
}

const NO_LIMIT = 65535
const need = (algorithm: number, minBits = 0, maxBits = NO_LIMIT): object => ({ algorithm, minBits, maxBits })

/** Values of `encr_algs`, with what they require. */
const VALUES: readonly (readonly [string, object])[] = [
  ['aes', need(12, 128)],
  ['AES-CBC', need(12, 128)],
  ['12', need(12, 128)],
  ['0xc', need(12, 128)],
  ['014', need(12, 128)],
  ['3des', need(3, 192)],
  ['null', need(11)],
  ['any', need(0)],
  ['ANY', need(0)],
  ['any(256..)', need(0, 256)],
  ['aes()', need(12)],
  ['aes(..)', need(12)],
  ['aes(192)', need(12, 192, 192)],
  ['aes(128..256)', need(12, 128, 256)],
  ['aes(100..300)', need(12, 100, 300)],
  ['aes(192..)', need(12, 192)],
  ['aes(..192)', need(12, 0, 192)],
  ['aes(0..128)', need(12, 0, 128)],
  ['des(64)', need(2, 64, 64)],
  ['null()', need(11)],
  ['aes-gcm(256)', need(20, 256, 256)],
]
for (const [value, expected] of VALUES) {
  t.test(`encr_algs ${value}`, async (t) => {
    t.same(protection(`encr_algs ${value} auth_algs any`).esp?.encryption, expected)
  })
}

const BAD_VALUES = [
  'nosuch',
  '99',
  '256',
  '-1',
  '0',
  '1',
  'aes(',
  'aes(128',
  'aes)',
  'aes(128)x',
  'aes(0)',
  'aes(..0)',
  'aes(64)',
  'aes(129)',
  'aes(130..180)',
  'aes(257..)',
  'aes(..127)',
  'aes(256..128)',
  'any(256..128)',
  'any(0)',
  'aes(128.256)',
  'aes(128...256)',
  'aes(128..foo)',
  'aes(..foo)',
  'aes(foo)',
  'aes(0128)',
  'aes(65536..)',
  'aes(128..65536)',
  'des(56)',
  'null(128)',
  'none(128)',
  '(128)',
]
for (const value of BAD_VALUES) {
  t.test(`refused: encr_algs ${value}`, async (t) => {
    t.same(messages(`{} ipsec {encr_algs ${value} auth_algs any}`), ['Bad Encryption Algorithm on line: 1'])
  })
}

t.test('a length out of range says which there are', async (t) => {
  const expected = (value: string): string | undefined =>
    parse(`{} ipsec {encr_algs ${value} auth_algs any}`).diagnostics[0]?.expected
  t.equal(expected('aes(64)'), 'a key length that aes-cbc has: 128 to 256 bits in steps of 64')
  t.equal(expected('des(56)'), 'a key length that des-cbc has: 64 bits')
  t.equal(expected('null(128)'), 'a key length that null has: none, it has no key')
})

t.test('the three properties', async (t) => {
  t.same(protection('auth_algs sha-256'), { ah: need(5, 256), unique: false })
  t.same(protection('encr_auth_algs md5'), {
    esp: { encryption: need(11), authentication: need(2, 128) },
    unique: false,
  })
  t.same(protection('encr_algs none encr_auth_algs md5 sa unique'), {
    esp: { encryption: need(11), authentication: need(2, 128) },
    unique: true,
  })
  t.same(protection('encr_algs aes encr_auth_algs sha1 sa shared'), {
    esp: { encryption: need(12, 128), authentication: need(3, 160) },
    unique: false,
  })
  t.same(protection('encr_algs aes auth_algs sha1 encr_auth_algs none'), {
    ah: need(3, 160),
    esp: { encryption: need(12, 128) },
    unique: false,
  })
  t.same(protection('encr_algs aes-gcm'), { esp: { encryption: need(20, 128) }, unique: false })
  t.same(protection('encr_algs any encr_auth_algs any auth_algs any'), {
    ah: need(0),
    esp: { encryption: need(0), authentication: need(0) },
    unique: false,
  })
})

const ERRORS: readonly (readonly [string, string])[] = [
  ['{} ipsec {}', 'No IPsec algorithms given'],
  ['{} ipsec {sa shared}', 'No IPsec algorithms given'],
  ['{laddr alpha} apply {auth_algs none encr_algs NONE}', 'No IPsec algorithms given'],
  ['{} ipsec {auth_algs aes}', 'Bad Authentication Algorithm on line: 1'],
  ['{} ipsec {auth_algs sha256(128)}', 'Bad Authentication Algorithm on line: 1'],
  ['{} ipsec {encr_auth_algs aes}', 'Bad ESP Authentication Algorithm on line: 1'],
  ['{} ipsec {encr_algs sha1}', 'Bad Encryption Algorithm on line: 1'],
  ['{} ipsec {auth_algs md5 auth_algs sha1}', 'Duplicate Authentication Algorithm on line: 1'],
  ['{} ipsec {encr_algs any encr_algs aes auth_algs any}', 'Duplicate Encryption Algorithm on line: 1'],
  ['{} ipsec {encr_auth_algs md5\nencr_auth_algs sha1}', 'Duplicate ESP Authentication Algorithm on line: 2'],
  ['{} ipsec {auth_algs md5 sa shared\nsa unique}', 'Duplicate SA on line: 2'],
  ['{} ipsec {auth_algs md5 sa single}', 'Bad SA on line: 1'],
  ['{dir in} drop {auth_algs md5}', 'Algorithms found for bypass policy'],
  ['{dir in} bypass {encr_algs any}', 'Algorithms found for bypass policy'],
  ['{dir in} pass {encr_auth_algs md5}', 'Algorithms found for bypass policy'],
  ['{dir in} bypass {sa unique}', 'Bad SA on line: 1'],
  ['{dir in} drop {sa unique}', 'Bad SA on line: 1'],
  [
    '{} ipsec {encr_algs aes-gcm\nencr_auth_algs sha256}',
    'ERROR: Rule on line 2: Combined mode and esp authentication not supported together.',
  ],
  [
    '{} ipsec {encr_algs 16 encr_auth_algs any}',
    'ERROR: Rule on line 1: Combined mode and esp authentication not supported together.',
  ],
]
for (const [text, expected] of ERRORS) {
  t.test(`refused: ${JSON.stringify(text)}`, async (t) => {
    t.same(messages(text), [expected])
  })
}

t.test('what looks like an error and is none', async (t) => {
  t.same(messages('{dir in} bypass {auth_algs none sa shared}'), [])
  t.same(messages('{} ipsec {encr_algs aes-gcm encr_auth_algs none}'), [])
  const text = '{} ipsec {encr_algs aes-gcm} or ipsec {encr_auth_algs sha1}'
  t.same(messages(text), [], 'combined mode does not reach into the next alternative')
})

t.test('encryption without authentication', async (t) => {
  const danger = (line: number): string =>
    `DANGER:  Rule on line ${line} has encryption with no authentication.`
  const warnings = (text: string): string[] => messages(text, 'warning')
  t.same(warnings('\n{} ipsec {encr_algs aes}'), [danger(2)])
  t.same(warnings('{} ipsec {encr_algs null}'), [danger(1)])
  t.same(warnings('{} ipsec {encr_algs any encr_auth_algs none}'), [danger(1)])
  t.same(warnings('{} ipsec {encr_algs aes} or pass {}'), [danger(1)], 'also beside `pass`')
  t.same(
    warnings('{ulp 6} ipsec {encr_algs aes}\n{ulp 17} ipsec {encr_algs aes}'),
    [danger(1), danger(2)],
    'each rule',
  )
  for (const fine of [
    'encr_algs aes auth_algs md5',
    'encr_algs aes encr_auth_algs md5',
    'encr_algs aes-ccm',
  ]) {
    t.same(warnings(`{} ipsec {${fine}}`), [], fine)
  }
})

t.test('what the kernel lacks is refused', async (t) => {
  const available = [
    { protocol: 3, number: 12 },
    { protocol: 2, number: 5 },
    { protocol: 3, number: 11 },
  ]
  const errors = (properties: string): string[] =>
    parse(`{} ipsec {${properties}}`, { available }).diagnostics.map(({ message }) => message)
  t.same(errors('encr_algs aes encr_auth_algs sha256'), [])
  t.same(errors('encr_algs any encr_auth_algs any'), [])
  t.same(errors('encr_algs aes-gcm'), ['Bad Encryption Algorithm on line: 1'])
  t.same(errors('encr_algs 3des auth_algs 2'), [
    'Bad Encryption Algorithm on line: 1',
    'Bad Authentication Algorithm on line: 1',
  ])
  t.match(parse('{} ipsec {encr_algs aes-gcm}', { available }).diagnostics[0]?.hint, /kernel has no aes-gcm;/)
})

t.test('every name and number of the default table, and the spellings of Oracle Solaris 11.3', async (t) => {
  for (const { protocol, number, names, flags } of defaultAlgorithmTable.algorithms) {
    for (const name of [...names, names[0]?.toUpperCase(), number]) {
      const more = (flags & FLAG_COMBINED) === 0 ? 'encr_auth_algs sha256' : ''
      const properties = protocol === PROTOCOL_AH ? `auth_algs ${name}` : `encr_algs ${name} ${more}`
      const { rules, diagnostics } = parse(`{} ipsec {${properties}}`, { algorithms: defaultAlgorithmTable })
      t.same(diagnostics, [], properties)
      const [action] = rules[0]?.actions ?? []
      const found =
        action?.kind === 'protect' ? (action.protection.ah ?? action.protection.esp?.encryption) : undefined
      t.equal(found?.algorithm, number, properties)
    }
  }
  for (const name of ['sha1', 'sha256', 'sha384', 'sha512', 'md5', 'hmac-sha256', 'SHA-512']) {
    t.same(
      parse(`{} ipsec {encr_auth_algs ${name}}`, { algorithms: defaultAlgorithmTable }).diagnostics,
      [],
      name,
    )
  }
})
