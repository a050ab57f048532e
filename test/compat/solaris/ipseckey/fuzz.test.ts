/**
 * Broken key files: nothing throws, and no message shows a key. `SOLIPSEC_FUZZ=N` multiplies the number of runs by N.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { EXTENSION_NAMES } from '../../../../compat/solaris/ipseckey/extension-names.ts'
import {
  parseCommandLine,
  parseInteractive,
  parseKeyFile,
} from '../../../../compat/solaris/ipseckey/parser.ts'
import { looksLikeKey } from '../../../../compat/solaris/ipseckey/redact.ts'
import { COMMANDS } from '../../../../compat/solaris/ipseckey/words.ts'
import { times } from '../../../support/fuzz.ts'
import { keyWatch, type Mutation, mutations } from '../../mutations.ts'
import { ADD, ADD_AH, KEY_256, options, parse } from './support.ts'

const parameters = times(200)

/** Digits that stand nowhere else in the files below. */
const KEYS = [
  '9f3c71d8e25ba4069f4c72d9e35cb517',
  'b7e1d95c3a80f624b8e2da5d4b91f735c9f3eb6e5ca2f846daf4fc7f6db3f957',
  'c4a9f6e37d2b5180c5baf7e48e3c6291d6cb08f59f4d73a2',
  'e6d5c4b3a291807f',
]
const [AES = '', HMAC = '', TRIPLE = '', DES = ''] = KEYS
const FILE = `# keys
flush esp
add esp spi 0x1001 src 192.0.2.1 dst 198.51.100.2 \\
    encr_alg aes encrkey ${AES} \\
    auth_alg sha256 authkey 0x${HMAC}/256 hard_addtime 28800
add ah spi 0x1002 src left dst right authalg sha256 authkey ${HMAC}
add esp spi 0x1003 dst dual encralg 3des encrkey "${TRIPLE}" srcidtype fqdn "a b" proto tcp sport 5
add esp spi 0x1004 src6 2001:db8::1 dst6 2001:db8::2 encr_alg des encrkey ${DES} isrc6 2001:db8:1::/48
update esp spi 0x1001 dst right pair-spi 0x1003 soft_bytes 1 hard_bytes 2
delete esp spi 0x1004 dst 2001:db8::2
`

const insertions = [...' \n\t"#\\/\r\0', '\\\n', 'x', '0x', ' spi ', ' authkey ', ' dst ', 'ü', '-', ':', '.']
const mutation = mutations(FILE, {
  pieces: insertions,
  longestCut: 60,
  others: [
    (text) => text.toUpperCase(),
    (text) => text.replaceAll('key', 'kye'),
    (text) => text.replaceAll(/authkey|encrkey/g, ''),
    (text) => text.replaceAll('\n', ' '),
    (text) => text.replaceAll(' ', '\n'),
    (text) => text.replaceAll(/(key )/g, '$1 \\\n'),
  ],
})
const changes = fc.array(mutation, { minLength: 1, maxLength: 5 })

function mutate(list: readonly Mutation[]): string {
  return list.reduce((text, change) => change(text), FILE)
}

const checkText = keyWatch(KEYS)

function assertNoKey(shown: unknown): void {
  checkText(JSON.stringify(shown, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
}

t.test('the file itself is good', (t) => {
  t.same(
    parse(FILE).diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  t.end()
})

t.test('no diagnostic, entry text or command of a mutated file shows a key', (t) => {
  fc.assert(
    fc.property(changes, (list) => {
      const text = mutate(list)
      const { diagnostics, entries } = parse(text)
      assertNoKey(diagnostics)
      assertNoKey(entries.map((entry) => entry.text))
    }),
    parameters,
  )
  t.pass('no key')
  t.end()
})

t.test('nor at the prompt and on the command line', (t) => {
  fc.assert(
    fc.property(changes, (list) => {
      const text = mutate(list)
      assertNoKey(parseInteractive(text, options).diagnostics)
      assertNoKey(parseCommandLine(text.split(/\s+/), options).diagnostics)
    }),
    parameters,
  )
  t.pass('no key')
  t.end()
})

t.test('an entry with an error gives no command, and every place is in the file', (t) => {
  fc.assert(
    fc.property(changes, (list) => {
      const text = mutate(list)
      const lines = text.split('\n')
      for (const { diagnostics, commands } of parse(text).entries) {
        if (diagnostics.some(({ severity }) => severity === 'error')) assert.deepEqual(commands, [])
        for (const { span, source } of diagnostics) {
          assert.ok(span.line >= 1 && span.line <= lines.length)
          assert.ok(span.column >= 1 && span.column <= (lines[span.line - 1] ?? '').length + 1)
          if (source !== undefined) assert.equal(source.length, (lines[span.line - 1] ?? '').length)
        }
      }
    }),
    parameters,
  )
  t.pass('consistent')
  t.end()
})

const vocabulary = [
  ...COMMANDS.keys(),
  ...EXTENSION_NAMES,
  ...['ah', 'esp', 'all', '0', '256', '4294967296', '0x', '192.0.2.1', '2001:db8::1', 'left', 'dual', 'aes'],
  ...['sha256', 'aes-gcm', KEY_256, 'mature', 'udp', 'fqdn', '"a b"', '""', '"', '\\', '\\\n', '\n', '#'],
]

t.test('any sequence of known words is taken without an exception', (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...vocabulary), { maxLength: 40 }), (words) => {
      parse(words.join(' '))
      parse(`${ADD} ${words.join(' ')}`)
      parse(`${ADD_AH}\n${words.join('\n')}`)
    }),
    parameters,
  )
  t.pass('no exception')
  t.end()
})

t.test('any text is taken without an exception', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      parse(text)
      parseKeyFile(`add esp ${text}`, 'keys', options)
    }),
    parameters,
  )
  t.pass('no exception')
  t.end()
})

t.test('what looks like a key', (t) => {
  for (const word of [
    '00112233',
    '0x0011223344',
    '00:11:22:33:44:55:66:77:88',
    '0011-2233-4455-6677',
    '0011223g4455667',
  ]) {
    t.equal(looksLikeKey(word), true, word)
  }
  for (const word of [
    '192.168.100.200',
    '255.255.255.255/32',
    '2001:db8:1111:2222:3333:4444:5555:6666',
    'deadbeef'.slice(1),
    'hmac-sha-256',
    'der_dn',
  ]) {
    t.equal(looksLikeKey(word), false, word)
  }
  t.end()
})
