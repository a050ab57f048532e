import fc from 'fast-check'
import t from 'tap'
import {
  headerChecksumHolds,
  newIpHeader,
  parseIp,
  refreshChecksum,
  setLength,
  setTrafficClass,
  trafficClass,
} from '../../../agent/packet/ip-header.ts'
import {
  address6,
  anyPacket,
  data,
  destinationOptions,
  digits,
  type Extension,
  fragmentHeader,
  HOP,
  hex,
  hopOptions,
  ipv4,
  ipv6,
  OPTIONS,
  parsed,
  routingHeader,
} from './packets.ts'

const accepts = (bytes: Uint8Array, end = bytes.length) => parseIp(bytes, 0, end, newIpHeader())

t.test('an IPv4 header', async (t) => {
  const packet = ipv4({ tos: 0xb9, id: 0xabcd, fragment: 0x4000, ttl: 7, protocol: 50, payload: data(12) })
  const behind = Buffer.concat([data(3), packet, data(5)])
  t.same(parsed(behind, 3), {
    version: 4,
    at: 3,
    end: 3 + 32,
    headerLength: 20,
    sourceAt: 15,
    destinationAt: 19,
    finalDestinationAt: 19,
    nextHeaderAt: 12,
    protocol: 50,
    upperAt: 23,
    transportProtocol: 50,
    transportAt: 23,
    isFragment: false,
    fragmentOffset: 0,
    moreFragments: false,
    fragmentAt: -1,
    fragmentNamedAt: -1,
    identification: 0xabcd,
    dontFragment: true,
    trafficClass: 0xb9,
    flowLabel: 0,
    hopLimit: 7,
  })
  const withOptions = parsed(ipv4({ options: hex('94040000 01010101'), payload: data(1) }))
  t.match(withOptions, { headerLength: 28, upperAt: 28, end: 29 })
  const fragment = parsed(ipv4({ fragment: 0x2000 | 3 }))
  t.match(fragment, { isFragment: true, fragmentOffset: 24, moreFragments: true, dontFragment: false })
  t.match(parsed(ipv4({ fragment: 3 })), { isFragment: true, fragmentOffset: 24, moreFragments: false })
})

t.test('an IPv6 header', async (t) => {
  const packet = ipv6({ tos: 0xb9, flowLabel: 0xabcde, hopLimit: 7, protocol: 6, payload: data(12) })
  t.same(parsed(packet), {
    version: 6,
    at: 0,
    end: 52,
    headerLength: 40,
    sourceAt: 8,
    destinationAt: 24,
    finalDestinationAt: 24,
    nextHeaderAt: 6,
    protocol: 6,
    upperAt: 40,
    transportProtocol: 6,
    transportAt: 40,
    isFragment: false,
    fragmentOffset: 0,
    moreFragments: false,
    fragmentAt: -1,
    fragmentNamedAt: -1,
    identification: 0,
    dontFragment: true,
    trafficClass: 0xb9,
    flowLabel: 0xabcde,
    hopLimit: 7,
  })
})

/** Home address option (RFC 6275), aligned by PadN. */
const home = hex('0002 0102 0000 c910 20010db8000000000000000000000042')
const routing = routingHeader(0, 1, [address6(3)])

t.test('which extension headers stay in front of ESP and AH', async (t) => {
  const cases: readonly [
    title: string,
    extensions: readonly Extension[],
    inFront: number,
    protocol: number,
  ][] = [
    ['hop-by-hop options do', [hopOptions()], 1, 17],
    ['routing does', [routing], 1, 17],
    ['destination options do not', [destinationOptions()], 0, OPTIONS],
    ['destination options in front of routing do', [destinationOptions(), routing], 2, 17],
    [
      'those behind it do not',
      [hopOptions(), destinationOptions(), routing, destinationOptions()],
      3,
      OPTIONS,
    ],
    ['a home address does', [routing, destinationOptions(home)], 2, 17],
    [
      'a home address does, and other options behind it do not',
      [destinationOptions(home), destinationOptions()],
      1,
      OPTIONS,
    ],
    [
      'a fragment header does, and what is before it',
      [destinationOptions(), fragmentHeader(0, false), destinationOptions()],
      2,
      OPTIONS,
    ],
  ]
  for (const [title, extensions, inFront, protocol] of cases) {
    const lengths = extensions.map(([, bytes]) => bytes.length)
    const sum = (count: number) => lengths.slice(0, count).reduce((a, b) => a + b, 40)
    const ip = parsed(ipv6({ extensions, payload: data(8) }))
    const namedBy = inFront === 0 ? 6 : sum(inFront - 1)
    t.match(ip, { upperAt: sum(inFront), headerLength: sum(inFront), protocol, nextHeaderAt: namedBy }, title)
    t.match(ip, { transportAt: sum(extensions.length), transportProtocol: 17 }, title)
  }
})

t.test('options in front of ESP and AH that are there are in front', async (t) => {
  for (const protocol of [50, 51]) {
    const ip = parsed(ipv6({ extensions: [destinationOptions()], protocol, payload: data(16) }))
    t.match(ip, { upperAt: 48, protocol, nextHeaderAt: 40, transportAt: 48, transportProtocol: protocol })
  }
})

t.test('fragments of IPv6', async (t) => {
  const later = ipv6({
    extensions: [fragmentHeader(1448, true)],
    protocol: OPTIONS,
    payload: data(8),
  })
  t.match(parsed(later), {
    isFragment: true,
    fragmentOffset: 1448,
    moreFragments: true,
    identification: 0x01020304,
    fragmentAt: 40,
    fragmentNamedAt: 6,
    upperAt: 48,
    protocol: OPTIONS,
    transportAt: 48,
  })
  const high = ipv6({ extensions: [fragmentHeader(0, true, 0xfedcba98)], payload: data(8) })
  t.match(parsed(high), { isFragment: true, fragmentOffset: 0, identification: 0xfedcba98 })
  const only = ipv6({ extensions: [fragmentHeader(0, false)], payload: data(8) })
  t.match(parsed(only), { isFragment: false, moreFragments: false, fragmentAt: 40 }, 'RFC 6946')
  const chain: Extension[] = [fragmentHeader(0, true), destinationOptions()]
  t.equal(accepts(ipv6({ extensions: chain })), true)
  const cut = ipv6({ extensions: chain }).slice(0, -1)
  cut[5] = (cut[5] ?? 0) - 1
  t.equal(accepts(cut), false, 'headers do not go on in the next fragment')
})

t.test('the last address of a route that lies ahead', async (t) => {
  const destinationOf = (type: number, left: number) =>
    parsed(ipv6({ extensions: [routingHeader(type, left, [address6(1), address6(2)])] })).finalDestinationAt
  t.equal(destinationOf(0, 2), 40 + 8 + 16)
  t.equal(destinationOf(2, 1), 40 + 8 + 16)
  t.equal(destinationOf(0, 0), 24)
  t.equal(destinationOf(4, 1), 24, 'of other types it is not known')
})

t.test('what is no packet', async (t) => {
  const good4 = ipv4({ payload: data(8) })
  const good6 = ipv6({ extensions: [hopOptions()], payload: data(8) })
  for (const packet of [good4, good6]) {
    for (let end = 0; end < packet.length; end++) t.equal(accepts(packet, end), false, `cut off at ${end}`)
    t.equal(accepts(packet), true)
  }
  const changed = (packet: Uint8Array, place: number, value: number) => {
    const copy = packet.slice()
    copy[place] = value
    return accepts(copy)
  }
  t.equal(changed(good4, 0, 0x55), false, 'version 5')
  t.equal(changed(good4, 0, 0x44), false, 'a header of 16 bytes')
  t.equal(changed(good4, 0, 0x48), false, 'a header beyond the packet')
  t.equal(changed(good4, 3, 19), false, 'a packet shorter than its header')
  t.equal(changed(good6, 41, 9), false, 'an extension header beyond the packet')
  t.equal(changed(good6, 40, HOP), false, 'hop-by-hop options that are not first')
  const jumbo = ipv6({ extensions: [hopOptions(hex('0000 c204 00011170'))], payload: data(8) })
  jumbo[5] = 0
  t.equal(accepts(jumbo), false, 'a jumbogram')
  const twice: Extension[] = [fragmentHeader(0, false), fragmentHeader(8, true)]
  t.equal(accepts(ipv6({ extensions: twice, payload: data(8) })), false, 'a fragment of a fragment')
  t.equal(accepts(ipv6({ protocol: 59 })), true, 'nothing follows')
})

t.test('a header is changed in place', async (t) => {
  const packet4 = ipv4({ tos: 1, payload: data(4) })
  setTrafficClass(packet4, 0, 0xfd)
  t.equal(digits(packet4), digits(ipv4({ tos: 0xfd, payload: data(4) })))
  setLength(packet4, 0, 23)
  t.equal(digits(packet4, 0, 23), digits(ipv4({ tos: 0xfd, payload: data(3) })))

  const fields = { flowLabel: 0xfffff, payload: data(4), extensions: [hopOptions()] as const }
  const packet6 = ipv6({ ...fields, tos: 0x5a })
  setTrafficClass(packet6, 0, 0xa5)
  t.equal(digits(packet6), digits(ipv6({ ...fields, tos: 0xa5 })))
  setLength(packet6, 0, 51)
  t.equal(digits(packet6, 0, 51), digits(ipv6({ ...fields, tos: 0xa5, payload: data(3) })))
})

t.test('a wrong checksum stays wrong until it is computed anew', async (t) => {
  const packet = ipv4()
  t.equal(headerChecksumHolds(packet, parsed(packet)), true)
  packet[10] = (packet[10] ?? 0) ^ 0x10
  setTrafficClass(packet, 0, 8)
  t.equal(headerChecksumHolds(packet, parsed(packet)), false)
  refreshChecksum(packet, 0)
  t.equal(headerChecksumHolds(packet, parsed(packet)), true)
  const six = ipv6()
  refreshChecksum(six, 0)
  t.equal(digits(six), digits(ipv6()))
  t.equal(headerChecksumHolds(six, parsed(six)), true)
})

t.test('whatever is set, the header is as if made so', async (t) => {
  const byte = fc.nat({ max: 255 })
  fc.assert(
    fc.property(anyPacket(20), byte, (packet, tos) => {
      const ip = parsed(packet)
      setTrafficClass(packet, 0, tos)
      t.equal(trafficClass(packet, 0), tos)
      t.same(parsed(packet), { ...ip, trafficClass: tos })
      t.equal(headerChecksumHolds(packet, ip), true)
    }),
    { seed: 1, numRuns: 200 },
  )
})
