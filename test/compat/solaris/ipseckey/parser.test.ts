import t from 'tap'
import { formatAddress, formatPrefix } from '../../../../agent/model/address.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import {
  parseCommandLine,
  parseInteractive,
  parseKeyFile,
} from '../../../../compat/solaris/ipseckey/parser.ts'
import { address } from '../../../support/address.ts'
import {
  ADD,
  ADD_AH,
  AUTH,
  added,
  command,
  DELETE,
  ENCR,
  ENDS,
  KEY_64,
  KEY_128,
  KEY_256,
  messages,
  options,
  parse,
  UPDATE,
} from './support.ts'

t.test('an add with nothing but what it needs', (t) => {
  const { authKey, encrKey, ...rest } = added(ADD)
  t.same(rest, {
    protocol: 'esp',
    spi: 0x1234,
    source: address('192.0.2.1'),
    destination: address('198.51.100.2'),
    upperProtocol: 0,
    sourcePort: 0,
    destinationPort: 0,
    authAlgorithm: 5,
    encrAlgorithm: 12,
    saltBits: 0,
    soft: { allocations: 0n, bytes: 0n, addTime: 0n, useTime: 0n },
    hard: { allocations: 0n, bytes: 0n, addTime: 0n, useTime: 0n },
    idle: { addTime: 0n, useTime: 0n },
    replayWindow: 0,
    replayValue: 0n,
  })
  t.equal(Buffer.from(authKey?.reveal() ?? []).toString('hex'), KEY_256)
  t.equal(Buffer.from(encrKey?.reveal() ?? []).toString('hex'), KEY_128)
  t.end()
})

type Want = (sa: SecurityAssociation) => unknown
const TUNNEL = `${ADD} proto 4 isrc 10.0.0.0/8 idst 10.1.0.1`
const NAT = `${ADD} encap udp nat_rem 198.51.100.2`

const EXTENSIONS: [text: string, want: Want, value: unknown][] = [
  [`${ADD} replay 32`, (sa) => sa.replayWindow, 32],
  [`${ADD} replay_value 0x10`, (sa) => sa.replayValue, 16n],
  [`${ADD} replay_value 0xffffffffffffffff`, (sa) => sa.replayValue, 2n ** 64n - 1n],
  [`${ADD} state mature`, (sa) => sa.spi, 0x1234],
  [`${ADD} state MATURE`, (sa) => sa.spi, 0x1234],
  [`${ADD} pair-spi 0x2222`, (sa) => sa.pairSpi, 0x2222],
  [`${ADD} inbound`, (sa) => sa.direction, 'in'],
  [`${ADD} outbound`, (sa) => sa.direction, 'out'],
  [`${ADD} soft_bytes 1 hard_bytes 2`, (sa) => [sa.soft.bytes, sa.hard.bytes], [1n, 2n]],
  [`${ADD} soft_addtime 1 hard_addtime 2`, (sa) => [sa.soft.addTime, sa.hard.addTime], [1n, 2n]],
  [`${ADD} soft_usetime 1 hard_usetime 2`, (sa) => [sa.soft.useTime, sa.hard.useTime], [1n, 2n]],
  [`${ADD} soft_alloc 1 hard_alloc 2`, (sa) => [sa.soft.allocations, sa.hard.allocations], [1n, 2n]],
  [`${ADD} soft_bytes 5`, (sa) => sa.soft.bytes, 5n],
  [`${ADD} soft_bytes 5 hard_bytes 0`, (sa) => sa.hard.bytes, 0n],
  [`${ADD} idle_addtime 7 idle_usetime 8`, (sa) => sa.idle, { addTime: 7n, useTime: 8n }],
  [`${ADD} sport 80 dport https proto tcp`, ports, [80, 443, 6]],
  [`${ADD} ulp 17 sport telnet`, ports, [23, 0, 17]],
  [`${ADD} proto icmp`, ports, [0, 0, 1]],
  [`${ADD} proto 4`, (sa) => [sa.upperProtocol, sa.inner], [4, undefined]],
  [TUNNEL, inner, ['10.0.0.0/8', '10.1.0.1/32', 0, 0, 0]],
  [TUNNEL, (sa) => sa.upperProtocol, 0],
  [`${ADD} isrc 10.0.0.0/8`, inner, ['10.0.0.0/8', '0.0.0.0/0', 0, 0, 0]],
  [`${ADD} idst6 2001:db8::/32`, inner, ['::/0', '2001:db8::/32', 0, 0, 0]],
  [`${ADD} innersrc 10.0.0.1 innerdst left`, inner, ['10.0.0.1/32', '192.0.2.1/32', 0, 0, 0]],
  [`${ADD} proxyaddr 10.0.0.1`, inner, ['10.0.0.1/32', '0.0.0.0/0', 0, 0, 0]],
  [`${ADD} proxy 0.0.0.0/0`, inner, ['0.0.0.0/0', '0.0.0.0/0', 0, 0, 0]],
  [`${TUNNEL} iproto tcp isport 1 idport 2`, inner, ['10.0.0.0/8', '10.1.0.1/32', 1, 2, 6]],
  [`${TUNNEL} iulp udp innersport 3 innerdport 4`, inner, ['10.0.0.0/8', '10.1.0.1/32', 3, 4, 17]],
  [`${ADD} proto 41 idport 4`, inner, ['::/0', '::/0', 0, 4, 0]],
  [NAT, nat, [undefined, '198.51.100.2', 4500, 4500]],
  [`${ADD} encap udp-esp nat_loc 192.0.2.1 nat_lport 1 nat_rport 2`, nat, ['192.0.2.1', undefined, 1, 2]],
  [`${ADD} srcidtype fqdn a.example`, (sa) => sa.sourceIdentity, { type: 2, value: 'a.example' }],
  [`${ADD} dstidtype der_dn "C=CH, O=x"`, (sa) => sa.destinationIdentity, { type: 4, value: 'C=CH, O=x' }],
  [`add esp spi 256 dst 198.51.100.2 ${AUTH}`, (sa) => formatAddress(sa.source), '0.0.0.0'],
  [`add esp spi 256 dst 2001:db8::1 ${AUTH}`, (sa) => formatAddress(sa.source), '::'],
  [`add esp spi 256 ${ENDS} ${AUTH}`, (sa) => sa.encrAlgorithm, 11],
  [`add esp spi 256 ${ENDS} encr_alg null ${AUTH}`, (sa) => [sa.encrAlgorithm, sa.encrKey], [11, undefined]],
  [`add esp spi 256 ${ENDS} ${ENCR}`, (sa) => [sa.authAlgorithm, sa.authKey], [0, undefined]],
  [ADD_AH, (sa) => [sa.protocol, sa.encrAlgorithm], ['ah', 0]],
  [`add 2 spi 256 ${ENDS} ${AUTH}`, (sa) => sa.protocol, 'ah'],
  [`add ESP spi 256 ${ENDS} ${AUTH}`, (sa) => sa.protocol, 'esp'],
  [`add esp spi 0400 ${ENDS} ${AUTH}`, (sa) => sa.spi, 256],
  [`add esp spi 0xffffffff ${ENDS} ${AUTH}`, (sa) => sa.spi, 0xffffffff],
  [`add esp spi 256 ${ENDS} authalg 0x5 authkey ${KEY_256}`, (sa) => sa.authAlgorithm, 5],
  [`add esp spi 256 ${ENDS} encralg AES-CBC encrkey ${KEY_256}`, (sa) => sa.encrKey?.bits, 256],
  [`add esp spi 256 ${ENDS} encr_alg des encrkey 0000000000000002`, (sa) => keyHex(sa), '0101010101010102'],
  [`add esp spi 256 ${ENDS} encr_alg aes encrkey ${KEY_128}00/128`, (sa) => sa.encrKey?.bits, 128],
  [`add esp spi 256 ${ENDS} encr_alg aes-gcm encrkey ${KEY_128}01020304`, salt, [160, 32]],
  [`add esp spi 256 ${ENDS} reserved_bits 32 encr_alg aes-gcm encrkey ${KEY_128}01020304`, salt, [160, 32]],
  [`add esp spi 256 ${ENDS} encr_alg aes-gcm encrkey ${KEY_128}01020304 reserved_bits 32`, salt, [160, 32]],
  [`add esp spi 256 ${ENDS} reserved_bits 24 encr_alg aes-ccm encrkey ${KEY_256}010203`, salt, [280, 24]],
  [`add esp spi 256 ${ENDS} reserved_bits 0 ${ENCR}`, salt, [128, 0]],
  [
    `add esp spi 256 src ::ffff:192.0.2.1 dst mapped ${AUTH}`,
    (sa) => formatAddress(sa.destination),
    '192.0.2.1',
  ],
]

function ports(sa: SecurityAssociation) {
  return [sa.sourcePort, sa.destinationPort, sa.upperProtocol]
}

function inner({ inner }: SecurityAssociation) {
  if (!inner) return undefined
  const { source, destination, sourcePort, destinationPort, protocol } = inner
  return [formatPrefix(source), formatPrefix(destination), sourcePort, destinationPort, protocol]
}

function nat({ encapsulation }: SecurityAssociation) {
  if (!encapsulation) return undefined
  const { local, remote, localPort, remotePort } = encapsulation
  return [local && formatAddress(local), remote && formatAddress(remote), localPort, remotePort]
}

function salt(sa: SecurityAssociation) {
  return [sa.encrKey?.bits, sa.saltBits]
}

function keyHex(sa: SecurityAssociation) {
  return Buffer.from(sa.encrKey?.reveal() ?? []).toString('hex')
}

for (const [text, want, value] of EXTENSIONS) {
  t.test(text.replace(/[0-9a-f]{16,}/g, 'KEY'), (t) => {
    t.same(want(added(text)), value)
    t.end()
  })
}

const SYNONYMS: [Want, string[]][] = [
  [(sa) => formatAddress(sa.source), ['src', 'saddr', 'srcaddr', 'src6', 'saddr6', 'srcaddr6']],
]
for (const [want, words] of SYNONYMS) {
  for (const word of words) {
    t.test(`synonym ${word}`, (t) => {
      t.equal(want(added(`add esp spi 256 ${word} 2001:db8::1 dst 2001:db8::2 ${AUTH}`)), '2001:db8::1')
      t.end()
    })
  }
}
for (const word of ['dst', 'daddr', 'dstaddr', 'dst6', 'daddr6', 'dstaddr6']) {
  t.test(`synonym ${word}`, (t) => {
    t.equal(formatAddress(added(`add esp spi 256 ${word} 2001:db8::2 ${AUTH}`).destination), '2001:db8::2')
    t.end()
  })
}
for (const word of ['isrc', 'innersrc', 'proxy', 'proxyaddr']) {
  t.test(`synonym ${word}6`, (t) => {
    t.equal(inner(added(`${ADD} ${word}6 2001:db8::1`))?.[0], '2001:db8::1/128')
    t.end()
  })
}

const IDENTITY_WORDS: [string, number][] = [
  ['prefix', 1],
  ['fqdn', 2],
  ['domain', 2],
  ['domainname', 2],
  ['user_fqdn', 3],
  ['MAILBOX', 3],
  ['der_dn', 4],
  ['der_gn', 5],
  ['6', 6],
  ['0xffff', 65535],
]
for (const [word, type] of IDENTITY_WORDS) {
  t.test(`identity type ${word}`, (t) => {
    t.same(added(`${ADD} dstidtype ${word} v`).destinationIdentity, { type, value: 'v' })
    t.end()
  })
}

const TARGET = {
  protocol: 'esp',
  spi: 0x1234,
  destination: address('198.51.100.2'),
  upperProtocol: 0,
  sourcePort: 0,
  destinationPort: 0,
}
const COMMANDS: [text: string, expected: unknown][] = [
  [DELETE, { kind: 'delete', target: TARGET }],
  ['delete-pair ah spi 1 dst right', { kind: 'delete-pair', target: { ...TARGET, protocol: 'ah', spi: 1 } }],
  [
    `get esp spi 0x1234 ${ENDS} proto tcp sport 1 dport 2 inbound`,
    {
      kind: 'get',
      target: {
        ...TARGET,
        source: address('192.0.2.1'),
        upperProtocol: 6,
        sourcePort: 1,
        destinationPort: 2,
        direction: 'in',
      },
    },
  ],
  [
    `${UPDATE} state dying hard_bytes 9 soft_usetime 1 idle_addtime 3 replay_value 4 pair-spi 0x999`,
    {
      kind: 'update',
      target: TARGET,
      changes: {
        state: 'dying',
        hard: { bytes: 9n },
        soft: { useTime: 1n },
        idle: { addTime: 3n },
        replayValue: 4n,
        pairSpi: 0x999,
      },
      expected: {},
    },
  ],
  [
    'update-pair esp spi 0x1234 dst 198.51.100.2 hard_addtime 5 encr_alg aes outbound',
    {
      kind: 'update-pair',
      target: { ...TARGET, direction: 'out' },
      changes: { hard: { addTime: 5n } },
      expected: { encrAlgorithm: 12 },
    },
  ],
  ['flush', { kind: 'flush' }],
  ['flush all', { kind: 'flush' }],
  ['flush ah', { kind: 'flush', protocol: 'ah' }],
  ['flush 3', { kind: 'flush', protocol: 'esp' }],
  ['quit', { kind: 'quit' }],
  ['exit', { kind: 'quit' }],
]
for (const [text, expected] of COMMANDS) {
  t.test(text, (t) => {
    t.same(command(text), expected)
    t.end()
  })
}

const AT_PROMPT: [text: string, expected: unknown][] = [
  ['dump', { kind: 'dump' }],
  ['dump esp', { kind: 'dump', protocol: 'esp' }],
  ['save all', { kind: 'save' }],
  ['save AH -', { kind: 'save', protocol: 'ah' }],
  ['save esp /tmp/x', { kind: 'save', protocol: 'esp', file: '/tmp/x' }],
  ['monitor', { kind: 'monitor', passive: false }],
  ['passive_monitor', { kind: 'monitor', passive: true }],
  ['pmonitor', { kind: 'monitor', passive: true }],
  ['help', { kind: 'help' }],
  ['? add', { kind: 'help', topic: 'add' }],
  [DELETE, { kind: 'delete', target: TARGET }],
]
for (const [text, expected] of AT_PROMPT) {
  t.test(`${text} at the prompt and as operands`, (t) => {
    t.same(parseInteractive(text, options).commands, [expected])
    t.same(parseCommandLine(text.split(' '), options).commands, [expected])
    t.end()
  })
}

t.test('adding is for files and the prompt, not for operands', (t) => {
  t.equal(parseInteractive(ADD, options).commands.length, 1)
  for (const line of [ADD, UPDATE, 'update-pair esp spi 1 dst right']) {
    const { commands, diagnostics } = parseCommandLine(line.split(' '), options)
    t.same(commands, [])
    t.same(messages(diagnostics), ["error: can't do ADD or UPDATE from the command line."])
    t.notMatch(JSON.stringify(diagnostics), KEY_64)
  }
  t.same(parseCommandLine([], options).commands, [])
  t.end()
})

t.test('entries keep their lines, and their text without keys', (t) => {
  const file = parse(`# c\n\nflush esp\n${ADD.replace(' encrkey', ' \\\n  encrkey')}\nexit\nflush\n`)
  t.same(
    file.entries.map(({ firstLine, lastLine, commands }) => [firstLine, lastLine, commands[0]?.kind]),
    [
      [3, 3, 'flush'],
      [4, 5, 'add'],
      [6, 6, 'quit'],
    ],
  )
  t.match(
    file.entries[1]?.text,
    /^add esp spi 0x1234 .* \\\n {2}encrkey x{32} auth_alg sha256 authkey x{64}$/,
  )
  t.same(messages(file.diagnostics), ['warning: Nothing after this line is read.'])
  t.end()
})

t.test('man page examples', (t) => {
  const md5 = `authalg md5 authkey ${KEY_128}`
  const des = 'encralg des encrkey be02938e7def2839'
  const text = [
    `add ah spi 0x90125 src left dst right \\\n  ${md5}`,
    'update ah spi 0x90125 dst right hard_bytes \\\n  16000000',
    `add esp spi 0x2345 src left dst right \\\n ${md5} \\\n ${des} hard_usetime 28800`,
    `add esp spi 0x5432 src right dst left \\\n ${md5} \\\n ${des} pair-spi 0x2345`,
    `add esp spi 0x6789 src6 fec0:bbbb::4483 dst6 fec0:bbbb::7843\\\n ${md5} ${des}`,
    'update esp spi 0x123456 dst 192.168.99.2 \\\n pair-spi 0x654321',
    'delete esp spi 0x2112 dst 224.0.0.1',
  ].join('\n')
  const { commands, diagnostics } = parseKeyFile(text, 'keys', options)
  t.same(diagnostics, [])
  t.same(
    commands.map(({ kind }) => kind),
    ['add', 'update', 'add', 'add', 'add', 'update', 'delete'],
  )
  t.end()
})
