/**
 * What is wrong with a document is said in sentences, at its place, each thing once.
 */
import t from 'tap'
import { renderDiagnostics } from '../../../compat/diagnostics.ts'
import { KEY_128, read, said } from './support.ts'

const RULE = { local: '10.0.0.1', protect: { encryption: 'aes', authentication: 'sha256' } }
const SA = {
  protocol: 'esp',
  spi: 300,
  source: '192.0.2.1',
  destination: '192.0.2.2',
  encryption: { algorithm: 'aes-gcm', key: `${KEY_128}01020304` },
}
const rule = (more: object) => ({ policies: [{ ...RULE, ...more }] })
const association = (more: object) => ({ associations: [{ ...SA, ...more }] })

/** A document, and the one error that it has: pointer, message, what was expected or the way out. */
const CASES: readonly (readonly [object | string, pointer: string, message: string, advice: RegExp])[] = [
  ['[]', '', 'The document is a list', /an object in braces/],
  [{ polices: [] }, '/polices', 'There is no member `polices` here', /Did you mean `policies`/],
  [{ version: 2 }, '/version', '`version` is none of the words that can stand here', /1/],
  [{ policies: {} }, '/policies', '`policies` has no `file`', /ipsecinit.conf/],
  [{ policies: [3] }, '/policies/0', 'This entry of `policies` is a number', /an object/],
  [rule({ loca: 1 }), '/policies/0/loca', 'There is no member `loca` here', /Did you mean `local`/],
  [rule({ LOCALPORT: 1 }), '/policies/0/LOCALPORT', 'There is no member `LOCALPORT` here', /`localPort`/],
  [
    rule({ frobnicate: 1 }),
    '/policies/0/frobnicate',
    'There is no member `frobnicate` here',
    /one of comment, local/,
  ],
  [rule({ local: 1 }), '/policies/0/local', '`local` is a number', /text in double quotes.*laddr/s],
  [rule({ local: 'a b' }), '/policies/0/local', '`local` cannot be written like this', /laddr.*192\.0\.2\.1/],
  [rule({ localPort: 65536 }), '/policies/0/localPort', '`localPort` is out of range', /from 0 to 65535/],
  [rule({ localPort: 1.5 }), '/policies/0/localPort', '`localPort` is a number', /a whole number or text/],
  [rule({ localPort: null }), '/policies/0/localPort', '`localPort` is `null`', /a whole number or text/],
  [
    rule({ direction: 'inn' }),
    '/policies/0/direction',
    '`direction` is none of the words that can stand here',
    /Did you mean `in`/,
  ],
  [
    rule({ action: 'drop' }),
    '/policies/0/action',
    '`action` cannot stand beside `protect`',
    /one of the two/,
  ],
  [
    { policies: [{ local: 'a' }] },
    '/policies/0',
    'This entry of `policies` has no `protect` and no `action`',
    /^$/,
  ],
  [rule({ protect: [] }), '/policies/0/protect', '`protect` is empty', /alternatives/],
  [
    rule({ protect: ['bypas'] }),
    '/policies/0/protect/0',
    'This entry of `protect` is none of the words that can stand here',
    /`bypass`/,
  ],
  [
    rule({ protect: [{ esp: 1 }] }),
    '/policies/0/protect/0/esp',
    'There is no member `esp` here',
    /encryption/,
  ],
  [rule({ protect: 'aes' }), '/policies/0/protect', '`protect` is text', /an object in braces or a list/],
  [rule({ tunnel: { name: 'a' } }), '/policies/0/tunnel', '`tunnel` has no `mode`', /tunnel: packets inside/],
  [rule({ source: '10.0.0.1' }), '/policies/0/source', 'Bad Source Address on line: 9', /new style/],
  [association({ spi: 255 }), '/associations/0/spi', '`spi` is out of range', /256/],
  [association({ spi: '0xff' }), '/associations/0/spi', 'Invalid SPI value "0xff".', /256/],
  [
    association({ spi: undefined }),
    '/associations/0',
    'This entry of `associations` has no `spi`',
    /parameters index/,
  ],
  [
    association({ encryption: { algorithm: 'aes', key: {} } }),
    '/associations/0/encryption/key',
    '`key` is not what can stand here',
    /`file` or `credential`/,
  ],
  [
    association({ source: '::1' }),
    '/associations/0/destination',
    'No match for destination IP address.',
    /same family/,
  ],
  [{ algorithms: {} }, '/algorithms', '`algorithms` has no `file` and no `protocols`', /^$/],
  [
    { algorithms: { file: 'x', protocols: [] } },
    '/algorithms/protocols',
    '`protocols` cannot stand beside `file`',
    /one of the two/,
  ],
  [{ sockets: [null] }, '/sockets/0', 'This entry of `sockets` is `null`', /an object/],
  [{ tunnels: [null] }, '/tunnels/0', 'This entry of `tunnels` is `null`', /an object/],
  [{ ike: { rules: [{}] } }, '/ike/rules', '`rules` has more than 0 entries', /yet/],
  [
    { dataPath: 'kernal' },
    '/dataPath',
    '`dataPath` is none of the words that can stand here',
    /Did you mean `kernel`/,
  ],
  ['{"policies": [], "policies": []}', '', 'This object has a member of that name already', /join/],
]
for (const [document, pointer, message, advice] of CASES) {
  t.test(`${pointer}: ${message}`, async (t) => {
    const result = read(document)
    const errors = result.diagnostics.filter(({ severity }) => severity === 'error')
    t.same(said({ diagnostics: errors }), [`error ${pointer}: ${message}`])
    const [{ expected = '', hint = '' } = {}] = errors
    t.match([expected, hint].filter((text) => text !== '').join('\n'), advice)
  })
}

t.test('a diagnostic shows line, column, caret and pointer', async (t) => {
  const text =
    '{\n  "policies": [\n    { "local": "10.0.0.1/33", "action": "drop", "direction": "in" }\n  ]\n}\n'
  t.equal(
    renderDiagnostics(read(text).diagnostics),
    [
      'solipsec.json:3:17: error: /33 prefix is too big!',
      ' 3 |     { "local": "10.0.0.1/33", "action": "drop", "direction": "in" }',
      '   |                 ^~~~~~~~~~~',
      '   at /policies/0/local',
      '   expected a prefix length from 0 to 32',
      '',
    ].join('\n'),
  )
})

t.test('one run tells everything, and what is right is read', async (t) => {
  const result = read({
    policies: [{ local: 3, action: 'drop' }, RULE, { ...RULE, local: 'nowhere' }, { ...RULE, colour: 'red' }],
    associations: [{ ...SA, spi: 'x' }, SA, { ...SA, encryption: { algorithm: 'aes-gcm', key: '00' } }, SA],
    tunables: { ip: { policyLogInterval: -1 } },
  })
  t.match(
    said(result).filter((one) => one.startsWith('error')),
    [
      /\/policies\/0\/local/,
      /\/policies\/2\/local: Could not resolve/,
      /\/policies\/3\/colour/,
      /\/associations\/0\/spi/,
      /\/associations\/2\/encryption\/key/,
      /\/associations\/3\/spi: Duplicate SA/,
      /\/tunables\/ip\/policyLogInterval/,
    ],
  )
  t.equal(result.configuration?.rules?.length, 1)
  t.equal(result.configuration?.tunables, undefined)
})

t.test('rules that contradict each other, and rules that are there twice', async (t) => {
  const drop = { localPort: 22, direction: 'in', action: 'drop' }
  const messages = said(read({ policies: [drop, drop, { ...drop, action: 'bypass' }] }))
  t.match(messages, [
    /^warning \/policies\/1: Duplicate/,
    /^error \/policies\/2: Conflicting policy entry: line 3/,
  ])
})

t.test('of very many errors of the schema, the first are told', async (t) => {
  const found = said(read({ policies: Array(3000).fill({ local: 1, action: 'drop' }) }))
  t.equal(found.length, 1001)
  t.equal(found[999], 'error /policies/999/local: `local` is a number')
  t.equal(found[1000], 'error /policies/1000/local: 2000 more errors of this kind')
})
