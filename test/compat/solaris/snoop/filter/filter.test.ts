import t from 'tap'
import type { Cover, Frame } from '../../../../../agent/capture/frame.ts'
import { type FilterNames, parseFilter } from '../../../../../compat/solaris/snoop/filter/index.ts'
import { address } from '../../../../support/address.ts'
import { withSurroundings } from '../arbitraries.ts'
import * as p from '../packets.ts'

const names: FilterNames = {
  addresses: (name) =>
    name === 'pinky'
      ? [address('10.0.0.1'), address('2001:db8::1')]
      : name === 'dinky'
        ? [address('10.0.0.2')]
        : [],
  network: (name) => (name === 'lab' ? address('10.0.0.0') : undefined),
  service: (name) => (name === 'domain' ? 53 : undefined),
  ether: (name) => (name === 'pinky' ? p.octets('080027aa1111') : undefined),
}

const opened: Cover = { protocol: 'esp', spi: 0x1f4, sequence: 9, verdict: 'opened' }
const arp = p.octets('0001 0800 06 04 0001 080027aa1111 0a000001 000000000000 0a000002')

/** From 10.0.0.1 or 2001:db8::1, 8:0:27:aa:11:11, to 10.0.0.2 or 2001:db8::2, 8:0:22:aa:22:2. */
const FRAMES = {
  tcp: p.packetOf(p.ip(6, p.tcp(1022, 22, 2, p.text('x'.repeat(40))))),
  udp: p.packetOf(p.ip(17, p.udp(53, 33333))),
  first: p.packetOf(p.ip(17, p.udp(53, 33333), { fragment: 0x2000 })),
  later: p.packetOf(p.ip(17, p.udp(53, 33333), { fragment: 0x00b9 })),
  icmp: p.packetOf(p.ip(1, p.octets(8, 0, 'ac54 0123 0001'))),
  options: p.packetOf(p.octets(0x46, p.ip(17, p.udp(2049, 9)).subarray(1, 20), '01010101', p.udp(2049, 9))),
  udp6: p.packetOf(p.ip6(0, p.octets(17, 0, '000000000000', p.udp(547, 546)))),
  later6: p.packetOf(p.ip6(44, p.octets(6, 0, p.u16(1448), p.u32(7), p.tcp(1, 22, 2)))),
  icmp6: p.packetOf(p.ip6(58, p.octets(128, 0, '0000 0001 0002'))),
  ah: p.packetOf(p.ip(51, p.ah(6, 5, 1, p.tcp(1022, 22, 2)))),
  ahEsp: p.packetOf(p.ip(51, p.ah(50, 5, 1, p.esp(6, 2)))),
  esp: p.packetOf(p.ip(50, p.esp(0x1f4, 9))),
  espUdp: p.packetOf(p.ip(17, p.udp(4500, 4500, p.esp(0x300, 1)))),
  ikeUdp: p.packetOf(p.ip(17, p.udp(4500, 4500, p.octets('00000000 0000000000000300')))),
  opened: p.rawOf(p.ip(6, p.tcp(1022, 22, 2)), [opened]),
  arp: p.frameOf(p.ether(0x0806, arp, 'ffffffffffff'), -1),
  vlan: p.frameOf(p.ether(0x8100, p.octets('6064 0800', p.ip(17, p.udp(67, 68)))), 18),
  priority: p.frameOf(p.ether(0x8100, p.octets('6000 0800', p.ip(17, p.udp(67, 68)))), 18),
  cooked: p.frameOf(
    p.octets('0001 0001 0006 080027aa1111 0000 0800', p.ip(17, p.udp(389, 1), { destination: 'ffffffff' })),
    16,
    { link: 'cooked' },
  ),
  multicast: p.packetOf(p.ip(89, p.octets(1), { destination: 'e0000005' })),
  raw: p.rawOf(p.ip(89, p.octets(1), { destination: 'e0000005' })),
} satisfies Record<string, Frame>

type Name = keyof typeof FRAMES

/** Asserts which frames an expression selects. */
function selects(expression: string, ...wanted: readonly Name[]): void {
  const filter = parseFilter(expression, names)
  const found = (Object.keys(FRAMES) as Name[]).filter((name) => filter(FRAMES[name]))
  t.same(found.sort(), [...wanted].sort(), expression)
}

const ALL = Object.keys(FRAMES) as Name[]
const without = (...some: readonly Name[]): Name[] => ALL.filter((name) => !some.includes(name))
const V6: readonly Name[] = ['udp6', 'later6', 'icmp6']

t.test('protocols', async () => {
  selects('', ...ALL)
  selects('ip', ...without(...V6, 'arp'))
  selects('ip6', ...V6)
  selects('arp', 'arp')
  selects('rarp')
  selects('tcp', 'tcp', 'later6', 'ah', 'opened')
  selects('icmp', 'icmp')
  selects('icmp6', 'icmp6')
  selects('ospf', 'multicast', 'raw')
  selects('sctp')
  selects('ah', 'ah', 'ahEsp')
  selects('esp', 'esp', 'ahEsp', 'espUdp', 'opened')
  selects('esp and port 22', 'opened')
  selects('not esp and not ah and tcp', 'tcp', 'later6')
  selects('spi 0x1f4', 'esp', 'opened')
  selects('spi 6', 'ahEsp')
  selects('spi 5 or spi 768', 'ah', 'ahEsp', 'espUdp')
  selects('ethertype 0x86dd', ...V6)
  selects('ethertype 0x0800 and vlan', 'vlan')
  selects('ethertype 0x8100', 'vlan', 'priority')
  selects('vlan', 'vlan')
  selects('vlan-id 100', 'vlan')
  selects('vlan-id 0', 'priority')
  selects('bootp', 'vlan', 'priority')
  selects('dhcp', 'vlan', 'priority')
  selects('dhcp6', 'udp6')
  selects('ldap', 'cooked')
  selects('pppoe or pppoed or pppoes or apple or decnet or slp')
})

t.test('hosts, networks, ports', async () => {
  selects('host dinky', ...without(...V6, 'cooked', 'multicast', 'raw'))
  selects('10.0.0.2', ...without(...V6, 'cooked', 'multicast', 'raw'))
  selects('pinky', ...ALL)
  selects('inet pinky', ...without(...V6))
  selects('inet6 host pinky', ...V6)
  selects('from pinky to dinky', ...without(...V6, 'cooked', 'multicast', 'raw'))
  selects('to pinky')
  selects('dst 2001:DB8::2', ...V6)
  selects('src 8:0:27:aa:11:11', ...without('raw', 'opened'))
  selects('from ether pinky', ...without('raw', 'opened'))
  selects('ether host pinky and not from 08:00:27:aa:11:11')
  selects('to 0ff:ff:ff:ff:ff:ff', 'arp')
  selects('net 10', ...without(...V6))
  selects('to net 10.0.0.0', ...without(...V6, 'cooked', 'multicast', 'raw'))
  selects('net lab and ip6')
  selects('dst net 224.0.0.0/4', 'multicast', 'raw')
  selects('dst net 10.0.0.0/31')
  selects('dst net 10.0.0.2/31 arp', 'arp')
  selects('net 2001:db8::/33', ...V6)
  selects('to net 2001:db8::3/127', ...V6)
  selects('to net 2001:db8::3')
  selects('to net 2001:db8::5/127')
  selects('net ::/0', ...V6)
  selects('net 0.0.0.0/0', ...without(...V6))
  selects('port 22', 'tcp', 'ah', 'opened')
  selects('from port 22')
  selects('to tcp port 22', 'tcp', 'ah', 'opened')
  selects('udp port domain', 'udp', 'first')
  selects('src udp port 53', 'udp', 'first')
})

t.test('the rest of the primitives', async () => {
  selects('broadcast', 'arp', 'cooked')
  selects('multicast', 'arp', 'cooked', 'raw')
  selects('nofrag', ...without('arp', 'later', 'later6'))
  selects('fragment', 'first', 'later', 'later6')
  selects('greater 94', ...ALL.filter((name) => FRAMES[name].wireLength > 94))
  selects('less 43', ...ALL.filter((name) => FRAMES[name].wireLength < 43))
  selects('length >= 94', ...ALL.filter((name) => FRAMES[name].wireLength >= 94))
})

t.test('fields and arithmetic', async () => {
  selects('ether[0] & 1 = 1', 'arp')
  selects('ether[2:4] = 0xffffffff', 'arp')
  selects('ip[ip[0] & 0xf * 4 : 2] = 2049', 'options')
  selects('udp[0:2] = 2049', 'options')
  selects('ip[0] & 0xf > 5', 'options')
  selects('ip[6:2] & 0x1fff = 0', ...without(...V6, 'arp', 'later'))
  selects('udp and ip[6:2]&0x1fff = 0 and udp[6:2] != 0')
  selects('tcp[13] & 2 != 0', 'tcp', 'ah', 'opened')
  selects('tcp[13] != 0', 'tcp', 'ah', 'opened')
  selects('icmp[0] == 8', 'icmp')
  selects('icmp6[0] = 128', 'icmp6')
  selects('ah[4:4] = 5', 'ah', 'ahEsp')
  selects('esp[4 : 4] <= 2', 'ahEsp', 'espUdp')
  selects('ip6[7] = 64', ...V6)
  selects('ether[length - 1] = 0x78', 'tcp')
  selects('ether[length-1]=0x78', 'tcp')
  selects('length-1 = 93', 'tcp')
  selects('ether[length] >= 0')
  selects('ip[0 - 1] >= 0')
  selects('ip[-1] >= 0')
  selects('(length - 14) * 2 = 160', 'tcp')
  selects('2 + 3 * 4 - 1 = 13', ...ALL)
  selects('(2 + 3) * 4 = 20 and (tcp)', 'tcp', 'later6', 'ah', 'opened')
  selects('7 / 2 = 3 and 7 % 4 = 3 and 5 ^ 1 | 2 = 6 and 0 - 1 < 0', ...ALL)
  selects('1 / 0 = 0 or 1 % 0 != 0')
  selects('0xffffffff & 0xffffffff = 4294967295', ...ALL)
})

t.test('how conditions are joined', async () => {
  selects('tcp or udp and port 53', 'tcp', 'later6', 'ah', 'opened', 'udp', 'first')
  selects('(tcp or udp) and port 53', 'udp', 'first')
  selects('tcp,icmp || icmp6', 'tcp', 'later6', 'ah', 'opened', 'icmp', 'icmp6')
  selects('not tcp ip length > 60 && ! udp', 'ahEsp')
  selects('not (ip or ip6)', 'arp')
  selects('! ! ARP', 'arp')
  selects('not not not arp', ...without('arp'))
  selects('pinky dinky ICMP', 'icmp')
  selects('pinky AND icmp OR arp', 'icmp', 'arp')
  selects('  arp\n or\ticmp ', 'arp', 'icmp')
})

t.test('packets that were cut when captured have what is there', async (t) => {
  const cut = (frame: Frame, end: number): Frame => withSurroundings({ ...frame, end })[1]
  const esp = parseFilter('esp')
  t.ok(esp(cut(FRAMES.espUdp, 14 + 20 + 8 + 8)))
  t.notOk(esp(cut(FRAMES.espUdp, 14 + 20 + 8 + 7)), 'not told from IKE by what is behind the end')
  t.ok(esp(cut(FRAMES.esp, 14 + 20)), 'the IP header says so')
  const port = parseFilter('port 22')
  t.ok(port(cut(FRAMES.tcp, 14 + 20 + 4)))
  t.notOk(port(cut(FRAMES.tcp, 14 + 20 + 3)))
  t.ok(parseFilter('length = 94 and greater 90')(cut(FRAMES.tcp, 20)), 'the length is that on the wire')
  t.notOk(parseFilter('ip')(cut(FRAMES.tcp, 14 + 19)))
})
