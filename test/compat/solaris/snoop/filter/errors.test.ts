import t from 'tap'
import { renderDiagnostic } from '../../../../../compat/diagnostics.ts'
import { FilterError, parseFilter } from '../../../../../compat/solaris/snoop/filter/index.ts'

/** The diagnostic's place, message, expectation and hint. */
function errorOf(text: string): string {
  try {
    parseFilter(text)
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    const { span, message, expected, hint } = error.diagnostic
    return [`${span.line}:${span.column}+${span.length} ${message}`, expected ?? '', hint ?? ''].join(' | ')
  }
  return 'none'
}

const CASES: readonly (readonly [string, string])[] = [
  ['rpc nfs', '1:1+3 `rpc` is not supported |  | Select by port, as in `port 2049`.'],
  [
    'tcp and gateway x',
    '1:9+7 `gateway` is not supported |  | Write `ether ADDRESS and not host HOST`, with the Ethernet address of the gateway.',
  ],
  ['from rpc 1', '1:6+3 `rpc` is not supported |  | Select by port, as in `port 2049`.'],
  [
    'zone 0',
    '1:1+4 `zone` is not supported |  | Linux has no zones: capture in the network namespace that is meant.',
  ],
  [
    'brodcast',
    '1:1+8 Unknown host: brodcast | a host: its name or its address, or a word of the language | Did you mean `broadcast`?',
  ],
  ['host Brodcast', '1:6+8 Unknown host: Brodcast | a host: its name or its address | '],
  ['inet6 10.0.0.1', '1:7+8 10.0.0.1 has no IPv6 address | a host with an IPv6 address | '],
  [
    'ether pinky',
    '1:7+5 No Ethernet address of pinky is known | an Ethernet address, as in `ether host 8:0:20:f:b1:51`, or a host of ethers(5) | ',
  ],
  ['from arp', '1:6+3 Bad host: `arp` | a host: its name or its address | '],
  ['from', '1:5+1 The expression ends too early | a host: its name or its address | '],
  ['port 65536', '1:6+5 Bad port: 65536 | a port (0..65535) or the name of a service | '],
  ['port ssh', '1:6+3 Unknown service: ssh | a port (0..65535) or the name of a service | '],
  ['port', '1:5+1 Bad port: end | a port (0..65535) or the name of a service | '],
  [
    'net 10.0.0.0/33',
    '1:5+8 Unknown network: 10.0.0.0/33 | a network: its number (`172.16`), a prefix (`172.16.0.0/12`), or its name | ',
  ],
  [
    'net 10.0.0.256',
    '1:5+10 Unknown network: 10.0.0.256 | a network: its number (`172.16`), a prefix (`172.16.0.0/12`), or its name | ',
  ],
  [
    'net (',
    '1:5+1 Bad network: `(` | a network: its number (`172.16`), a prefix (`172.16.0.0/12`), or its name | ',
  ],
  [
    'ethertype 0x10000',
    '1:11+7 Number too large: 0x10000 | an Ethernet type after `ethertype`, at most 65535 | ',
  ],
  ['vlan-id x', '1:9+1 Bad number: `x` | the ID of a VLAN after `vlan-id` | '],
  ['spi', '1:4+1 The expression ends too early | an SPI after `spi` | '],
  ['spi 4294967296', '1:5+10 Number too large: 4294967296 | an SPI after `spi`, at most 4294967295 | '],
  [
    '80',
    '1:1+2 A number is not a condition | a comparison, as in `length > 60` | A port is written `port 80`.',
  ],
  ['tcp and length', '1:9+6 A number is not a condition | a comparison, as in `length > 60` | '],
  ['tcp = 5', '1:1+3 `tcp` is a condition, not a number | a number, `length`, or a field such as `ip[8]` | '],
  ['5 = tcp', '1:5+3 `tcp` is a condition, not a number | a number, `length`, or a field such as `ip[8]` | '],
  ['tcp & udp', '1:5+1 `&` is for numbers |  | Conditions are joined by `and`.'],
  ['tcp | udp', '1:5+1 `|` is for numbers |  | Conditions are joined by `or`.'],
  ['(tcp', '1:1+1 Missing `)` | `)` before end | '],
  ['tcp)', '1:4+1 Unexpected `)` |  | Nothing is open here that it could close.'],
  [
    'tcp = udp',
    '1:1+3 `tcp` is a condition, not a number | a number, `length`, or a field such as `ip[8]` | ',
  ],
  ['and tcp', '1:1+3 Nothing before `and` | a condition on both sides of `and` | '],
  [
    'tcp or',
    '1:7+1 The expression ends too early | a condition such as `host NAME`, `tcp` or `length > 60` | ',
  ],
  ['not', '1:4+1 The expression ends too early | a condition such as `host NAME`, `tcp` or `length > 60` | '],
  [
    'tcp\nand ~',
    '2:5+1 Unexpected `~` | a condition such as `host NAME`, `tcp` or `length > 60` | Expressions consist of words, numbers, operators and parentheses.',
  ],
  [
    'etherr[0] = 1',
    '1:1+6 `etherr` has no fields | one of ether, ip, ip6, tcp, udp, icmp, icmp6, ah, esp before `[` | Did you mean `ether`?',
  ],
  ['ip[0:3] = 1', '1:6+1 Bad size: 3 | 1, 2 or 4 | '],
  ['ip[0 = 1', '1:3+1 Missing `]` | `]` before `=` | '],
  [
    'ip[tcp] = 1',
    '1:4+3 `tcp` is a condition, not a number | a number, `length`, or a field such as `ip[8]` | ',
  ],
  ['1 = 1 = 1', '1:7+1 Unexpected `=` | `and`, `or` or the end | '],
  [`${'('.repeat(300)}tcp`, '1:202+1 Too many parentheses |  | No more than 200 inside each other.'],
  [`${'-'.repeat(300)}1 = 1`, '1:202+1 Too many parentheses |  | No more than 200 inside each other.'],
]

t.test('what is wrong, where, and the way out', async (t) => {
  for (const [text, expected] of CASES) t.equal(errorOf(text), expected, text.slice(0, 40))
})

t.test('as it is shown', async (t) => {
  try {
    parseFilter('tcp and prot 22')
    t.fail('it is wrong')
  } catch (error) {
    t.ok(error instanceof FilterError)
    if (!(error instanceof FilterError)) return
    t.equal(
      renderDiagnostic(error.diagnostic),
      [
        'expression:1:9: error: Unknown host: prot',
        ' 1 | tcp and prot 22',
        '   |         ^~~~',
        '   expected a host: its name or its address, or a word of the language',
        '   help: Did you mean `port`?',
      ].join('\n'),
    )
  }
})

t.test('long expressions are no strain', async (t) => {
  const many = Array.from({ length: 20000 }, (_, i) => `port ${i}`)
  t.type(parseFilter(many.join(' or ')), 'function')
  t.type(parseFilter(`${'not '.repeat(20000)} tcp`), 'function')
  t.type(parseFilter(`1 ${'+ 1'.repeat(2000)} > 0`), 'function')
})
