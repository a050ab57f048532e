/**
 * Documents to the model: the same values as from the languages of Solaris, and the sections that only JSON has.
 */
import t from 'tap'
import { PROTOCOL_AH } from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { readConfiguration } from '../../../compat/configuration/index.ts'
import { parsePolicy } from '../../../compat/solaris/ipsecconf/index.ts'
import { parseKeyFile } from '../../../compat/solaris/ipseckey/parser.ts'
import { contents, environment, KEY_128, KEY_256, meaning, read, said } from './support.ts'

/** A rule of JSON and the rule of Solaris that means the same. */
const RULES: readonly (readonly [object, string])[] = [
  [
    {
      local: '192.0.2.0/24',
      remote: '198.51.100.0/24',
      protect: { encryption: 'aes(256)', authentication: 'sha256' },
    },
    '{laddr 192.0.2.0/24 raddr 198.51.100.0/24} ipsec {encr_algs aes(256) encr_auth_algs sha256}',
  ],
  [
    { protocol: 'tcp', localPort: 22, direction: 'both', action: 'bypass' },
    '{ulp tcp lport 22 dir both} bypass {}',
  ],
  [{ protocol: 6, remotePort: 'ssh', direction: 'in', action: 'drop' }, '{ulp 6 rport ssh dir in} drop {}'],
  [
    {
      remote: 'db',
      protect: [{ encryption: 'aes-gcm', associations: 'unique' }, { ah: 'sha256' }, 'bypass'],
    },
    '{raddr db} ipsec {encr_algs aes-gcm sa unique} or ipsec {auth_algs sha256} or pass {}',
  ],
  [
    {
      source: '10.1.1.1',
      sourceMask: '255.255.255.0',
      destination: '10.2.0.0/16',
      destinationPort: 80,
      direction: 'in',
      protect: { ah: 'any' },
    },
    '{saddr 10.1.1.1 smask 255.255.255.0 daddr 10.2.0.0/16 dport 80 dir in} ipsec {auth_algs any}',
  ],
  [
    { source: '10.1.1.1', direction: 'out', protect: { ah: 'md5' } },
    '{saddr 10.1.1.1} apply {auth_algs md5}',
  ],
  [
    { tunnel: { name: 'ip.tun0', mode: 'tunnel' }, local: '10.0.0.0/8', protect: { encryption: 12 } },
    '{tunnel ip.tun0 negotiate tunnel laddr 10.0.0.0/8} ipsec {encr_algs 12}',
  ],
  [
    { protocol: 'icmp', icmpType: 'unreach', icmpCode: '0-3', direction: 'in', action: 'bypass' },
    '{ulp icmp type unreach code 0-3 dir in} bypass {}',
  ],
]
for (const [rule, solaris] of RULES) {
  t.test(solaris, async (t) => {
    const { configuration } = read({ policies: [{ comment: 'nothing' }, rule] })
    const expected = parsePolicy(solaris, 'x', environment).rules
    t.equal(expected.length, 1)
    t.same(meaning(configuration?.rules), meaning(expected))
  })
}

t.test('without a direction, both are meant, as the documentation says', async (t) => {
  const result = read({
    policies: [
      { localPort: 22, action: 'drop' },
      { remotePort: 9, protect: ['bypass'] },
    ],
  })
  t.same(said(result), [])
  t.match(result.configuration?.rules, [
    { direction: 'both', text: '{lport 22} drop {}' },
    { direction: 'both', text: '{rport 9} bypass {}' },
  ])
  const old = read({ policies: [{ source: '10.0.0.1', action: 'drop' }] })
  t.match(said(old), [/^error .*Requires Direction/])
})

t.test('a rule has its text in the language of Solaris, and its place in the document', async (t) => {
  const { configuration } = read(
    '{"policies": [\n  {"local": "10.0.0.1",\n   "action": "drop", "direction": "in"}]}',
  )
  t.match(configuration?.rules, [
    {
      text: '{laddr 10.0.0.1 dir in} drop {}',
      file: 'solipsec.json',
      span: { line: 2, column: 3, length: 21 },
    },
  ])
})

const ENDS = { source: '192.0.2.1', destination: '198.51.100.2' }
const AES = { algorithm: 'aes', key: KEY_128 }
const SHA = { algorithm: 'sha256', key: KEY_256 }
const WORDS = `src 192.0.2.1 dst 198.51.100.2 encr_alg aes encrkey ${KEY_128} auth_alg sha256 authkey ${KEY_256}`

const ASSOCIATIONS: readonly (readonly [object, string])[] = [
  [
    { protocol: 'esp', spi: '0x1001', ...ENDS, encryption: AES, authentication: SHA },
    `add esp spi 0x1001 ${WORDS}`,
  ],
  [
    { protocol: 'ah', spi: 4097, ...ENDS, authentication: SHA },
    `add ah spi 4097 src 192.0.2.1 dst 198.51.100.2 auth_alg sha256 authkey ${KEY_256}`,
  ],
  [
    {
      protocol: 'esp',
      spi: 4097,
      ...ENDS,
      upperProtocol: 'tcp',
      sourcePort: 'ssh',
      destinationPort: 80,
      encryption: AES,
      authentication: SHA,
      hard: { bytes: '18446744073709551615', addTime: 28800, useTime: 7, allocations: 9 },
      soft: { bytes: 100, addTime: 24000 },
      idle: { addTime: 5, useTime: 6 },
      replayWindow: 64,
      replayValue: 12,
      direction: 'out',
      pairSpi: 4098,
      state: 'mature',
      sourceIdentity: { type: 'fqdn', value: 'gw one' },
      destinationIdentity: { value: 'x', type: 6 },
    },
    `add esp spi 4097 ${WORDS} proto tcp sport ssh dport 80 hard_bytes 18446744073709551615 hard_addtime 28800
      `.trim() +
      ' hard_usetime 7 hard_alloc 9 soft_bytes 100 soft_addtime 24000 idle_addtime 5 idle_usetime 6 replay 64' +
      ' replay_value 12 outbound pair-spi 4098 state mature srcidtype fqdn "gw one" dstidtype 6 x',
  ],
  [
    {
      protocol: 'esp',
      spi: 257,
      source6: '2001:db8::1',
      destination6: '2001:db8::2',
      inner: {
        source: '10.1.0.0/16',
        destination: '10.2.0.0/16',
        protocol: 'tcp',
        sourcePort: 1,
        destinationPort: 2,
      },
      encryption: { algorithm: 'aes-gcm', saltBits: 32, key: `${KEY_128}01020304` },
    },
    `add esp spi 257 src6 2001:db8::1 dst6 2001:db8::2 isrc 10.1.0.0/16 idst 10.2.0.0/16 iproto tcp isport 1 idport 2 encr_alg aes-gcm reserved_bits 32 encrkey ${KEY_128}01020304`,
  ],
  [
    {
      protocol: 'esp',
      spi: 257,
      ...ENDS,
      encryption: AES,
      authentication: SHA,
      encapsulation: { local: '192.0.2.9', localPort: 4501, remote: '192.0.2.8', remotePort: 4502 },
    },
    `add esp spi 257 ${WORDS} encap udp nat_loc 192.0.2.9 nat_lport 4501 nat_rem 192.0.2.8 nat_rport 4502`,
  ],
]
for (const [association, solaris] of ASSOCIATIONS) {
  t.test(solaris.slice(0, 60), async (t) => {
    const result = read({ associations: [{ comment: 'an SA', ...association }] })
    const expected = parseKeyFile(solaris, 'x', environment).commands.flatMap((one) =>
      one.kind === 'add' ? [one.association] : [],
    )
    t.equal(expected.length, 1)
    t.same(contents(result.configuration?.associations), contents(expected))
    t.notOk(result.diagnostics.some(({ severity }) => severity === 'error'))
  })
}

t.test('a number keeps every digit that the document has', async (t) => {
  const text = JSON.stringify({
    associations: [{ protocol: 'ah', spi: 300, ...ENDS, authentication: SHA, hard: { bytes: 7 } }],
  }).replace('"bytes":7', '"bytes":18446744073709551615')
  t.equal(read(text).configuration?.associations?.[0]?.hard.bytes, 18446744073709551615n)
})

t.test('keys that stand elsewhere', async (t) => {
  const document = {
    associations: [
      {
        protocol: 'esp',
        spi: 300,
        ...ENDS,
        encryption: { algorithm: 'aes', key: { file: 'a.key' } },
        authentication: { algorithm: 'sha256', key: { credential: 'auth' } },
      },
    ],
  }
  const file = { name: '/etc/a.key', isExposed: false, text: `0x${KEY_128}\n` }
  const credential = { name: '/run/auth', isExposed: true, text: KEY_256 }
  const good = read(document, { files: { 'a.key': file }, credentials: { auth: credential } })
  t.same(said(good), [])
  t.match(contents(good.configuration?.associations), [
    { encrKey: `${KEY_128}/128`, authKey: `${KEY_256}/256` },
  ])

  const short = read(document, {
    files: { 'a.key': { ...file, isExposed: true, text: KEY_128.slice(2) } },
    credentials: { auth: credential },
  })
  t.match(said(short), [
    /^error \/associations\/0\/encryption\/key: .*wrong number of bits/,
    'warning /associations/0/encryption/key/file: /etc/a.key has insecure permissions',
  ])
  const none = read(document, { files: { 'a.key': { ...file, text: `${KEY_128}\nmore` } } })
  t.same(said(none), [
    'error /associations/0/encryption/key/file: /etc/a.key does not hold a key',
    'error /associations/0/authentication/key/credential: It is not there',
  ])
})

t.test('what an SA says besides its key is checked without it', async (t) => {
  const key = { credential: 'elsewhere' }
  const sa = (more: object) => ({ protocol: 'esp', spi: 300, ...ENDS, ...more })
  const missing = (index: number, part: string) =>
    `error /associations/${index}/${part}/key/credential: It is not there`
  for (const { protocol, names, number } of defaultAlgorithmTable.algorithms) {
    const [name = ''] = names
    if (name === 'null' || name === 'none') continue
    const part = protocol === PROTOCOL_AH ? 'authentication' : 'encryption'
    for (const algorithm of [name, number]) {
      const { configuration, diagnostics } = read({ associations: [sa({ [part]: { key, algorithm } })] })
      const aboutKey = diagnostics.filter(
        ({ severity, pointer }) => severity === 'error' && pointer?.includes('/key'),
      )
      t.same(said({ diagnostics: aboutKey }), [missing(0, part)], name)
      t.same(configuration?.associations, [], 'it is not there to be used')
    }
  }
  const authentication = { algorithm: 'sha256', key }
  const wrong = [
    sa({ authentication }),
    sa({ authentication }),
    sa({ spi: 301, destination: '2001:db8::1', authentication }),
  ]
  const found = said(read({ associations: wrong })).filter((one) => !one.includes('/authentication/'))
  t.match(found, [/^error \/associations\/1\/spi: Duplicate SA/, /^error \/associations\/2/])
})

t.test('keys in a document that others can read', async (t) => {
  const withKey = { associations: [{ protocol: 'ah', spi: 300, ...ENDS, authentication: SHA }] }
  t.match(said(read(withKey, { isExposed: true })), [
    /^warning \/associations\/0\/authentication\/key: .*insecure/,
  ])
  t.same(said(read({ policies: [] }, { isExposed: true })), [])
  const comments = (comment: string) => said(read({ associations: [{ comment }] }, { isExposed: true }))
  t.same(comments('The keys are credentials of the service.'), [])
  t.match(comments(`add ah authkey ${KEY_256}`), [/^warning \/associations\/0\/comment/])
})

t.test('sections that are files of Solaris', async (t) => {
  const files = {
    'p.conf': {
      name: '/p.conf',
      isExposed: true,
      text: '{lport 22 dir both} bypass {}\n{} ipsec {auth_algs own}',
    },
    keys: {
      name: '/keys',
      isExposed: true,
      text: `flush\nadd ah spi 300 dst 192.0.2.1 auth_alg own authkey ${KEY_128}`,
    },
    algs: {
      name: '/algs',
      isExposed: true,
      text: 'PROTO|2|AH|sync\nALG|2|200|own|CKM_OWN|128|12\n',
    },
  }
  const document = {
    algorithms: { file: 'algs' },
    policies: { file: 'p.conf' },
    associations: { file: 'keys' },
  }
  const result = read(document, { files })
  t.same(said(result), ['warning /associations/file: /keys has insecure permissions'])
  t.equal(result.configuration?.rules?.length, 2)
  t.equal(result.configuration?.associations?.[0]?.authAlgorithm, 200)
  t.equal(result.configuration?.hasAlgorithms, true)
  t.same(said(read(document)), [
    'error /algorithms/file: It is not there',
    'error /policies/file: It is not there',
    'error /associations/file: It is not there',
  ])
})

t.test('a key file that does more than add is no configuration', async (t) => {
  const add = `add ah spi 300 dst 192.0.2.1 auth_alg sha256 authkey ${KEY_256}`
  const bad = [`${add}\nflush`, `${add}\ndelete ah spi 300 dst 192.0.2.1`, `${add}\n${add}`]
  for (const text of bad) {
    const result = read(
      { associations: { file: 'k' } },
      { files: { k: { name: '/k', text, isExposed: false } } },
    )
    t.match(
      result.diagnostics.filter(({ severity }) => severity === 'error'),
      [{ file: '/k', span: { line: 2 } }],
      text.slice(0, 5),
    )
  }
})

t.test('a table of algorithms', async (t) => {
  const table = (algorithm: object) => ({
    algorithms: {
      protocols: [
        {
          number: 2,
          name: 'AH',
          algorithms: [{ number: 200, names: ['own'], mechanism: 'X', ...algorithm }],
        },
        { number: 3, name: 'ESP', mode: 'async', algorithms: [] },
      ],
    },
    policies: [{ protect: { ah: 'own(160)' } }],
  })
  const good = read(table({ keySizes: { kind: 'list', sizes: [128, 160] }, blockOrMacSizes: [12] }))
  t.same(said(good), [])
  t.match(good.configuration?.rules, [
    { actions: [{ protection: { ah: { algorithm: 200, minBits: 160 } } }] },
  ])
  const range = { kind: 'range', default: 100, min: 128, max: 256, step: 64 }
  t.match(said(read(table({ keySizes: range, blockOrMacSizes: [12] }))), [
    /^error \/algorithms\/protocols\/0\/algorithms\/0\/keySizes: Default key size/,
    /^error \/policies\/0\/protect\/ah: Bad Authentication Algorithm/,
  ])
})

t.test('tunnels', async (t) => {
  const tunnel = {
    name: 'ip.tun0',
    kind: 'gre',
    local: '192.0.2.1',
    remote: '192.0.2.2',
    addresses: ['10.0.0.1/30'],
  }
  const rule = (name: string) => ({ tunnel: { name, mode: 'tunnel' }, protect: { encryption: 'aes-gcm' } })
  const result = read({
    tunnels: [tunnel, { ...tunnel, name: 'b', mtu: 1400 }],
    policies: [rule('ip.tun0'), rule('c')],
  })
  t.match(result.configuration?.tunnels, [
    { name: 'ip.tun0', kind: 'gre', local: { family: 'inet' }, addresses: [{ length: 30 }] },
    { name: 'b', mtu: 1400 },
  ])
  t.match(said(result), [/^warning \/policies\/1: The tunnel c is not among/])
  t.match(said(read({ tunnels: [{ ...tunnel, local: '::1', addresses: ['10.0.0.1'] }, tunnel] })), [
    'error /tunnels/0/local: Bad end of a tunnel',
    'error /tunnels/0/addresses/0: Bad address of an interface',
    'error /tunnels/1/name: Duplicate tunnel ip.tun0: line 4 has it already',
  ])
})

t.test('policies of sockets', async (t) => {
  const { configuration, diagnostics } = read({
    sockets: [
      {
        service: 'a.service',
        protect: { encryption: 'aes-gcm', associations: 'unique' },
        selfEncapsulation: true,
      },
      { service: 'b.service', action: 'bypass' },
    ],
  })
  t.same(diagnostics, [])
  t.match(configuration?.sockets, [
    {
      service: 'a.service',
      action: { kind: 'protect', protection: { unique: true } },
      selfEncapsulation: true,
    },
    { service: 'b.service', action: { kind: 'bypass' }, selfEncapsulation: false },
  ])
  t.match(
    said(
      read({
        sockets: [
          { service: 'a.service', protect: { encryption: 'aex' } },
          { service: 'a.service', action: 'bypass', selfEncapsulation: true },
        ],
      }),
    ),
    [
      /^error \/sockets\/0\/protect\/encryption: Bad Encryption Algorithm/,
      'error /sockets/1/service: Duplicate service: line 4 has it already',
    ],
  )
  for (const service of ['postgresql', 'system.slice']) {
    const found = read({ sockets: [{ service, action: 'bypass' }] })
    t.same(said(found), ['warning /sockets/0/service: No program belongs to a unit of this name'])
    t.match(found.configuration?.sockets, [{ service }], 'taken as it is')
  }
})

t.test('what a document does not say stays unsaid', async (t) => {
  const { configuration } = read({})
  t.same(Object.keys(configuration ?? {}).sort(), ['algorithms', 'hasAlgorithms'])
  const full = read({
    policies: [],
    associations: [],
    tunnels: [],
    sockets: [],
    tunables: {},
    dataPath: 'software',
  })
  t.match(full.configuration, { rules: [], associations: [], tunnels: [], sockets: [], dataPath: 'software' })
  t.match(said(read({ tunables: { ah: { paddingCheck: 'none' } } })), [
    'error /tunables/ah/paddingCheck: AH has no `paddingCheck`',
  ])
  t.match(
    said(read({ tunables: { esp: { softBytes: 9, hardBytes: 8 }, ah: { softBytes: 9, hardBytes: 0 } } })),
    ['error /tunables/esp/softBytes: The soft limit lies above the hard one'],
  )
})

t.test('what the kernel lacks matters only where it carries the packets', async (t) => {
  const document = (dataPath: string) => JSON.stringify({ dataPath, policies: [{ protect: { ah: 'md5' } }] })
  const lacking = { ...environment, available: [] }
  t.match(readConfiguration(document('kernel'), 'x', lacking).diagnostics, [
    { hint: /running kernel has no/ },
  ])
  t.same(readConfiguration(document('software'), 'x', lacking).diagnostics, [])
})
