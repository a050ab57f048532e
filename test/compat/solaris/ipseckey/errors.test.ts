import t from 'tap'
import { parseKeyFile } from '../../../../compat/solaris/ipseckey/parser.ts'
import {
  ADD,
  ADD_AH,
  AUTH,
  DELETE,
  ENCR,
  ENDS,
  KEY_64,
  KEY_128,
  KEY_160,
  KEY_256,
  messages,
  options,
  parse,
  UPDATE,
} from './support.ts'

const code = (number: number) => `One of the entered values is incorrect: Diagnostic code ${number}: `

/** Each text has this one error, which begins so. */
const ERRORS: [text: string, message: string][] = [
  // Commands and SA types.
  ['ad esp', 'Unknown command ("ad").'],
  ['Add esp', 'Unknown command ("Add").'],
  ['dump', 'dump not appropriate in config file.'],
  ['monitor', 'monitor not appropriate in config file.'],
  ['pmonitor', 'pmonitor not appropriate in config file.'],
  ['save all', 'save not appropriate in config file.'],
  ['help', 'help not appropriate in config file.'],
  ['add', 'Must specify a specific SA type.'],
  ['add all spi 1', 'Must specify a specific SA type.'],
  ['update 0', 'Must specify a specific SA type.'],
  ['delete', 'Must specify a single SA type.'],
  ['get all', 'Must specify a single SA type.'],
  ['add foo', 'Unknown SA type ("foo").'],
  ['flush foo', 'Unknown SA type ("foo").'],
  ['flush esp ah', 'Too many arguments for flush command'],
  ['quit now', 'Too many arguments for quit command'],
  // The shape of an entry.
  [`${ADD} # a comment`, 'Unknown extension field "#"'],
  [`${ADD} \\ `, 'Unknown extension field "\\"'],
  [`${ADD} SPI 5`, 'Unknown extension field "SPI"'],
  [`${ADD} srcidtype fqdn ""`, 'Empty string.'],
  [`${ADD} srcidtype fqdn "a`, 'Unterminated string.'],
  [`${ADD} srcidtype fqdn "a"b`, 'Text directly after a string.'],
  // Numbers.
  [`${ADD} hard_bytes x`, 'Expecting a number, not "x"!'],
  [`${ADD} hard_bytes -1`, 'Expecting a number, not "-1"!'],
  [`${ADD} hard_bytes 09`, 'Expecting a number, not "09"!'],
  [`${ADD} hard_bytes`, 'Unexpected end of command line, was expecting a number.'],
  [`${ADD} hard_bytes 18446744073709551616`, 'The number <not shown> is out of range.'],
  [`${ADD} hard_alloc 0x1 soft_alloc 99999999999`, 'The number <not shown> is out of range.'],
  [`${ADD} sport 65536`, 'The number "65536" is out of range.'],
  [`${ADD} proto 256`, 'The number "256" is out of range.'],
  [`${ADD} replay 4097`, 'The number "4097" is out of range.'],
  [`${ADD} proto nosuch`, 'Expecting a number, not "nosuch"!'],
  [`${ADD} sport nosuch`, 'Expecting a number, not "nosuch"!'],
  [`${ADD} nat_lport 0`, 'The number "0" is out of range.'],
  // SPIs.
  [`add esp spi 0 ${ENDS} ${AUTH}`, 'Invalid SPI value "0" .'],
  [`add esp spi 255 ${ENDS} ${AUTH}`, 'Invalid SPI value "255".'],
  [`add esp spi 4294967297 ${ENDS} ${AUTH}`, 'The number <not shown> is out of range.'],
  [`${ADD} pair-spi 0`, 'Invalid SPI value "0" .'],
  [`${ADD} pair-spi 9`, 'Invalid SPI value "9".'],
  // What each command needs and takes.
  [`add esp ${ENDS} ${AUTH}`, 'Need to define SPI for add.'],
  [`add esp spi 256 ${AUTH}`, 'Need destination address for add.'],
  [`add esp spi 256 ${ENDS} authkey ${KEY_256}`, 'Select at least one algorithm for this add.'],
  [`add esp spi 256 ${ENDS} encr_alg aes auth_alg md5`, 'Must have at least one key for an add.'],
  [`add esp spi 256 ${ENDS} encr_alg null`, 'Must have at least one key for an add.'],
  ['delete esp', 'Need SA parameters for delete.'],
  ['get esp dst right', 'Need to define SPI for get.'],
  ['update esp spi 256 hard_bytes 1', 'Need destination address for update.'],
  [`${DELETE} authkey ff`, "Don't use extension authkey for 'delete' command."],
  [`${DELETE} hard_bytes 5`, "Don't use extension hard_bytes for 'delete' command."],
  [`${DELETE} flags 5`, "Don't use extension flags for 'delete' command."],
  [`${UPDATE} authkey ${KEY_256}`, code(36)],
  [`${UPDATE} encrkey ${KEY_128}`, code(37)],
  ['update ah spi 256 dst right encr_alg aes', 'Cannot specify encryption with SA type ah.'],
  [
    'update-pair esp spi 256 dst right pair-spi 257',
    'pair-spi can not be used with the "update-pair" command.',
  ],
  ...[
    'current_alloc current_bytes current_addtime current_usetime flags dpd sens_level sens_map integ_level',
    'integ_map label outer-label implicit-label',
  ]
    .join(' ')
    .split(' ')
    .map((word): [string, string] => [`${ADD} ${word} 5`, `Don't use extension ${word} for add/update.`]),
  // Once each.
  [`${ADD} spi 999`, 'Can only specify single spi.'],
  [`${ADD} saddr 192.0.2.1`, 'Can only specify single saddr.'],
  [`${ADD} dst6 2001:db8::1`, 'Can only specify single dst6.'],
  [`${ADD} authkey ${KEY_256}`, 'Can only specify single authkey.'],
  [`${ADD} hard_bytes 1 hard_bytes 1`, 'Can only specify single hard_bytes.'],
  [`${ADD} inbound inbound`, 'Can only specify single inbound.'],
  // Algorithms and keys.
  [`${ADD_AH} encr_alg aes`, 'Cannot specify encryption with SA type ah.'],
  [`${ADD_AH} encrkey ${KEY_128}`, 'Cannot specify encryption with SA type ah.'],
  [`${ADD_AH} reserved_bits 32`, 'Cannot specify encryption with SA type ah.'],
  [`add esp spi 256 ${ENDS} ${AUTH} encrkey ${KEY_128}`, 'Cannot specify a key with NULL encryption'],
  [`add esp spi 256 ${ENDS} ${AUTH} encr_alg null encrkey ff`, 'Cannot specify a key with NULL encryption'],
  [`add esp spi 256 ${ENDS} ${AUTH} reserved_bits 32`, 'Cannot specify a key with NULL encryption'],
  [`add esp spi 256 ${ENDS} ${ENCR} auth_alg sha256`, code(22)],
  [`add esp spi 256 ${ENDS} ${ENCR} authkey ${KEY_256}`, code(36)],
  [`add esp spi 256 ${ENDS} ${AUTH} encr_alg aes`, code(21)],
  [`add ah spi 256 ${ENDS} auth_alg sha256 authkey ${KEY_160}`, code(44)],
  [`add esp spi 256 ${ENDS} encr_alg aes encrkey ${KEY_160}`, code(45)],
  [`add esp spi 256 ${ENDS} encr_alg aes-gcm encrkey ${KEY_128}`, code(45)],
  [`add esp spi 256 ${ENDS} encr_alg aes-gcm encrkey ${KEY_160} ${AUTH}`, code(40)],
  [`add esp spi 256 ${ENDS} encr_alg aes-ctr encrkey ${KEY_160}`, code(40)],
  [
    `add esp spi 256 ${ENDS} reserved_bits 24 encr_alg aes-gcm encrkey ${KEY_160}`,
    'The algorithm "aes-gcm" does not have 24 reserved bits.',
  ],
  [
    `add esp spi 256 ${ENDS} reserved_bits 32 encr_alg aes encrkey ${KEY_160}`,
    'The algorithm "aes-cbc" does not have 32 reserved bits.',
  ],
  [`add esp spi 256 ${ENDS} encr_alg des encrkey 0101010101010101`, code(47)],
  [`add esp spi 256 ${ENDS} encr_alg 3des encrkey ${KEY_64}${KEY_64}fedcba9876543210`, code(47)],
  [`add esp spi 256 ${ENDS} encr_alg nosuch encrkey ${KEY_128}`, 'Unknown encryption algorithm "nosuch".'],
  [`add esp spi 256 ${ENDS} encr_alg any encrkey ${KEY_128}`, 'Unknown encryption algorithm "any".'],
  [`add ah spi 256 ${ENDS} auth_alg none authkey ${KEY_128}`, 'Unknown authentication algorithm "none".'],
  [`add ah spi 256 ${ENDS} auth_alg 99 authkey ${KEY_128}`, 'Unknown authentication algorithm "99".'],
  [
    `add ah spi 256 ${ENDS} auth_alg sha256 authkey xyz`,
    'Invalid authentication key: the value is not a hex',
  ],
  [`add ah spi 256 ${ENDS} auth_alg sha256 authkey 123`, 'Invalid authentication key: an odd number of hex'],
  [`add esp spi 256 ${ENDS} encr_alg aes encrkey ff/9`, 'Invalid encryption key: bit length 9 is too big'],
  [`add esp spi 256 ${ENDS} encr_alg aes encrkey ff/z`, 'Invalid encryption key: what stands after the "/"'],
  [`add esp spi 256 ${ENDS} encr_alg aes encrkey`, 'Unexpected end of command line, was expecting a key.'],
  // State, lifetimes, direction.
  [`${ADD} state dying`, code(43)],
  [`${ADD} state larval`, 'WARNING: Cannot set LARVAL SA state.'],
  [`${ADD} state 1`, 'WARNING: Cannot set LARVAL SA state.'],
  [`${ADD} soft_alloc 2 hard_alloc 1`, code(14)],
  [`${ADD} soft_bytes 2 hard_bytes 1`, code(15)],
  [`${ADD} soft_addtime 2 hard_addtime 1`, code(16)],
  [`${ADD} soft_usetime 2 hard_usetime 1`, code(17)],
  [`${UPDATE} soft_bytes 2 hard_bytes 1`, code(15)],
  [`${ADD} inbound outbound`, code(77)],
  [`${DELETE} inbound outbound`, code(77)],
  [`add esp spi 256 dst right ${AUTH} pair-spi 257`, code(74)],
  // Transport and tunnel.
  [`${ADD} proto tcp isrc 10.0.0.1`, 'WARNING: Protocol type 6 not for use with Tunnel-Mode SA.'],
  [`${ADD} isrc 10.0.0.1 idst 2001:db8::1`, code(67)],
  [`${ADD} proto 41 isrc 10.0.0.1`, code(70)],
  [`${ADD} isport 5`, code(58)],
  [`${ADD} iproto tcp`, code(58)],
  [`${ADD} isrc 10.0.0.1 sport 5`, code(72)],
  [`${ADD} proto icmp sport 5`, code(70)],
  [`${ADD} isrc 10.0.0.1 iproto icmp isport 5`, code(70)],
  [`${ADD} isrc 10.0.0.1/33`, 'Bad prefix length in "10.0.0.1/33".'],
  [`${ADD} isrc 10.0.0.1/x`, 'Bad prefix length in "10.0.0.1/x".'],
  [`${ADD} isrc dual`, 'The name "dual" has several addresses.'],
  [`${ADD} isrc 0.0.0.0`, '"0.0.0.0" is no inner address.'],
  [`${ADD} isrc6 10.0.0.1`, 'No IPv6 address in "10.0.0.1".'],
  // NAT traversal.
  [`${ADD} nat_loc 192.0.2.1`, "Must specify 'encap udp' with any NAT-T address."],
  [`${ADD} nat_rport 5`, "Must specify 'encap udp' with any NAT-T port."],
  [`${ADD} encap udp`, 'Must specify NAT-T remote or local address for UDP encapsulation.'],
  [`${ADD} encap tcp nat_loc 192.0.2.1`, 'Can only specify udp encapsulation.'],
  [`${ADD} encap udp nat_loc 2001:db8::1`, code(68)],
  [`${ADD} encap udp nat_loc dual`, 'The name "dual" has several addresses.'],
  [`${ADD_AH} encap udp nat_loc 192.0.2.1`, "Cannot specify 'encap udp' with SA type ah."],
  // Identities.
  [`${ADD} srcidtype nosuch v`, 'Unknown identity type "nosuch".'],
  [`${ADD} srcidtype nosuch hard_bytes 5`, 'Unknown identity type "nosuch".'],
  [`${ADD} srcidtype hard_bytes 5`, 'Unknown identity type "hard_bytes".'],
  [`${ADD} srcidtype 65536 v`, 'Unknown identity type "65536".'],
  [`${ADD} srcidtype fqdn`, 'Unexpected end of command line, was expecting a string.'],
  [`${ADD} srcidtype`, 'Unexpected end of command line, was expecting an identity type.'],
  // Addresses.
  [`add esp spi 256 dst nosuch ${AUTH}`, 'Unknown address or name "nosuch".'],
  [`add esp spi 256 dst 192.0.2 ${AUTH}`, 'Unknown address or name "192.0.2".'],
  [`add esp spi 256 dst6 right ${AUTH}`, 'No IPv6 address in "right".'],
  [`add esp spi 256 dst 0.0.0.0 ${AUTH}`, code(13)],
  [`add esp spi 256 src 224.0.0.1 dst right ${AUTH}`, code(12)],
  [`add esp spi 256 src 2001:db8::1 dst right ${AUTH}`, 'No match for destination IP address.'],
  [`add esp spi 256 src twosources dst right ${AUTH}`, 'Multiple IPv4 source addresses for "twosources".'],
  [`add esp spi 256 src sitelocal dst 2001:db8::2 ${AUTH}`, 'No match for destination IP address.'],
]

for (const [text, message] of ERRORS) {
  t.test(text.replace(/[0-9a-f]{16,}/g, 'KEY'), (t) => {
    const { commands, diagnostics } = parse(text)
    const errors = diagnostics.filter(({ severity }) => severity === 'error')
    t.same(commands, [], 'nothing comes of it')
    t.equal(errors.length, 1, 'one error')
    t.equal(errors[0]?.message.slice(0, message.length), message)
    t.end()
  })
}

const WARNINGS: [text: string, message: string][] = [
  [`${ADD} replay 32`, 'WARNING:  Replay with manual keying considered harmful.'],
  [`${UPDATE} replay 32`, 'WARNING:  Replay with manual keying considered harmful.'],
  [
    `add esp spi 256 ${ENDS} encr_alg aes-gcm encrkey ${KEY_160}`,
    'Using manual keying with a Counter mode algorithm such as "aes-gcm" may be insecure!',
  ],
  [
    `add esp spi 256 ${ENDS} encr_alg aes encrkey ${KEY_256}/128`,
    'WARNING: Lower bits will be truncated: the key is cut to 128 bits.',
  ],
  [
    `add esp spi 256 ${ENDS} encr_alg aes encrkey ${'0'.repeat(32)}`,
    'WARNING: The key is all zeros, which anyone will try first.',
  ],
  [`# comment \\\n${ADD}\nflush`, 'This comment ends in a backslash, so the next line is part of it.'],
  [`add esp spi 256 src left dst dual ${AUTH}`, 'No IPv6 source address for name "left".'],
]
for (const [text, message] of WARNINGS) {
  t.test(`warning: ${message}`, (t) => {
    const { commands, diagnostics } = parse(text)
    t.same(messages(diagnostics), [`warning: ${message}`])
    t.equal(commands.length, 1)
    t.end()
  })
}

const HINTS: [text: string, hint: RegExp][] = [
  ['ad esp', /"add"/],
  [`${ADD} hardbytes 5`, /"hard_bytes"/],
  [`${ADD} SPI 5`, /"spi"/],
  [`${ADD} # x`, /line of its own/],
  [`${ADD} \\ `, /newline follows it directly/],
  ['flush epp', /"esp"/],
  [`${ADD} srcidtype fdqn v`, /"fqdn"/],
  [`add ah spi 256 ${ENDS} auth_alg sha265 authkey ${KEY_256}`, /"sha256"/],
  [`add esp spi 256 ${ENDS} encr_alg none ${AUTH}`, /encr_alg null/],
  [`add esp spi 256 ${ENDS} encr_alg aes-gcm encrkey ${KEY_128}`, /reserved_bits 32/],
  [`add ah spi 256 ${ENDS} auth_alg sha256 authkey 123`, /HEX\/12/],
]
for (const [text, hint] of HINTS) {
  t.test(`hint for ${text.replace(/[0-9a-f]{16,}/g, 'KEY')}`, (t) => {
    const error = parse(text).diagnostics.find(({ severity }) => severity === 'error')
    t.match(error?.hint, hint)
    t.end()
  })
}

t.test('all errors of a file and of an entry are found, at their places', (t) => {
  const { diagnostics, commands } = parse(
    `add esp spi x dst nosuch \\\n  hard_bytes y\nflush\nfrobnicate\nadd esp spi 256 ${ENDS} authkey ${KEY_256}\n`,
  )
  t.same(
    diagnostics.map(({ span, file }) => [file, span.line, span.column, span.length]),
    [
      ['keys', 1, 13, 1],
      ['keys', 1, 19, 6],
      ['keys', 2, 14, 1],
      ['keys', 4, 1, 10],
      ['keys', 5, 120, 1],
    ],
  )
  t.equal(diagnostics[2]?.source, '  hard_bytes y')
  t.match(diagnostics[4]?.source, /authkey x{64}$/)
  t.same(commands, [{ kind: 'flush' }])
  t.end()
})

t.test('a value that is missing before the next extension is one error', (t) => {
  const { diagnostics } = parse(`add esp spi dst right ${AUTH}`)
  t.same(messages(diagnostics), ['error: Expecting a number, not "dst"!'])
  t.end()
})

t.test('-n refuses names, and no name is looked up', (t) => {
  const refusing = { ...options.resolver, addresses: () => t.fail('looked up') as never }
  const numeric = { ...options, resolver: refusing, numeric: true }
  const { diagnostics } = parseKeyFile(`add esp spi 256 dst right ${AUTH}`, 'keys', numeric)
  t.same(messages(diagnostics), ['error: Unknown address or name "right".'])
  t.match(diagnostics[0]?.hint, /-n/)
  t.same(parseKeyFile(ADD, 'keys', numeric).diagnostics, [])
  t.end()
})

t.test('some warnings are given once a file', (t) => {
  t.equal(parse(`${ADD} replay 1\n${ADD} replay 1\n`).diagnostics.length, 1)
  t.end()
})
