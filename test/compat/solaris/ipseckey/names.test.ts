import t from 'tap'
import { formatAddress } from '../../../../agent/model/address.ts'
import { parseKeyFile } from '../../../../compat/solaris/ipseckey/parser.ts'
import { AUTH, messages, options, parse } from './support.ts'

function pairs(text: string): string[] {
  return parse(text).commands.flatMap((command) =>
    command.kind === 'add'
      ? [`${formatAddress(command.association.source)} > ${formatAddress(command.association.destination)}`]
      : [],
  )
}

const CASES: [ends: string, expected: string[]][] = [
  ['src dualsource dst dual', ['192.0.2.1 > 198.51.100.2', '2001:db8::1 > 2001:db8::2']],
  ['src left dst dual', ['192.0.2.1 > 198.51.100.2']],
  ['dst dual', ['0.0.0.0 > 198.51.100.2', ':: > 2001:db8::2']],
  ['src6 dualsource dst6 dual', ['2001:db8::1 > 2001:db8::2']],
  ['src repeated dst right', ['192.0.2.1 > 198.51.100.2']],
  ['src linklocal dst 2001:db8::2', ['2001:db8::1 > 2001:db8::2']],
  ['src linklocal dst ff02::1', ['fe80::1 > ff02::1']],
  ['src 2001:db8::1 dst fe80::2', ['2001:db8::1 > fe80::2']],
  ['src mapped dst right', ['192.0.2.1 > 198.51.100.2']],
]
for (const [ends, expected] of CASES) {
  t.test(ends, (t) => {
    t.same(pairs(`add esp spi 256 ${ends} ${AUTH}`), expected)
    t.end()
  })
}

t.test('delete with a name is one command for each address', (t) => {
  const { commands, diagnostics } = parse('delete esp spi 256 src left dst dual')
  t.same(messages(diagnostics), ['warning: No IPv6 source address for name "left".'])
  t.equal(commands.length, 1)
  t.equal(parse('delete esp spi 256 dst dual').commands.length, 2)
  t.end()
})

t.test('a name is looked up once a file', (t) => {
  const asked: string[] = []
  const resolver = {
    ...options.resolver,
    addresses: (name: string) => {
      asked.push(name)
      return options.resolver.addresses(name)
    },
  }
  parseKeyFile('delete esp spi 1 dst right\ndelete esp spi 2 dst right\n', 'keys', { ...options, resolver })
  t.same(asked, ['right'])
  t.end()
})
