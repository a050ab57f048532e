import t from 'tap'
import { messages, parse, ruleOf, rulesOf } from './support.ts'

const ESP = 'ipsec {encr_algs aes encr_auth_algs sha256}'

t.test('layouts that are one rule', async (t) => {
  const wanted = ruleOf(`{laddr alpha raddr beta} ${ESP}\n`)
  const layouts = {
    'no newline at the end of the file': `{laddr alpha raddr beta} ${ESP}`,
    'no blanks around braces': '{laddr alpha raddr beta}ipsec{encr_algs aes encr_auth_algs sha256}\n',
    'action and properties on lines of their own':
      '{laddr alpha\n raddr beta}\nipsec\n\n{encr_algs aes\nencr_auth_algs sha256}\n',
    'comments inside and after': `{laddr alpha # us\nraddr beta}#x\n${ESP}#comment\n`,
    CRLF: `{laddr alpha raddr beta} ipsec\r\n\t{encr_algs aes encr_auth_algs sha256}\r\n`,
    'synonyms of new style': '{remote beta local alpha} ipsec {encr_auth_algs SHA256 encr_algs AES}\n',
  }
  for (const [name, text] of Object.entries(layouts)) {
    t.same({ ...ruleOf(text), text: '', span: 0 }, { ...wanted, text: '', span: 0 }, name)
  }
})

t.test('text and place of a rule', async (t) => {
  const rule = ruleOf('\n  {laddr alpha # us\n  raddr beta} ipsec {auth_algs any} # end\n')
  t.equal(rule.text, '{laddr alpha\n  raddr beta} ipsec {auth_algs any}')
  t.same(rule.span, { line: 2, column: 3, length: 17 })
  t.equal(rule.file, 'policy.conf')
  t.same(ruleOf('{} drop {}').span, { line: 1, column: 1, length: 10 })
})

t.test('alternatives', async (t) => {
  const kinds = (text: string): string[] => ruleOf(text).actions.map((action) => action.kind)
  t.same(kinds(`{} ${ESP} or drop {} or pass {}\n`), ['protect', 'drop', 'bypass'])
  t.same(kinds(`{} ${ESP}\n or pass\n{}\n`), ['protect', 'bypass'], '`or` on the next line')
  t.same(kinds(`{} ${ESP} or\n pass {}\n`), ['protect', 'bypass'], 'newline after `or`')
  t.equal(kinds(`{} ${ESP}${' or pass {}'.repeat(30)}`).length, 31, 'more than 21 actions')
})

const STRUCTURE: readonly (readonly [string, readonly string[]])[] = [
  ['laddr alpha', ['line 1 : pattern must start with "{" character']],
  [`\nor ${ESP}`, ['line 2 : pattern must start with "{" character']],
  ['{laddr alpha}', ['Missing action token.']],
  [`{laddr alpha}\n{laddr beta} ${ESP}`, ['Missing action token.']],
  ['{laddr alpha}\n  {encr_algs aes}\n', ['Missing action token.']],
  ['{laddr alpha} or drop {}', ['Missing action token.']],
  ['{laddr alpha} } drop {}', ['Missing action token.']],
  [`{} ${ESP} or`, ['Missing action token.']],
  ['{laddr alpha} protect {}', ['Invalid action on line 1: protect']],
  ['{laddr alpha}\nprotect {}', ['Invalid action on line 2: protect']],
  ['{laddr alpha} ipsec', ['Missing properties.']],
  ['{laddr alpha} ipsec encr_algs aes', ['Missing properties.']],
  ['{laddr alpha', ['Pattern or Properties incomplete.']],
  ['{laddr alpha} ipsec {encr_algs aes', ['Pattern or Properties incomplete.']],
  ['{laddr alpha ipsec {encr_algs aes}', ['Pattern or Properties incomplete.']],
  ['{laddr alpha} {raddr beta} drop {dir in}', ['Too many selectors before action.']],
  ['{laddr alpha dir in} drop {} \\\n', ['Invalid line continuation character.']],
  ['{dir in} drop {} {dir out} drop {}', ['Error before or at line 1']],
  ['{dir in} drop {} }', ['Error before or at line 1']],
  ['{dir in} drop {} o \n', ['Error before or at line 1']],
  [`{dir in} drop {} oripsec {auth_algs any}\n`, ['Error before or at line 1']],
  ['{dest alpha} drop {dir in}', ['Invalid pattern on line 1: dest']],
  ['{LADDR alpha dir in} drop {}', ['Invalid pattern on line 1: LADDR']],
  ['{laddr alpha \\\n dir in} drop {}', ['Invalid pattern on line 1: \\']],
  ['{} ipsec {algorithms aes}', ['Invalid properties on line 1: algorithms']],
  ['{} ipsec {auth_algs md5\n\\ }', ['Invalid properties on line 2: \\']],
  ['{} ipsec {encr_algs aes (128) auth_algs md5}', ['Invalid properties on line 1: (128)']],
]
for (const [text, expected] of STRUCTURE) {
  t.test(`refused: ${JSON.stringify(text)}`, async (t) => {
    t.same(messages(text), expected)
  })
}

t.test('a keyword without its value', async (t) => {
  const keywords = {
    laddr: 'Source Address',
    dst: 'Destination Address',
    smask: 'Source Mask',
    lport: 'Source Port',
    rport: 'Destination Port',
    ulp: 'Upper Layer Protocol',
    type: 'ICMP type',
    code: 'ICMP code',
    dir: 'Direction',
    tunnel: 'Tunnel',
    negotiate: 'Negotiate',
  }
  for (const [keyword, thing] of Object.entries(keywords)) {
    t.same(messages(`{${keyword}} ${ESP}`), [`Bad ${thing} on line: 1`], keyword)
  }
  t.same(
    messages('{lport laddr alpha dir in} drop {}'),
    ['Bad Source Port on line: 1'],
    'the next keyword is no value',
  )
  t.same(messages('{} ipsec {encr_algs}'), ['Bad Encryption Algorithm on line: 1'])
})

t.test('a host may have the name of a keyword', async (t) => {
  t.same(
    ruleOf('{laddr local dir in} drop {}').selector.pairs,
    ruleOf('{laddr 192.0.2.99 dir in} drop {}').selector.pairs,
  )
  t.equal(rulesOf('{local local dir in} drop {}').length, 1)
})

t.test('all errors of a file in one run, in order, and the good rules', async (t) => {
  const text = [
    '{lport 70000 raddr nowhere} ipsec {encr_algs foo encr_auth_algs bar}',
    '{laddr alpha raddr beta} ipsec {auth_algs sha1}',
    '{laddr alpha',
    '{dir in} drop {}',
    'nonsense here',
    '  {encr_algs aes}',
    '{ulp what} ipsec {sa maybe}',
    '{laddr nowhere} ipsec {',
  ].join('\n')
  const { rules, diagnostics } = parse(text)
  t.same(
    diagnostics.map(({ message }) => message),
    [
      'Bad Source Port on line: 1',
      'Could not resolve address nowhere.',
      'Bad Encryption Algorithm on line: 1',
      'Bad ESP Authentication Algorithm on line: 1',
      'Pattern or Properties incomplete.',
      'line 5 : pattern must start with "{" character',
      'Bad Upper Layer Protocol on line: 7',
      'Bad SA on line: 7',
      'Could not resolve address nowhere.',
      'Pattern or Properties incomplete.',
    ],
  )
  t.same(
    rules.map((rule) => rule.span.line),
    [2, 4],
  )
})

t.test('one mistake gives one error', async (t) => {
  t.same(messages('{saddr alpha dri in} ipsec {auth_algs any}'), ['Invalid pattern on line 1: dri'])
  t.same(messages('{} ipsec {encrypt_algs aes}'), ['Invalid properties on line 1: encrypt_algs'])
})

t.test('a diagnostic has place, source, expectation and hint', async (t) => {
  const [diagnostic] = parse('# x\r\n  {dest alpha} ipsec {auth_algs any}\r\n').diagnostics
  t.match(diagnostic, {
    severity: 'error',
    file: 'policy.conf',
    span: { line: 2, column: 4, length: 4 },
    source: '  {dest alpha} ipsec {auth_algs any}',
    expected: /^one of saddr, .*negotiate$/,
    hint: 'Did you mean `dst`?',
  })
})

t.test('a key file by mistake does not show its keys', async (t) => {
  const key = '0123456789abcdefFEDCBA98'
  for (const text of [
    `add esp spi 256 encr_alg 3des encrkey ${key}`,
    `add esp encrkey \\\n0x${key}/192`,
    `${key}`,
    `{encrkey ${key}} ipsec {auth_algs ${key}}`,
    `{laddr ${key} ulp ${key} lport ${key} dir ${key}} drop {}`,
    `{laddr 10.0.0.0/${key}} ${key} {}`,
    `{} bypass {} ${key}`,
  ]) {
    const { diagnostics } = parse(text)
    t.ok(diagnostics.length > 0, text)
    t.notMatch(JSON.stringify(diagnostics), /[0-9a-f]{16}/i, text)
  }
  const [shown] = parse(`{laddr ${key}} drop {}`).diagnostics
  t.match(shown, { source: `{laddr ${'x'.repeat(24)}} drop {}`, span: { column: 8, length: 24 } })
  const [address] = parse('{laddr 2001:db8:1111:2222:3333:4444:5555:6666/x} drop {}').diagnostics
  t.match(address?.source, /2222:3333:4444/, 'an address is no key')
})
