import t from 'tap'
import type { Cover } from '../../../../../agent/capture/frame.ts'
import { hexLines, type PrintOptions, verboseLines } from '../../../../../compat/solaris/snoop/print/index.ts'
import * as p from '../packets.ts'

const UTC: PrintOptions = { utc: true }

const ETHER = (size: number, type = '0800 (IP)'): string => `
ETHER:  ----- Ether Header -----
ETHER:
ETHER:  Packet 20 arrived at 9:44:36.59123
ETHER:  Packet size = ${size} bytes
ETHER:  Destination = 8:0:22:aa:22:2,
ETHER:  Source      = 8:0:27:aa:11:11,
ETHER:  Ethertype = ${type}
ETHER:`

const IP = (length: number, protocol: string): string => `
IP:   ----- IP Header -----
IP:
IP:   Version = 4
IP:   Header length = 20 bytes
IP:   Type of service = 0x00
IP:         xxx. .... = 0 (precedence)
IP:         ...0 .... = normal delay
IP:         .... 0... = normal throughput
IP:         .... .0.. = normal reliability
IP:         .... ..0. = not ECN capable transport
IP:         .... ...0 = no ECN congestion experienced
IP:   Total length = ${length} bytes
IP:   Identification = 7
IP:   Flags = 0x0
IP:         .0.. .... = may fragment
IP:         ..0. .... = last fragment
IP:   Fragment offset = 0 bytes
IP:   Time to live = 64 seconds/hops
IP:   Protocol = ${protocol}
IP:   Header checksum = fde0
IP:   Source address = 10.0.0.1, 10.0.0.1
IP:   Destination address = 10.0.0.2, 10.0.0.2
IP:   No options
IP:`

const joined = (frame: Parameters<typeof verboseLines>[0], options = UTC): string =>
  `\n${verboseLines(frame, options).join('\n')}`

t.test('AH and ESP', async (t) => {
  const packet = p.ip(51, p.ah(50, 0xb3a8d714, 52, p.esp(0xd4f40a61, 52)))
  t.equal(
    joined(p.packetOf(packet)),
    `${ETHER(78)}${IP(64, '51 (AH)')}
AH:  ----- Authentication Header -----
AH:
AH:  Next header = 50 (ESP)
AH:  AH length = 4 (24 bytes)
AH:  <Reserved field = 0x0>
AH:  SPI = 0xb3a8d714
AH:  Replay = 52
AH:  ICV = c653901433ef5a7d77c76eaa
AH:
ESP:  ----- Encapsulating Security Payload -----
ESP:
ESP:  SPI = 0xd4f40a61
ESP:  Replay = 52
ESP:     ....ENCRYPTED DATA....
`,
  )
  const failed: Cover = { protocol: 'esp', spi: 0x1f4, sequence: 9, verdict: 'no key' }
  t.match(
    joined(p.packetOf(p.ip(50, p.esp(0x1f4, 9)), { covers: [failed] })),
    `
ESP:  Replay = 9
ESP:  Verdict = no key
ESP:     ....ENCRYPTED DATA....
`,
  )
})

t.test('what was uncovered follows its cover', async (t) => {
  const cover: Cover = {
    protocol: 'esp',
    spi: 0x1f4,
    sequence: 9,
    verdict: 'opened',
    mode: 'tunnel',
    encryption: 'aes-cbc',
    authentication: 'hmac-\x1b[1m',
  }
  t.equal(
    joined(p.rawOf(p.ip(17, p.udp(1, 53)), [cover])),
    `
RAW:  ----- Packet -----
RAW:
RAW:  Packet 20 arrived at 9:44:36.59123
RAW:  Packet size = 28 bytes
RAW:  Ethertype = 0800 (IP)
RAW:
ESP:  ----- Encapsulating Security Payload -----
ESP:
ESP:  SPI = 0x1f4
ESP:  Replay = 9
ESP:  Mode = tunnel
ESP:  Encryption = aes-cbc
ESP:  Authentication = hmac-.[1m
ESP:  Verdict = opened${IP(28, '17 (UDP)')}
UDP:  ----- UDP Header -----
UDP:
UDP:  Source port = 1
UDP:  Destination port = 53 (DNS)
UDP:  Length = 8
UDP:  Checksum = 0000 (no checksum)
UDP:
`,
  )
})

t.test('TCP and a text protocol', async (t) => {
  const packet = p.ip(6, p.tcp(23, 3013, 0x18, p.text('login:\x07')))
  t.equal(
    joined(p.packetOf(packet)),
    `${ETHER(61)}${IP(47, '6 (TCP)')}
TCP:  ----- TCP Header -----
TCP:
TCP:  Source port = 23 (TELNET)
TCP:  Destination port = 3013
TCP:  Sequence number = 1000
TCP:  Acknowledgement number = 2000
TCP:  Data offset = 20 bytes
TCP:  Flags = 0x18
TCP:        0... .... = No ECN congestion window reduced
TCP:        .0.. .... = No ECN echo
TCP:        ..0. .... = No urgent pointer
TCP:        ...1 .... = Acknowledgement
TCP:        .... 1... = Push
TCP:        .... .0.. = No reset
TCP:        .... ..0. = No Syn
TCP:        .... ...0 = No Fin
TCP:  Window = 24820
TCP:  Checksum = 0x7b85
TCP:  Urgent pointer = 0
TCP:  No options
TCP:
TELNET:  ----- TELNET: -----
TELNET:
TELNET:  "login:."
TELNET:
`,
  )
  const serviceName = (port: number): string | undefined => (port === 3013 ? 'my\tservice' : undefined)
  t.match(joined(p.packetOf(packet), { serviceName }), 'Destination port = 3013 (MY.SERVICE)')
  const options = p.octets('020405b4 01030307')
  t.match(
    joined(p.packetOf(p.ip(6, p.tcp(1, 2, 2, p.octets(), options)))),
    `
TCP:  Options: (8 bytes)
TCP:    - mss 1460
TCP:    - nop
TCP:    - wscale 7
TCP:
`,
  )
})

t.test('ICMP with the packet it is about', async (t) => {
  const message = p.octets(3, 3, 'ac54 00000000', p.ip(17, p.udp(1, 33434), { total: 60 }))
  const quoted = IP(60, '17 (UDP)').replaceAll('\nIP:', '\nICMP:IP:')
  t.equal(
    joined(p.packetOf(p.ip(1, message))),
    `${ETHER(70)}${IP(56, '1 (ICMP)')}
ICMP:  ----- ICMP Header -----
ICMP:
ICMP:  Type = 3 (Destination unreachable)
ICMP:  Code = 3 (Port unreachable)
ICMP:  Checksum = ac54
ICMP:  [ subject header follows ]
ICMP:${quoted}
ICMP:UDP:  ----- UDP Header -----
ICMP:UDP:
ICMP:UDP:  Source port = 1
ICMP:UDP:  Destination port = 33434
ICMP:UDP:  Length = 8
ICMP:UDP:  Checksum = 0000 (no checksum)
ICMP:UDP:
`,
  )
})

t.test('IPv6 and neighbour discovery', async (t) => {
  const target = '20010db8 00000000 00000000 00000009'
  const message = p.octets(
    136,
    0,
    'beef e0000000',
    target,
    '0201 080027aa1111 0501 0000 000005dc 6301 000000000000',
  )
  t.equal(
    joined(p.packetOf(p.ip6(58, message))),
    `${ETHER(102, '86DD (IPv6)')}
IPv6:  ----- IPv6 Header -----
IPv6:
IPv6:  Version = 6
IPv6:  Traffic Class = 0
IPv6:  Flow label = 0xabcd
IPv6:  Payload length = 48
IPv6:  Next Header = 58 (ICMPv6)
IPv6:  Hop Limit = 64
IPv6:  Source address = 2001:db8::1, 2001:db8::1
IPv6:  Destination address = 2001:db8::2, 2001:db8::2
IPv6:
ICMPv6:  ----- ICMPv6 Header -----
ICMPv6:
ICMPv6:  Type = 136 (Neighbor advertisement)
ICMPv6:  Code = 0
ICMPv6:  Checksum = beef
ICMPv6:  Router flag: SET
ICMPv6:  Solicited flag: SET
ICMPv6:  Override flag: SET
ICMPv6:  Target node = 2001:db8::9, 2001:db8::9
ICMPv6:  Target link-layer address = 8:0:27:aa:11:11
ICMPv6:  MTU = 1500
ICMPv6:  Option type = 99, 8 bytes
ICMPv6:
`,
  )
  const wrongOption = (option: string): string =>
    joined(p.packetOf(p.ip6(58, p.octets(135, 0, '0000 00000000', target, option))))
  t.match(wrongOption('0100 080027aa1111'), '\nICMPv6:  [malformed: option of 0 bytes]\nICMPv6:\n')
  t.match(wrongOption('0102 080027aa1111'), '\nICMPv6:  [malformed: 8 of 16 bytes]\nICMPv6:\n')
})

t.test('IPv6 extension headers', async (t) => {
  const packet = p.ip6(43, p.octets(44, 0, 4, 1, '00000000', 17, 0, p.u16(1), p.u32(77), p.udp(1, 2)))
  t.match(
    joined(p.packetOf(packet)),
    `
IPv6-ROUTING:  ----- IPv6 Routing Header -----
IPv6-ROUTING:
IPv6-ROUTING:  Next Header = 44 (FRAGMENT)
IPv6-ROUTING:  Header length = 8 bytes
IPv6-ROUTING:  Routing type = 4
IPv6-ROUTING:  Segments left = 1
IPv6-ROUTING:
IPv6-FRAG:  ----- IPv6 Fragment Header -----
IPv6-FRAG:
IPv6-FRAG:  Next Header = 17 (UDP)
IPv6-FRAG:  Fragment Offset = 0
IPv6-FRAG:  More Fragments Flag = true
IPv6-FRAG:  Identification = 77
IPv6-FRAG:
UDP:  ----- UDP Header -----
`,
  )
})

t.test('DNS, ARP, VLANs, packets that were cut', async (t) => {
  const question = p.octets('abcd 0100 0001 0000 0000 0000 03', p.text('www'), 0, '0001 0001')
  t.match(
    joined(p.packetOf(p.ip(17, p.udp(5, 53, question)))),
    `
DNS:  ----- DNS Header -----
DNS:
DNS:  ID = 43981
DNS:  Query, opcode 0
DNS:  1 question(s), 0 answer(s)
DNS:  Question: www. Internet Addr
DNS:
`,
  )
  const arp = p.octets('0001 0800 06 04 0001 080027aa1111 0a000001 000000000000 0a000002')
  t.match(
    joined(p.frameOf(p.ether(0x0806, arp, 'ffffffffffff'), -1)),
    `
ETHER:  Destination = ff:ff:ff:ff:ff:ff, (broadcast)
ETHER:  Source      = 8:0:27:aa:11:11,
ETHER:  Ethertype = 0806 (ARP)
ETHER:
ARP:  ----- ARP/RARP Frame -----
ARP:
ARP:  Hardware type = 1 (Ethernet)
ARP:  Protocol type = 0800 (IP)
ARP:  Length of hardware address = 6 bytes
ARP:  Length of protocol address = 4 bytes
ARP:  Opcode 1 (ARP Request)
ARP:  Sender's hardware address = 8:0:27:aa:11:11
ARP:  Sender's protocol address = 10.0.0.1, 10.0.0.1
ARP:  Target hardware address = ?
ARP:  Target protocol address = 10.0.0.2, 10.0.0.2
ARP:
`,
  )
  const tagged = p.frameOf(p.ether(0x8100, p.octets('6064 0800', p.ip(6, p.tcp(1, 2, 0)))), 18, { end: 50 })
  const text = joined(tagged)
  t.match(text, '\nETHER:  Packet size = 58 bytes, truncated to 50 bytes\n')
  t.match(text, '\nETHER:  VLAN ID = 100\nETHER:  VLAN Priority = 3\nETHER:  Ethertype = 0800 (IP)\n')
  t.match(text, '\nTCP:  Source port = 1\nTCP:  Destination port = 2\nTCP:  [truncated]\nTCP:\n')
})

t.test('hexadecimal digits', async (t) => {
  const frame = p.packetOf(p.ip(1, p.octets(8, 0, 'ac54 0123 0001', p.text('abc'))))
  t.same(hexLines(frame), [
    '           0: 0800 22aa 2202 0800 27aa 1111 0800 4500    .."."...\'.....E.',
    '          16: 001f 0007 0000 4001 fde0 0a00 0001 0a00    ......@.........',
    '          32: 0002 0800 ac54 0123 0001 6162 63           .....T.#..abc',
  ])
  t.same(hexLines(frame, 42, 2), ['          42: 6162                                       ab'])
  t.same(hexLines(frame, 0, 0), [])
  t.same(hexLines(frame, 99), [])
  t.same(hexLines({ ...frame, end: 2 }), ['           0: 0800                                       ..'])
})
