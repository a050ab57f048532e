import t from 'tap'
import { formatPrefix } from '../../../../agent/model/address.ts'
import { icmpWords } from '../../../../compat/solaris/ipsecconf/vocabulary.ts'
import { messages, parse, resolver, ruleOf } from './support.ts'

const pairsOf = (pattern: string): string[] =>
  ruleOf(`{${pattern} dir in} drop {}`).selector.pairs.map(
    ({ local, remote }) => `${local ? formatPrefix(local) : '*'} ${remote ? formatPrefix(remote) : '*'}`,
  )
const errorsOf = (pattern: string): string[] => messages(`{${pattern} dir in} drop {}`)
const warningsOf = (pattern: string): string[] => messages(`{${pattern} dir in} drop {}`, 'warning')

const ADDRESSES: readonly (readonly [string, readonly string[]])[] = [
  ['', ['* *']],
  ['laddr 192.0.2.1', ['192.0.2.1/32 *']],
  ['raddr 2001:db8::1', ['* 2001:db8::1/128']],
  ['laddr 0.0.0.0/0', ['0.0.0.0/0 *']],
  ['laddr ::/0', ['::/0 *']],
  ['laddr 192.0.2.128/25 raddr 10.0.0.0/8', ['192.0.2.128/25 10.0.0.0/8']],
  ['laddr alpha raddr beta', ['192.0.2.1/32 198.51.100.2/32']],
  ['laddr 3com', ['192.0.2.33/32 *']],
  ['laddr multi', ['192.0.2.10/32 *', '2001:db8::10/128 *', '192.0.2.11/32 *']],
  [
    'laddr multi raddr dual',
    ['192.0.2.10/32 198.51.100.7/32', '2001:db8::10/128 2001:db8:1::7/128', '192.0.2.11/32 198.51.100.7/32'],
  ],
  ['laddr alpha raddr dual', ['192.0.2.1/32 198.51.100.7/32']],
  ['laddr alpha/24', ['192.0.2.0/24 *']],
  ['raddr lab/16', ['* 10.20.0.0/16']],
  ['laddr mapped', ['192.0.2.44/32 *']],
  ['laddr mapped/24', ['192.0.2.0/24 *']],
  ['saddr mapped smask 255.255.0.0', ['* 192.0.0.0/16']],
  ['laddr ::ffff:192.0.2.1', ['192.0.2.1/32 *']],
  // Old style is inbound here: the source is the remote end.
  ['saddr 10.1.2.3 smask 255.255.0.0', ['* 10.1.0.0/16']],
  ['saddr 10.1.2.3 smask 0xfffffffe', ['* 10.1.2.2/31']],
  ['dmask 0xFFFFFFFF daddr alpha', ['192.0.2.1/32 *']],
  ['daddr 10.1.2.3 dmask 255.255.255.255', ['10.1.2.3/32 *']],
]
for (const [pattern, expected] of ADDRESSES) {
  t.test(`addresses: ${pattern}`, async (t) => {
    t.same(pairsOf(pattern), expected)
  })
}

const ERRORS: readonly (readonly [string, string])[] = [
  ['laddr nowhere', 'Could not resolve address nowhere.'],
  ['laddr 10.1', 'Could not resolve address 10.1.'],
  ['laddr 010.0.0.1', 'Could not resolve address 010.0.0.1.'],
  ['laddr 0x0a000001', 'Could not resolve address 0x0a000001.'],
  ['laddr fe80::1%net0', 'Could not resolve address fe80::1%net0.'],
  ['laddr /24', 'Could not resolve address /24.'],
  ['laddr 10.0.0.0/x', "Unparseable prefix: 'x'."],
  ['laddr 10.0.0.0/', "Unparseable prefix: ''."],
  ['laddr 10.0.0.0/255.0.0.0', "Unparseable prefix: '255.0.0.0'."],
  ['laddr 10.0.0.0/33', '/33 prefix is too big!'],
  ['laddr 2001:db8::/129', '/129 prefix is too big!'],
  ['laddr alpha/33', '/33 prefix is too big!'],
  ['laddr ::ffff:10.0.0.0/104', "Unparseable prefix: '104'."],
  ['laddr multi/24', "Can't set /24 prefix on multi-host name."],
  ['laddr alpha raddr six', 'No matching IPv4 or IPv6 saddr/daddr pairs'],
  ['saddr 10.0.0.0/8 smask 255.0.0.0', "Can't set mask and /NN prefix."],
  ['saddr multi smask 255.0.0.0', "Can't set mask on multi-host name."],
  ['saddr 10.0.0.0 smask 0.0.0.0', 'Bad Source Mask on line: 1'],
  ['saddr 10.0.0.0 smask 0x0', 'Bad Source Mask on line: 1'],
  ['saddr 10.0.0.0 smask 255.0.255.0', 'Bad Source Mask on line: 1'],
  ['saddr 10.0.0.0 smask 0xff00', 'Bad Source Mask on line: 1'],
  ['saddr 10.0.0.0 smask 24', 'Bad Source Mask on line: 1'],
  ['saddr six smask 255.0.0.0', 'Bad Source Mask on line: 1'],
  ['daddr 10.0.0.0 dmask 255.255.0.256', 'Bad Destination Mask on line: 1'],
  ['smask 255.0.0.0', 'Requires Source Address on line: 1'],
  ['saddr alpha dmask 255.0.0.0', 'Requires Destination Address on line: 1'],
  ['lport 65536', 'Bad Source Port on line: 1'],
  ['rport -1', 'Bad Destination Port on line: 1'],
  ['lport 08', 'Bad Source Port on line: 1'],
  ['lport 80-90', 'Bad Source Port on line: 1'],
  ['lport nosuch', 'Bad Source Port on line: 1'],
  ['ulp icmp lport 8', 'Bad Source Port on line: 1'],
  ['ulp gre rport 8', 'Bad Destination Port on line: 1'],
  ['ulp 300', 'Bad Upper Layer Protocol on line: 1'],
  ['ulp -1', 'Bad Upper Layer Protocol on line: 1'],
  ['proto nosuch', 'Bad Upper Layer Protocol on line: 1'],
  ['type 8', 'Bad ICMP type on line: 1'],
  ['ulp tcp type 8', 'Bad ICMP type on line: 1'],
  ['ulp icmp type 256', 'Bad ICMP type on line: 1'],
  ['ulp icmp type 9-3', 'Bad ICMP type on line: 1'],
  ['ulp icmp type 8-', 'Bad ICMP type on line: 1'],
  ['ulp icmp type -8', 'Bad ICMP type on line: 1'],
  ['ulp icmp type 1-2-3', 'Bad ICMP type on line: 1'],
  ['ulp icmp type echo6', 'Bad ICMP type on line: 1'],
  ['ulp icmp type constructor', 'Bad ICMP type on line: 1'],
  ['ulp icmp code 0', 'Bad ICMP code on line: 1'],
  ['ulp icmp type 3 code no-route6', 'Bad ICMP code on line: 1'],
  ['ulp icmp type 3 code nosuch', 'Bad ICMP code on line: 1'],
]
for (const [pattern, expected] of ERRORS) {
  t.test(`refused: ${pattern}`, async (t) => {
    t.same(errorsOf(pattern), [expected])
  })
}

t.test('a word is said once', async (t) => {
  const twice: readonly (readonly [string, string])[] = [
    ['saddr alpha src beta', 'Source Address'],
    ['raddr alpha remote beta', 'Destination Address'],
    ['saddr alpha smask 255.0.0.0 smask 255.0.0.0', 'Source Mask'],
    ['daddr alpha dmask 255.0.0.0 dmask 255.0.0.0', 'Destination Mask'],
    ['sport 1 sport 2', 'Source Port'],
    ['lport 0 lport 2', 'Source Port'],
    ['rport 1 rport 2', 'Destination Port'],
    ['ulp tcp proto udp', 'Upper Layer Protocol'],
    ['ulp icmp type 1 type 2', 'ICMP type'],
    ['ulp icmp type 1 code 1 code 2', 'ICMP code'],
    ['dir in', 'Direction'],
    ['tunnel t0 negotiate tunnel tunnel t1', 'Tunnel'],
    ['tunnel t0 negotiate tunnel negotiate tunnel', 'Negotiate'],
  ]
  for (const [pattern, thing] of twice) t.same(errorsOf(pattern), [`Duplicate ${thing} on line: 1`], pattern)
})

t.test('one style a rule', async (t) => {
  const mixed: readonly (readonly [string, string])[] = [
    ['laddr alpha daddr beta', 'Destination Address'],
    ['saddr alpha remote beta', 'Destination Address'],
    ['saddr alpha lport 1', 'Source Port'],
    ['laddr alpha dport 1', 'Destination Port'],
    ['laddr alpha smask 255.0.0.0', 'Source Mask'],
    ['laddr alpha dmask 255.0.0.0', 'Destination Mask'],
  ]
  for (const [pattern, thing] of mixed) t.same(errorsOf(pattern), [`Bad ${thing} on line: 1`], pattern)
  t.same(
    messages('{dir both src alpha} drop {}'),
    ['Bad Source Address on line: 1'],
    '`dir both` is new style',
  )
  t.same(messages('{src alpha dir both} drop {}'), ['Bad Direction on line: 1'])
})

t.test('ports and protocols', async (t) => {
  const traffic = (pattern: string): object => {
    const { pairs, ...rest } = ruleOf(`{${pattern} dir in} drop {}`).selector
    return rest
  }
  t.same(traffic('lport ssh'), { localPort: 22 })
  t.same(traffic('lport 3com-tsmux'), { localPort: 106 })
  t.same(traffic('rport 0x17 ulp 6'), { protocol: 6, remotePort: 23 })
  t.same(traffic('rport 027 proto sctp lport 65535'), { protocol: 132, localPort: 65535, remotePort: 23 })
  t.same(traffic('sport 1 dport 2'), { localPort: 2, remotePort: 1 }, 'old style inbound')
  t.same(traffic('ulp 255'), { protocol: 255 })
  t.same(traffic('ulp 0x2f'), { protocol: 47 })
  t.same(traffic('lport 0'), {})
  t.same(traffic('ulp ip'), {})
  t.same(warningsOf('lport 0'), ['lport 0 means every port'])
  t.same(warningsOf('ulp ip'), ['ulp ip means every protocol'])
})

t.test('every ICMP word', async (t) => {
  for (const [name, protocol] of [
    ['icmp', 1],
    ['ipv6-icmp', 58],
  ] as const) {
    const words = icmpWords(protocol)
    t.ok(words)
    for (const [word, number] of Object.entries(words?.types ?? {})) {
      const { icmpType } = ruleOf(`{ulp ${name} type ${word} dir in} drop {}`).selector
      t.same(icmpType, { from: number, to: number }, word)
    }
    for (const [word, number] of Object.entries(words?.codes ?? {})) {
      const { icmpCode } = ruleOf(`{ulp ${name} type 1 code ${word} dir in} drop {}`).selector
      t.same(icmpCode, { from: number, to: number }, word)
    }
  }
  t.same(Object.keys(icmpWords(1)?.types ?? {}).length, 13)
  t.same(Object.keys(icmpWords(1)?.codes ?? {}).length, 16)
  t.same(Object.keys(icmpWords(58)?.types ?? {}).length, 11)
  t.same(Object.keys(icmpWords(58)?.codes ?? {}).length, 9)
  t.equal(icmpWords(6), undefined)
})

/** Spot checks against RFC 792, RFC 4443 and RFC 4861, independent of the table in the code. */
const ICMP: readonly (readonly [string, object])[] = [
  ['ulp icmp type echo', { icmpType: { from: 8, to: 8 } }],
  ['ulp icmp type echorep', { icmpType: { from: 0, to: 0 } }],
  ['ulp 58 type neigh-sol6', { icmpType: { from: 135, to: 135 } }],
  ['ulp ipv6-icmp type pkttoobig6', { icmpType: { from: 2, to: 2 } }],
  ['ulp icmp type unreach code needfrag', { icmpType: { from: 3, to: 3 }, icmpCode: { from: 4, to: 4 } }],
  ['ulp icmp code 0-5 type 3', { icmpType: { from: 3, to: 3 }, icmpCode: { from: 0, to: 5 } }],
  ['ulp icmp type 0x8-0xb', { icmpType: { from: 8, to: 11 } }],
  ['ulp icmp type 255', {}],
  ['ulp icmp type 0-255', {}],
  ['ulp icmp type 5-255', { icmpType: { from: 5, to: 255 } }],
  ['ulp icmp type 255 code 3', { icmpCode: { from: 3, to: 3 } }],
]
for (const [pattern, expected] of ICMP) {
  t.test(`ICMP: ${pattern}`, async (t) => {
    const { pairs, protocol, ...rest } = ruleOf(`{${pattern} dir in} drop {}`).selector
    t.same(rest, expected)
  })
}

t.test('warnings about addresses', async (t) => {
  t.same(warningsOf('laddr 10.1.2.3/8'), ['10.1.2.3/8 has bits beyond its prefix, which count for nothing'])
  t.same(pairsOf('laddr 10.1.2.3/8'), ['10.0.0.0/8 *'])
  t.same(pairsOf('laddr 2001:db8:ffff::1/33'), ['2001:db8:8000::/33 *'])
  t.same(warningsOf('laddr 10.1.2.3/31'), ['10.1.2.3/31 has bits beyond its prefix, which count for nothing'])
  for (const single of ['10.1.0.0', '0.0.0.0', '2001:db8::', 'lab']) {
    t.same(warningsOf(`raddr ${single}`), [`${single} without a prefix is one single address`])
  }
  t.equal(
    parse('{laddr 0.0.0.0 dir in} drop {}').diagnostics[0]?.hint,
    'Write 0.0.0.0/0 if the network is meant.',
  )
  for (const fine of ['saddr 10.0.0.0 smask 0xff000000', 'daddr lab dmask 255.255.0.0']) {
    t.same(warningsOf(fine), [], fine)
  }
  for (const fine of ['10.0.0.0/8', '10.0.0.0/32', '10.0.0.1', '2001:db8::/32', '0.0.0.0/0']) {
    t.same(warningsOf(`laddr ${fine}`), [], fine)
  }
})

t.test('a name is asked for once a file, also where there is none', async (t) => {
  const asked: string[] = []
  const counting = {
    ...resolver,
    addresses: (name: string) => {
      asked.push(name)
      return resolver.addresses(name)
    },
    service: (name: string) => {
      asked.push(name)
      return resolver.service(name)
    },
    protocol: (name: string) => {
      asked.push(name)
      return resolver.protocol(name)
    },
  }
  const line = (port: number): string =>
    `{laddr alpha raddr nowhere lport nosuch rport ${port} ulp tcp dir in} drop {}`
  parse(`${line(1)}\n${line(2)}\n${line(3)}`, { resolver: counting })
  t.same(asked, ['alpha', 'nowhere', 'tcp', 'nosuch'])
})
