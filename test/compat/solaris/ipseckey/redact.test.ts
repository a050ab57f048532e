import t from 'tap'
import { redactEntry } from '../../../../compat/solaris/ipseckey/redact.ts'
import { parse } from './support.ts'

const CASES: [name: string, text: string, shown: string][] = [
  ['the value of a key, however short', 'add esp authkey 0f spi 5', 'add esp authkey xx spi 5'],
  ['whatever it looks like', 'add esp encrkey hello spi 5', 'add esp encrkey xxxxx spi 5'],
  ['after a misspelt name', 'add esp authkeyy 0f spi 5', 'add esp authkeyy xx spi 5'],
  ['a key in pieces', 'add esp authkey 00 11 2f/8 spi 5', 'add esp authkey xx xx xxxx spi 5'],
  ['a long one anywhere', 'add 00112233445 spi 5', 'add xxxxxxxxxxx spi 5'],
  ['over a line join', 'add esp authkey 00\\\n11 \\\n 22', 'add esp authkey xx\\\nxx \\\n xx'],
  ['in quotes', 'add esp authkey "00 11" spi 5', 'add esp authkey xxxxxxx spi 5'],
  ['groups after a missing word', 'add esp auth_alg md5 dead beef', 'add esp auth_alg md5 xxxx xxxx'],
  [
    'groups under a misspelt word',
    'add esp encr dead beef cafe babe 0123 4567 89ab cdef auth_alg md5',
    'add esp encr xxxx xxxx xxxx xxxx xxxx xxxx xxxx xxxx auth_alg md5',
  ],
  ['one group under a misspelt word', 'add esp encrk dead spi 5', 'add esp encrk xxxx spi 5'],
  ['a vowel left out', 'add esp authky 0f spi 5', 'add esp authky xx spi 5'],
  ['letters swapped', 'add esp atuhky 0f spi 5', 'add esp atuhky xx spi 5'],
  ['groups that go on in the next line', 'cafe babe 0123', 'xxxx xxxx xxxx'],
  ['the last group, in the next line', '89ab auth_alg md5', 'xxxx auth_alg md5'],
  ['groups that begin like a command', 'add add4 spi 5', 'add add4 spi 5'],
  ['groups with signs around', 'add esp 0xdead 0xbeef/32', 'add esp xxxxxx xxxxxxxxx'],
  ['a host is no misspelt word', 'add esp dst authserver spi 5', 'add esp dst authserver spi 5'],
  ['nothing else', 'add esp spi 0x1234 dst 2001:db8::1', 'add esp spi 0x1234 dst 2001:db8::1'],
  ['a comment says nothing', '# authkey 0f', ''],
]
for (const [name, text, shown] of CASES) {
  t.test(name, (t) => {
    t.equal(redactEntry(text), shown)
    t.end()
  })
}

t.test('a message does not quote a group of a key, wherever it stands', (t) => {
  const KEY = 'dead beef cafe babe 0123 4567 89ab cdef'
  for (const text of [
    `add esp spi 256 dst right encr ${KEY} auth_alg md5`,
    `add esp spi 256 dst right encrk ${KEY}`,
    `add esp spi 256 dst right authky ${KEY.slice(0, 4)}`,
    `add esp spi 256 dst right encr_alg aes ${KEY}`,
    `add esp spi 256 dst right encr_alg aes encrkey dead\n${KEY.slice(5)}`,
    `add esp spi 256 dst right encr_alg aes encrkey ${KEY.slice(0, -5)}\ncdef auth_alg md5`,
    `add esp spi 256 dst right encrkye ${KEY.replaceAll(' ', '').slice(0, 16)}`,
  ]) {
    const { entries, diagnostics } = parse(text)
    const shown = JSON.stringify([diagnostics, entries.map((entry) => entry.text)])
    t.ok(diagnostics.length > 0, text)
    for (const group of KEY.split(' ')) t.notOk(shown.includes(group), `${text}: ${group}`)
  }
  t.end()
})

t.test('a message does not quote a piece of a key', (t) => {
  const { diagnostics } = parse('add esp spi 256 dst right authkey 0f 1e 2d')
  t.equal(diagnostics[0]?.message, 'Unknown extension field <not shown>')
  t.equal(diagnostics[0]?.source, 'add esp spi 256 dst right authkey xx xx xx')
  t.end()
})
