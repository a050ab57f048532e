/** Of which names it is worth waiting for an address. */
import t from 'tap'
import { unresolved } from '../../../compat/solaris/addresses.ts'
import { parsePolicy } from '../../../compat/solaris/ipsecconf/index.ts'
import { parseKeyFile } from '../../../compat/solaris/ipseckey/parser.ts'
import { ADD, KEY_128, options } from './ipseckey/support.ts'

const inRule = (text: string) =>
  parsePolicy(text, 'rules', options).diagnostics.map(({ severity, unresolved: name }) => [severity, name])
const inKeys = (text: string) =>
  parseKeyFile(text, 'keys', options).diagnostics.map(({ severity, unresolved: name }) => [severity, name])

t.test('names of hosts', async (t) => {
  for (const name of [
    'gw',
    'gw.example.net',
    'gw.example.net.',
    '_x.a-b.example',
    '7.example',
    'X'.repeat(63),
  ]) {
    t.same(unresolved(name), { unresolved: name }, name)
  }
  const label = 'x'.repeat(60)
  for (const name of [
    '',
    '.',
    'a..b',
    '-a',
    'a-',
    'a b',
    'a$',
    'gw.example,net',
    'x'.repeat(64),
    [label, label, label, label, label].join('.'),
    '10.1',
    '010.0.0.1',
    '10.0.0.300',
    'fe80::1%net0',
    KEY_128,
  ]) {
    t.same(unresolved(name), {}, name)
  }
})

t.test('in rules', async (t) => {
  t.same(inRule('{laddr nowhere raddr there.example/24} ipsec {encr_algs aes encr_auth_algs sha256}'), [
    ['error', 'nowhere'],
    ['error', 'there.example'],
  ])
  t.same(inRule('{raddr nowhere rport nosuch} ipsec {encr_algs aes encr_auth_algs sha256}'), [
    ['error', 'nowhere'],
    ['error', undefined],
  ])
  t.same(inRule('{raddr 10.1} ipsec {encr_algs aes encr_auth_algs sha256}'), [['error', undefined]])
  t.same(
    inRule('{laddr left raddr 2001:db8::1} ipsec {encr_algs aes encr_auth_algs sha256}'),
    [['error', undefined]],
    'another family',
  )
})

t.test('in SAs', async (t) => {
  const error = ['error', undefined]
  t.same(inKeys(ADD.replace('198.51.100.2', 'nowhere')), [['error', 'nowhere']])
  t.same(inKeys(ADD.replace('198.51.100.2', 'no$where')), [error])
  t.same(inKeys(ADD.replace('198.51.100.2', '198.51.100')), [error])
  t.same(inKeys(ADD.replace('198.51.100.2', '')), [error], 'a word of the language is no name')
  t.same(inKeys(ADD.replace('198.51.100.2', KEY_128)), [error], 'a key is nobody’s name')
  const { diagnostics } = parseKeyFile('delete esp spi 1 dst nowhere', 'keys', { ...options, numeric: true })
  t.match(diagnostics, [{ severity: 'error', unresolved: undefined }])
})
