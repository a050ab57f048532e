import t from 'tap'
import { type Address, formatAddress } from '../../../../../agent/model/address.ts'
import { interpret } from '../../../../../compat/commands/solipsec/explain/arguments.ts'
import { journeyOf, type RouteAnswer } from '../../../../../compat/commands/solipsec/explain/passage.ts'
import { readEnds, readUpperLayer } from '../../../../../compat/commands/solipsec/explain/question.ts'
import { address } from '../../../../support/address.ts'
import { resolver } from '../../../solaris/ipseckey/support.ts'

const V4 = { source: address('192.0.2.1'), destination: address('192.0.2.2') }
const V6 = { source: address('2001:db8::1'), destination: address('2001:db8::2') }
const upper = (text: string, ends = V4) => readUpperLayer(text.split(' ').filter(Boolean), ends, resolver)

t.test('what is above IP', async (t) => {
  t.same(upper(''), {})
  t.same(upper('any'), {})
  t.same(upper('tcp'), { protocol: 6 })
  t.same(upper('TCP'), { protocol: 6 })
  t.same(upper('6 443'), { protocol: 6, destinationPort: 443 }, 'one port is that of the destination')
  t.same(upper('udp 53 5353'), { protocol: 17, sourcePort: 53, destinationPort: 5353 })
  t.same(upper('udp 53 -'), { protocol: 17, sourcePort: 53 })
  t.same(upper('udp - 53'), { protocol: 17, destinationPort: 53 })
  t.same(upper('icmp 3/4'), { protocol: 1, type: 3, code: 4 })
  t.same(upper('icmp 3 4'), { protocol: 1, type: 3, code: 4 })
  t.same(upper('icmp echo'), { protocol: 1, type: 8 })
  t.same(upper('icmp -/4'), { protocol: 1, code: 4 })
  t.same(upper('icmp echo', V6), { protocol: 58, type: 128 }, 'that of the family')
  t.same(upper('1 8', V6), { protocol: 1, type: 8 }, 'unless it is told by number')
  t.same(upper('icmp6 packet-too-big', V6), { protocol: 58, type: 2 })
  t.same(upper('47'), { protocol: 47 })
})

t.test('what is no packet', async (t) => {
  for (const [words, message] of [
    ['any 22', /need a protocol/],
    ['47 22', /has no ports/],
    ['256', /no protocol '256'/],
    ['nosuch', /no protocol 'nosuch'/],
    ['tcp 65536', /no service '65536'/],
    ['tcp -22', /no service/],
    ['icmp 256', /no ICMP message/],
    ['icmp 3/4/5', /no ICMP message/],
    ['icmp packet-too-big', /no ICMP message/],
    ['icmp __proto__', /no ICMP message/],
  ] as const) {
    t.throws(() => upper(words), { message }, words)
  }
})

t.test('the two ends', async (t) => {
  const names: Record<string, readonly Address[]> = {
    both: [address('2001:db8::7'), address('192.0.2.7')],
    four: [address('192.0.2.8')],
  }
  const own = { ...resolver, addresses: (name: string) => names[name] ?? [] }
  const ends = (source: string, destination: string) => {
    const found = readEnds(source, destination, own)
    return [formatAddress(found.source), formatAddress(found.destination)]
  }
  t.same(ends('192.0.2.1', '192.0.2.2'), ['192.0.2.1', '192.0.2.2'])
  t.same(ends('both', 'four'), ['192.0.2.7', '192.0.2.8'])
  t.same(ends('both', '2001:db8::1'), ['2001:db8::7', '2001:db8::1'])
  t.throws(() => ends('192.0.2.1', '2001:db8::1'), { message: /no family/ })
  t.throws(() => ends('192.0.2.0/24', '192.0.2.1'), { message: /not a network/ })
  t.throws(() => ends('nobody', '192.0.2.1'), { message: /no host of this name/ })
})

t.test('the command line', async (t) => {
  const options = (...words: string[]) => words.map((name) => ({ name, value: 'x' }))
  const usage = (names: string[], operands: string[]) => {
    const found = interpret(options(...names), operands)
    return 'usage' in found ? found.usage : undefined
  }
  t.match(usage([], ['a']), /two addresses/)
  t.match(usage(['in', 'out'], ['a', 'b']), /--in or --out/)
  t.match(usage([], ['a', 'b', 'tcp', '1', '2', '3']), /too many words: 3/)
  t.match(usage(['kind'], ['a', 'b']), /kind/)
  t.equal(usage([], ['a', 'b', 'udp', '53', '-']), undefined)
  t.match(usage([], ['a', 'b', '--json']), /--json/)
})

t.test('the way of a packet', async (t) => {
  const endpoints = { local: address('198.51.100.1'), remote: address('198.51.100.2') }
  const tunnel = { name: 'tun0', ifindex: 7, endpoints, protocols: [4] }
  const network = { localAddresses: [address('192.0.2.1')], tunnels: new Map([['tun0', tunnel]]) }
  const by =
    (ifindex: number): ((to: Address) => RouteAnswer) =>
    () => ({ kind: 'found', route: { ifindex, interface: 'eth0' } })
  const journey = (source: string, destination: string, request: object = {}, ifindex = 3) =>
    journeyOf(
      { source: address(source), destination: address(destination) },
      { protocol: 6, sourcePort: 1, destinationPort: 2 },
      { isForwarded: false, ...request },
      network,
      by(ifindex),
    )
  const out = journey('192.0.2.1', '192.0.2.9')
  t.equal(out.passage.way, 'out')
  t.equal(out.passage.ifindex, 3)
  t.same([out.packet.localPort, out.packet.remotePort], [1, 2])
  const back = journey('192.0.2.9', '192.0.2.1')
  t.equal(back.passage.way, 'in')
  t.same([back.packet.localPort, back.packet.remotePort], [2, 1])
  t.equal(back.route.kind, 'not asked')
  t.equal(journey('192.0.2.9', '224.0.0.5').passage.way, 'in', 'a group')
  t.equal(journey('192.0.2.1', '192.0.2.9', {}, 7).passage.tunnel, tunnel, 'by the route')
  t.equal(journey('192.0.2.9', '192.0.2.1', { interface: 'tun0' }).passage.tunnel, tunnel, 'by its name')
  t.equal(journey('10.0.0.1', '10.0.0.2', { way: 'in' }).passage.way, 'in')
  t.equal(journey('10.0.0.1', '10.0.0.2', { isForwarded: true }).passage.isForwarded, true)
  t.throws(() => journey('10.0.0.1', '10.0.0.2'), { message: /neither of 10.0.0.1 and 10.0.0.2/ })
  t.throws(() => journey('192.0.2.1', '10.0.0.2', { interface: 'eth0' }), { message: /no tunnel interface/ })
})
