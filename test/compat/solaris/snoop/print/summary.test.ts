import t from 'tap'
import type { Cover } from '../../../../../agent/capture/frame.ts'
import { type PrintOptions, summaryLines } from '../../../../../compat/solaris/snoop/print/index.ts'
import * as p from '../packets.ts'

const UTC: PrintOptions = { utc: true }
const OPENED: Cover = {
  protocol: 'esp',
  spi: 0x1f4,
  sequence: 9,
  verdict: 'opened',
  mode: 'transport',
  encryption: 'aes-cbc',
  authentication: 'hmac-sha256',
}

/** The one line behind the columns of the two hosts, which are 10.0.0.1 and 10.0.0.2 or their IPv6 likes. */
function line(packet: Uint8Array, fields = {}): string {
  const [first = '', ...more] = summaryLines(p.packetOf(packet, fields), UTC)
  t.same(more, [], 'one line')
  return first.replace(/^ *\S+ -> \S+ +/, '')
}

/** The lines of all layers behind the columns and the link layer's. */
function layers(packet: Uint8Array): string[] {
  const lines = summaryLines(p.packetOf(packet), { layers: true })
  t.equal(lines[0], '_'.repeat(32))
  t.match(lines[1], /ETHER Type=/)
  return lines.slice(2).map((text) => text.replace(/^ *\S+ -> \S+ +/, ''))
}

const echo = p.octets(8, 0, 'ac54 0123 0001', p.text('abc'))
const ipLine = (length: number): string => `IP  D=10.0.0.2 S=10.0.0.1 LEN=${length}, ID=7, TOS=0x0, TTL=64`
const TCP_OPTIONS = p.octets('020405b4 01030307 01010402')

t.test('the columns', async (t) => {
  const frame = p.packetOf(p.ip(1, echo))
  const shown = (options: PrintOptions): string | undefined => summaryLines(frame, { ...UTC, ...options })[0]
  const rest = '    10.0.0.1 -> 10.0.0.2     ICMP Echo request (ID: 291 Sequence number: 1)'
  t.equal(shown({}), rest)
  t.equal(shown({ numbers: true }), ` 20 ${rest}`)
  t.equal(shown({ numbers: true, time: 'absolute' }), ` 20 9:44:36.59123 ${rest}`)
  t.equal(shown({ time: 'relative' }), `  0.00000 ${rest}`)
  t.equal(shown({ time: 'relative', first: p.TIME - 12_345_678_912n }), ` 12.34567 ${rest}`)
  t.equal(shown({ time: 'delta', previous: p.TIME - 20_000n }), `  0.00002 ${rest}`)
  t.equal(
    shown({ time: 'delta', previous: p.TIME + 20_000n }),
    ` -0.00002 ${rest}`,
    'a clock that was set back',
  )
  t.equal(shown({ sizes: true }), `length:   45  ${rest}`)
  const hostName = (address: { bytes: Uint8Array }): string | undefined =>
    address.bytes[3] === 1 ? 'enigma\x1b]0;' : undefined
  t.match(shown({ hostName }), /^ {2}enigma\.\]0; -> 10\.0\.0\.2 {5}ICMP/, 'names are made safe')
  const all = p.packetOf(p.ip(17, p.udp(1, 2), { destination: 'ffffffff' }))
  t.match(summaryLines(all)[0], / {4}10\.0\.0\.1 -> BROADCAST {4}UDP D=2 S=1 LEN=8$/)
})

t.test('TCP', async (t) => {
  t.equal(
    line(p.ip(6, p.tcp(1022, 22, 0x02, p.octets(), TCP_OPTIONS))),
    'TCP D=22 S=1022 Syn Seq=1000 Len=0 Win=24820 Options=<mss 1460,nop,wscale 7,nop,nop,sackOK>',
  )
  t.equal(line(p.ip(6, p.tcp(22, 1022, 0x11))), 'TCP D=1022 S=22 Fin Ack=2000 Seq=1000 Len=0 Win=24820')
  t.equal(
    line(p.ip(6, p.tcp(22, 1022, 0x18, p.text('abcd')))),
    'TCP D=1022 S=22 Push Ack=2000 Seq=1000 Len=4 Win=24820',
  )
  t.equal(line(p.ip(6, p.tcp(22, 1022, 0xe4))), 'TCP D=1022 S=22 Rst ECE CWR Urg=0 Seq=1000 Len=0 Win=24820')
  const odd = p.octets('080a00000001 00000002 050a00000001 00000003 fd021303')
  t.match(line(p.ip(6, p.tcp(1, 2, 0, p.octets(), odd))), /<tstamp 1 2,sack 1-3,option 253,\[malformed\]>$/)
  t.equal(
    line(p.ip(6, p.tcp(23, 3013, 0x18, p.text('login:\x1b[2J\r\n')))),
    'TELNET R port=3013 login:.[2J..',
  )
  t.equal(
    line(p.ip(6, p.tcp(3013, 80, 0x18, p.text('GET /a/long/path HTTP/1.1')))),
    'HTTP C port=3013 GET /a/long/path HTT',
  )
  t.equal(
    line(p.ip(6, p.tcp(1, 2, 0).fill(0x40, 12, 13))),
    'TCP D=2 S=1 Seq=1000 Len=4 Win=24820 [malformed: data offset 16]',
  )
  t.equal(
    line(p.ip(6, p.tcp(1, 2, 0).fill(0xf0, 12, 13))),
    'TCP D=2 S=1 Seq=1000 Len=0 Win=24820 [malformed: 20 of 60 bytes]',
  )
})

t.test('UDP and what is in it', async (t) => {
  const question = p.octets(
    'abcd 0100 0001 0000 0000 0000 03',
    p.text('www'),
    7,
    p.text('example'),
    0,
    '001c 0001',
  )
  t.equal(line(p.ip(17, p.udp(33333, 9, p.octets(1)))), 'UDP D=9 S=33333 LEN=9')
  t.equal(line(p.ip(17, p.udp(33333, 53, question))), 'DNS C www.example. Internet AAAA ?')
  const answer = question.slice()
  answer[2] = 0x81
  answer[3] = 3
  t.equal(line(p.ip(17, p.udp(53, 33333, answer))), 'DNS R www.example. Internet AAAA Error: 3(Name error)')
  t.equal(line(p.ip(17, p.udp(33333, 53, question.subarray(0, 18)))), 'DNS C www.[truncated] ?')
  t.equal(line(p.ip(17, p.udp(68, 67, p.octets(1)))), 'DHCP/BOOTP C port=68')
  t.equal(line(p.ip(17, p.udp(1, 2, p.octets(), 7))), 'UDP D=2 S=1 LEN=7 [malformed: length 7]')
  t.equal(
    line(p.ip(17, p.udp(1, 2, p.octets(), 9))),
    'UDP D=2 S=1 LEN=9 [malformed: length 9, 8 bytes there]',
  )
  t.equal(line(p.ip(17, p.octets(1, 2, 3))), 'UDP [malformed: 3 of 8 bytes]')
  t.equal(line(p.ip(17, p.octets(1, 2, 3, 4, 5))), 'UDP D=772 S=258 [malformed: 5 of 8 bytes]')
})

t.test('AH and ESP', async (t) => {
  const both = p.ip(51, p.ah(50, 0xb3a8d714, 52, p.esp(0xd4f40a61, 53)))
  t.equal(line(both), 'ESP SPI=0xd4f40a61 Replay=53')
  t.same(layers(both), [ipLine(64), 'AH SPI=0xb3a8d714 Replay=52', 'ESP SPI=0xd4f40a61 Replay=53'])
  const clear = p.ip(51, p.ah(17, 5, 6, p.udp(1, 2)))
  t.same(layers(clear), [ipLine(52), 'AH SPI=0x5 Replay=6', 'UDP D=2 S=1 LEN=8'])
  t.equal(
    line(p.ip(51, p.ah(17, 5, 6, p.udp(1, 2)).fill(0, 1, 2))),
    'AH SPI=0x5 Replay=6 [malformed: AH length 0]',
  )
  t.equal(
    line(p.ip(51, p.ah(17, 5, 6, p.octets()).fill(9, 1, 2))),
    'AH SPI=0x5 Replay=6 [malformed: 24 of 44 bytes]',
  )
  t.equal(line(p.ip(50, p.octets(1, 2))), 'ESP [malformed: 2 of 8 bytes]')
  t.equal(line(p.ip6(50, p.esp(1, 0xffffffff))), 'ESP SPI=0x1 Replay=4294967295')
  t.equal(line(p.ip(17, p.udp(4500, 4500, p.esp(0x300, 1)))), 'ESP SPI=0x300 Replay=1')
  t.equal(line(p.ip(17, p.udp(4500, 4500, p.octets(0xff)))), 'NAT keepalive')
  t.equal(line(p.ip(17, p.udp(4500, 4500, p.octets('00000000 0102')))), 'IKE LEN=2')
})

t.test('uncovered packets', async (t) => {
  const inner = p.ip(6, p.tcp(1022, 22, 2))
  const tcp = 'TCP D=22 S=1022 Syn Seq=1000 Len=0 Win=24820'
  const columns = '    10.0.0.1 -> 10.0.0.2     '
  t.same(summaryLines(p.rawOf(inner, [OPENED])), [`${columns}ESP SPI=0x1f4 ${tcp}`])
  const ah: Cover = { protocol: 'ah', spi: 7, sequence: 1, verdict: 'opened' }
  t.same(summaryLines(p.rawOf(inner, [ah, OPENED]), { layers: true }).slice(1), [
    `${columns}RAW Type=0800 (IP), size = 40 bytes`,
    `${columns}AH SPI=0x7 Replay=1 (opened)`,
    `${columns}ESP SPI=0x1f4 Replay=9 (opened: aes-cbc, hmac-sha256)`,
    `${columns}${ipLine(40)}`,
    `${columns}${tcp}`,
  ])
  t.same(
    summaryLines({ ...p.rawOf(inner, [OPENED]), wireLength: 200 }),
    [`${columns}ESP SPI=0x1f4 ${tcp}`],
    'the length on the wire is that of the packet around',
  )
  const short = { ...p.rawOf(p.ip(17, p.octets(1), { total: 28 }), [OPENED]), wireLength: 200 }
  t.match(summaryLines(short)[0], /UDP \[malformed: 1 of 8 bytes\]$/)
})

t.test('packets that could not be opened', async (t) => {
  for (const verdict of ['no key', 'wrong ICV', 'malformed', 'unsupported'] as const) {
    const covers = [{ ...OPENED, verdict }]
    t.equal(line(p.ip(50, p.esp(0x1f4, 9)), { covers }), `ESP SPI=0x1f4 Replay=9 (${verdict})`)
  }
  const ah: Cover = { ...OPENED, protocol: 'ah', verdict: 'wrong ICV' }
  const packet = p.ip(51, p.ah(17, 0x1f4, 9, p.udp(1, 2)))
  t.equal(line(packet, { covers: [ah] }), 'AH SPI=0x1f4 (wrong ICV) UDP D=2 S=1 LEN=8')
  const inside: Cover = { ...OPENED, spi: 8, verdict: 'no key' }
  const half = { covers: [{ ...ah, verdict: 'opened' }, inside] }
  t.equal(line(p.ip(50, p.esp(8, 9)), half), 'AH SPI=0x1f4 ESP SPI=0x8 Replay=9 (no key)')
  const unreadable: Cover = { protocol: 'esp', spi: 0, sequence: 0, verdict: 'malformed' }
  t.equal(line(p.ip(50, p.octets(1)), { covers: [unreadable] }), 'ESP [malformed: 1 of 8 bytes]')
  const elsewhere = { covers: [{ ...OPENED, verdict: 'no key' as const }] }
  t.equal(
    line(p.ip(17, p.udp(5000, 5000, p.esp(0x1f4, 9))), elsewhere),
    'ESP SPI=0x1f4 Replay=9 (no key)',
    'a verdict on a header that is not found here is told, too',
  )
})

t.test('ICMP', async (t) => {
  const quoted = p.ip(17, p.udp(1, 33434), { total: 60 })
  t.equal(line(p.ip(1, echo)), 'ICMP Echo request (ID: 291 Sequence number: 1)')
  t.equal(
    line(p.ip(1, p.octets(3, 3, 0, 0, '00000000', quoted))),
    'ICMP Destination unreachable (Port unreachable)',
  )
  t.equal(
    line(p.ip(1, p.octets(3, 4, 0, 0, '00000500', quoted))),
    'ICMP Destination unreachable (Fragmentation needed, MTU=1280)',
  )
  t.equal(line(p.ip(1, p.octets(3, 99, 0, 0, '00000000'))), 'ICMP Destination unreachable (Code 99)')
  t.equal(line(p.ip(1, p.octets(5, 1, 0, 0, '0a0000fe', quoted))), 'ICMP Redirect (for host to 10.0.0.254)')
  t.equal(line(p.ip(1, p.octets(11, 0, 0, 0, '00000000', quoted))), 'ICMP Time exceeded (in transit)')
  t.equal(line(p.ip(1, p.octets(12, 0, 0, 0, '14000000'))), 'ICMP Parameter problem')
  t.equal(line(p.ip(1, p.octets(200, 0, 0, 0, '00000000'))), 'ICMP Type 200')
  t.equal(line(p.ip(1, p.octets(8, 0))), 'ICMP [malformed: 2 of 8 bytes]')
})

t.test('IPv6 and ICMPv6', async (t) => {
  const net = '20010db8 00000000 00000000 000000'
  const head = (length: number): string =>
    `IPv6  S=2001:db8::1 D=2001:db8::2 LEN=${length} HOPS=64 CLASS=0x0 FLOW=0xabcd`
  const message = p.octets(128, 0, '0000 0001 0002')
  t.same(
    layers(
      p.ip6(
        0,
        p.octets(
          43,
          0,
          '000000000000',
          60,
          0,
          4,
          1,
          '00000000',
          44,
          0,
          '000000000000',
          58,
          0,
          p.u16(1),
          p.u32(77),
          message,
        ),
      ),
    ),
    [
      head(40),
      'IPv6-HOPOPTS Next=43 Len=8',
      'IPv6-ROUTING Next=60 Len=8 Type=4 Left=1',
      'IPv6-DSTOPTS Next=44 Len=8',
      'ICMPv6 IPv6 fragment ID=77 Offset=0 MF=1',
      'ICMPv6 Echo request (ID: 1 Sequence number: 2)',
    ],
  )
  t.equal(
    line(p.ip6(44, p.octets(50, 0, p.u16(1448 << 0), p.u32(77), message))),
    'ESP IPv6 fragment ID=77 Offset=1448 MF=0',
  )
  t.equal(line(p.ip6(58, p.octets(135, 0, 0, 0, '00000000', net, 9))), 'ICMPv6 Neighbor solicitation')
  t.equal(line(p.ip6(58, p.octets(2, 0, 0, 0, '00000500'))), 'ICMPv6 Packet too big (MTU=1280)')
  t.equal(
    line(p.ip6(58, p.octets(1, 4, 0, 0, '00000000'))),
    'ICMPv6 Destination unreachable (Port unreachable)',
  )
  t.equal(
    line(p.ip6(58, p.octets(3, 0, 0, 0, '00000000'))),
    'ICMPv6 Time exceeded (Hop limit exceeded in transit)',
  )
  t.equal(
    line(p.ip6(58, p.octets(4, 1, 0, 0, '00000006'))),
    'ICMPv6 Parameter problem (Unrecognized next header)',
  )
  t.equal(line(p.ip6(58, p.octets(135, 0, 0, 0))), 'ICMPv6 Neighbor solicitation [malformed: 4 of 24 bytes]')
  t.equal(line(p.ip6(58, p.octets())), 'ICMPv6 [malformed: 0 of 4 bytes]')
  t.equal(line(p.ip6(59, p.octets())), head(0))
  t.equal(line(p.ip6(0, p.octets(6, 3, '000000000000'))), 'IPv6-HOPOPTS [malformed: 8 of 32 bytes]')
  t.equal(line(p.ip6(6, p.octets(), 20)), 'TCP [malformed: 0 of 20 bytes]')
  t.equal(layers(p.ip6(6, p.octets(), 20))[0], `${head(20)} [malformed: payload length 20, 0 bytes there]`)
})

t.test('IPv4: fragments, tunnels, faults', async (t) => {
  t.same(layers(p.ip(17, p.udp(3333, 9, p.octets(0), 3000), { fragment: 0x2000, tos: 0x10 })), [
    'IP  D=10.0.0.2 S=10.0.0.1 LEN=29, ID=7, TOS=0x10, TTL=64',
    'UDP IP fragment ID=7 Offset=0 MF=1 TOS=0x10 TTL=64',
    'UDP D=9 S=3333 LEN=3000',
  ])
  t.equal(
    line(p.ip(50, p.octets(0), { fragment: 0x00b9 })),
    'ESP IP fragment ID=7 Offset=1480 MF=0 TOS=0x0 TTL=64',
  )
  t.same(layers(p.ip(4, p.ip(41, p.ip6(17, p.udp(1, 2))))).slice(-1), ['UDP D=2 S=1 LEN=8'])
  t.equal(line(p.ip(253, p.octets(1, 2))), 'Proto=253 LEN=2')
  const faulty = (change: (bytes: Uint8Array) => void): string => {
    const packet = p.ip(17, p.udp(1, 2))
    change(packet)
    return line(packet)
  }
  t.equal(
    faulty((bytes) => bytes.set([0x44])),
    `${ipLine(28)} [malformed: header length 16]`,
  )
  t.equal(
    faulty((bytes) => bytes.set([0x55])),
    `${ipLine(28)} [malformed: version 5]`,
  )
  t.equal(
    faulty((bytes) => bytes.set([0x4f])),
    `${ipLine(28)} [malformed: total length 28]`,
  )
  t.equal(
    faulty((bytes) => bytes.set([0, 12], 2)),
    `${ipLine(12)} [malformed: total length 12]`,
  )
  t.equal(
    faulty((bytes) => bytes.set([0, 0], 2)),
    'UDP D=2 S=1 LEN=8',
    'left by segmentation offload',
  )
  t.equal(
    layers(p.ip(17, p.udp(1, 2), { total: 99 }))[0],
    `${ipLine(99)} [malformed: total length 99, 28 bytes there]`,
  )
  let nested = p.ip(253, p.octets())
  for (let i = 0; i < 100; i++) nested = p.ip(4, nested)
  t.equal(line(nested), '[malformed: more than 64 headers]')
})

t.test('packets that were cut when captured', async (t) => {
  const packet = p.ip(6, p.tcp(1, 2, 4, p.text('data'), TCP_OPTIONS))
  const cut = (octets: number): string => line(packet, { end: 14 + octets })
  t.equal(cut(0), 'IP [truncated]')
  t.equal(cut(19), 'IP [truncated]')
  t.equal(cut(20), 'TCP [truncated]')
  t.equal(cut(24), 'TCP D=2 S=1 [truncated]')
  t.equal(cut(40), 'TCP D=2 S=1 Rst Seq=1000 Len=4 Win=24820 [truncated]')
  t.match(cut(52), /^TCP D=2 S=1 Rst Seq=1000 Len=4 Win=24820 Options=/)
  t.match(summaryLines(p.packetOf(packet, { end: 5 }))[0], /^ {11}\? -> \* {12}ETHER \[truncated\]$/)
})

t.test('link layers', async (t) => {
  const inner = p.ip(17, p.udp(1, 2))
  const columns = '    10.0.0.1 -> 10.0.0.2     '
  const both = (bytes: Uint8Array, fields: object): string[] =>
    summaryLines(p.frameOf(bytes, bytes.length - inner.length, fields), { layers: true }).slice(1, 2)
  const tagged = p.ether(0x8100, p.octets('6064 0800', inner))
  t.same(both(tagged, {}), [`${columns}VLAN#100: ETHER Type=0800 (IP), size = 46 bytes`])
  t.same(summaryLines(p.frameOf(tagged, 18)), [`${columns}VLAN#100: UDP D=2 S=1 LEN=8`])
  const cooked = p.octets('0000 0001 0006 080027aa1111 0000 0800', inner)
  t.same(both(cooked, { link: 'cooked' }), [`${columns}COOKED Type=0800 (IP), size = 44 bytes`])
  const cookedTag = p.octets('0000 0001 0006 080027aa1111 0000 9100 0005 0800', inner)
  t.same(both(cookedTag, { link: 'cooked' }), [`${columns}VLAN#5: COOKED Type=0800 (IP), size = 48 bytes`])
  const cooked2 = p.octets('0800 0000 00000002 0001 04 06 080027aa1111 0000', inner)
  t.same(both(cooked2, { link: 'cooked2' }), [`${columns}COOKED Type=0800 (IP), size = 48 bytes`])
  t.same(both(p.octets('02000000', inner), { link: 'null' }), [
    `${columns}NULL Type=0800 (IP), size = 32 bytes`,
  ])
  t.same(summaryLines(p.frameOf(p.ether(38, p.octets(1, 2), '0180c2000000'), -1)), [
    '           ? -> (multicast)  ETHER Type=0000 (LLC/802.3), size = 16 bytes',
  ])
  t.same(summaryLines(p.frameOf(p.ether(0x1234, p.octets()), -1)), [
    '           ? -> *            ETHER Type=1234 (Unknown), size = 14 bytes',
  ])
})

t.test('ARP and RARP', async (t) => {
  const arp = (operation: number, type = 0x0806): string =>
    summaryLines(
      p.frameOf(
        p.ether(
          type,
          p.octets('0001 0800 06 04', p.u16(operation), '080027aa1111 0a000001 080022aa2202 0a000002'),
        ),
        -1,
      ),
    )[0] ?? ''
  const columns = '    10.0.0.1 -> 10.0.0.2     '
  t.equal(arp(1), `${columns}ARP C Who is 10.0.0.2, 10.0.0.2 ?`)
  t.equal(arp(2), `${columns}ARP R 10.0.0.1, 10.0.0.1 is 8:0:27:aa:11:11`)
  t.equal(arp(3, 0x8035), '8:0:27:aa:11:11 -> 10.0.0.2     RARP C Who is 8:0:22:aa:22:2 ?')
  t.equal(arp(4, 0x8035), '    10.0.0.1 -> 8:0:22:aa:22:2 RARP R 8:0:22:aa:22:2 is 10.0.0.2, 10.0.0.2')
  t.equal(arp(9), `${columns}ARP Opcode 9`)
  const odd = p.frameOf(p.ether(0x0806, p.octets('0001 86dd 06 10 0001')), -1)
  t.match(summaryLines(odd)[0], /ARP \[malformed: protocol addresses of 16 bytes\]$/)
  const short = p.frameOf(p.ether(0x0806, p.octets('0001 0800 06 04 0001 080027')), -1)
  t.match(summaryLines(short)[0], /ARP \[malformed: 11 of 28 bytes\]$/)
})
