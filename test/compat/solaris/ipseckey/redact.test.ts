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
  ['nothing else', 'add esp spi 0x1234 dst 2001:db8::1', 'add esp spi 0x1234 dst 2001:db8::1'],
  ['a comment says nothing', '# authkey 0f', ''],
]
for (const [name, text, shown] of CASES) {
  t.test(name, (t) => {
    t.equal(redactEntry(text), shown)
    t.end()
  })
}

t.test('a message does not quote a piece of a key', (t) => {
  const { diagnostics } = parse('add esp spi 256 dst right authkey 0f 1e 2d')
  t.equal(diagnostics[0]?.message, 'Unknown extension field <not shown>')
  t.equal(diagnostics[0]?.source, 'add esp spi 256 dst right authkey xx xx xx')
  t.end()
})
