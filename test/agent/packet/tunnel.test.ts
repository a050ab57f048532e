import fc from 'fast-check'
import t from 'tap'
import {
  decapsulatedEcn,
  ECN_DROP,
  type EcnMode,
  encapsulatedEcn,
  isSuspectEcn,
} from '../../../agent/packet/ecn.ts'
import { headerChecksumHolds, newIpHeader, parseIp } from '../../../agent/packet/ip-header.ts'
import {
  CONGESTED,
  innerProtocol,
  NOT_A_PACKET,
  outerLength,
  TAKEN_OFF,
  TAKEN_OFF_SUSPECT,
  type TunnelEnds,
  type TunnelOptions,
  takeOffOuter,
  writeOuterHeader,
} from '../../../agent/packet/tunnel.ts'
import {
  anyPacket,
  data,
  destination4,
  destination6,
  digits,
  ipv4,
  ipv6,
  parsed,
  source4,
  source6,
} from './packets.ts'

const NOT = 0
const ECT1 = 1
const ECT0 = 2
const CE = 3
const dfBitChoices = ['clear', 'set', 'copy'] as const
const fields = [NOT, ECT0, ECT1, CE] as const

const options: TunnelOptions = {
  ecn: 'copy',
  dscp: 'copy',
  decapsulatedDscp: 'keep',
  dontFragment: 'copy',
  hopLimit: 64,
}
const four: TunnelEnds = { version: 4, source: source4, destination: destination4 }
const six: TunnelEnds = { version: 6, source: source6, destination: destination6 }

t.test('going in: figure 3 of RFC 6040', async (t) => {
  const outer = (mode: EcnMode) => fields.map((inner) => encapsulatedEcn(mode, inner))
  t.same(outer('copy'), [NOT, ECT0, ECT1, CE])
  t.same(outer('compatible'), [NOT, NOT, NOT, NOT])
  t.same(outer('clear'), [NOT, NOT, NOT, NOT])
  t.same(outer('ignore'), [NOT, ECT0, ECT1, CE])
})

t.test('coming out: figure 4 of RFC 6040', async (t) => {
  // Rows are what arrived inside, columns what arrived outside, both in the order of the RFC.
  const table = [
    [NOT, NOT, NOT, ECN_DROP],
    [ECT0, ECT0, ECT1, CE],
    [ECT1, ECT1, ECT1, CE],
    [CE, CE, CE, CE],
  ]
  for (const mode of ['copy', 'compatible'] as const) {
    const found = fields.map((inner) => fields.map((outer) => decapsulatedEcn(mode, inner, outer)))
    t.same(found, table, mode)
  }
  const suspect = fields.map((inner) => fields.map((outer) => isSuspectEcn(inner, outer)))
  t.same(suspect, [
    [false, true, true, true],
    [false, false, false, false],
    [false, false, false, false],
    [false, false, true, false],
  ])
  for (const mode of ['clear', 'ignore'] as const)
    for (const inner of fields)
      for (const outer of fields) t.equal(decapsulatedEcn(mode, inner, outer), inner, mode)
})

t.test('an outer IPv4 header', async (t) => {
  const inner = ipv4({ tos: 0xba, fragment: 0x4000, payload: data(4) })
  const bytes = new Uint8Array(60).fill(0xdd)
  t.equal(writeOuterHeader(bytes, 5, 55, four, options, parsed(inner), 50, 0xbeef), true)
  const expected = ipv4({ tos: 0xba, id: 0xbeef, fragment: 0x4000, ttl: 64, protocol: 50, payload: data(30) })
  t.equal(digits(bytes, 5, 25), digits(expected, 0, 20))
  t.equal(digits(bytes, 0, 5) + digits(bytes, 25), 'dd'.repeat(40))
})

t.test('an outer IPv6 header', async (t) => {
  const inner = ipv6({ tos: 0xba, flowLabel: 0x12345, payload: data(4) })
  const bytes = new Uint8Array(80).fill(0xdd)
  t.equal(writeOuterHeader(bytes, 5, 75, six, { ...options, hopLimit: 9 }, parsed(inner), 51, 1), true)
  const expected = ipv6({ tos: 0xba, hopLimit: 9, protocol: 51, payload: data(30) })
  t.equal(digits(bytes, 5, 45), digits(expected, 0, 40))
  t.equal(digits(bytes, 0, 5) + digits(bytes, 45), 'dd'.repeat(40))
})

t.test('the DF bit', async (t) => {
  const inner = { off: ipv4(), on: ipv4({ fragment: 0x4000 }), v6: ipv6() }
  const found = dfBitChoices.map((dontFragment) =>
    Object.values(inner).map((packet) => {
      const bytes = new Uint8Array(40)
      writeOuterHeader(bytes, 0, 40, four, { ...options, dontFragment }, parsed(packet), 50, 0)
      return bytes[6]
    }),
  )
  t.same(found, [
    [0, 0, 0],
    [0x40, 0x40, 0x40],
    [0, 0x40, 0x40],
  ])
})

t.test('DSCP', async (t) => {
  const outer = (tos: number, more: Partial<TunnelOptions>) => {
    const bytes = new Uint8Array(60)
    const header = parsed(ipv4({ tos }))
    writeOuterHeader(bytes, 0, 60, six, { ...options, ...more }, header, 50, 0)
    return parsed(bytes).trafficClass
  }
  t.equal(outer(0xb9, {}), 0xb9)
  t.equal(outer(0xb9, { ecn: 'clear' }), 0xb8)
  t.equal(outer(0xb9, { dscp: 0 }), 0x01)
  t.equal(outer(0xb9, { dscp: 0x3f, ecn: 'compatible' }), 0xfc)
  t.equal(outer(0xbb, { dscp: 8, ecn: 'ignore' }), 0x23)
})

t.test('packets that are too long for a header', async (t) => {
  const bytes = new Uint8Array(65600)
  t.equal(writeOuterHeader(bytes, 0, 65535, four, options, parsed(ipv4()), 50, 0), true)
  t.equal(writeOuterHeader(bytes, 0, 65536, four, options, parsed(ipv4()), 50, 0), false)
  t.equal(writeOuterHeader(bytes, 0, 65575, six, options, parsed(ipv4()), 50, 0), true)
  bytes.fill(0)
  t.equal(writeOuterHeader(bytes, 0, 65576, six, options, parsed(ipv4()), 50, 0), false)
  t.equal(
    bytes.findIndex((byte) => byte !== 0),
    -1,
  )
})

t.test('coming out, for both families', async (t) => {
  for (const make of [ipv4, ipv6]) {
    for (const inner of fields) {
      for (const outer of fields) {
        const packet = make({ tos: 0x28 | inner, payload: data(9) })
        const before = packet.slice()
        const header = newIpHeader()
        const protocol = innerProtocol(parsed(packet).version)
        const code = takeOffOuter(packet, 0, packet.length, protocol, 0xb8 | outer, options, header)
        const wanted = decapsulatedEcn('copy', inner, outer)
        const title = `inner ${inner}, outer ${outer}`
        if (wanted === ECN_DROP) {
          t.equal(code, CONGESTED, title)
          t.same(packet, before, title)
          continue
        }
        t.equal(code, isSuspectEcn(inner, outer) ? TAKEN_OFF_SUSPECT : TAKEN_OFF, title)
        t.equal(digits(packet), digits(make({ tos: 0x28 | wanted, payload: data(9) })), title)
        t.equal(header.trafficClass, 0x28 | wanted, title)
      }
    }
  }
})

t.test('DSCP that comes out', async (t) => {
  const packet = ipv4({ tos: 0x29 })
  const uniform = { ...options, decapsulatedDscp: 'copy' } as const
  takeOffOuter(packet, 0, 20, 4, 0xbb, uniform, newIpHeader())
  t.equal(digits(packet), digits(ipv4({ tos: 0xbb })))
  takeOffOuter(packet, 0, 20, 4, 0x40, { ...uniform, ecn: 'clear' }, newIpHeader())
  t.equal(digits(packet), digits(ipv4({ tos: 0x43 })))
  const suspect = takeOffOuter(ipv4(), 0, 20, 4, 1, { ...options, ecn: 'ignore' }, newIpHeader())
  t.equal(suspect, TAKEN_OFF, 'nothing is told of fields that are not looked at')
})

t.test('what is inside must be what was announced', async (t) => {
  const header = newIpHeader()
  const take = (packet: Uint8Array, protocol: number, end = packet.length) =>
    takeOffOuter(packet, 0, end, protocol, 0, options, header)
  t.equal(take(ipv4(), 41), NOT_A_PACKET)
  t.equal(take(ipv6(), 4), NOT_A_PACKET)
  t.equal(take(ipv4(), 6), NOT_A_PACKET)
  t.equal(take(ipv4(), 4, 19), NOT_A_PACKET)
  t.equal(take(ipv4(), 4, 0), NOT_A_PACKET)
  const padded = Buffer.concat([ipv4({ payload: data(3) }), data(50)])
  t.equal(take(padded, 4), TAKEN_OFF)
  t.equal(header.end, 23, 'padding is left behind')
})

t.test('a packet goes through a tunnel unchanged but for ECN', async (t) => {
  const choices = fc.record({
    ecn: fc.constantFrom<EcnMode>('copy', 'compatible', 'clear', 'ignore'),
    dscp: fc.constantFrom<'copy' | number>('copy', 0, 46),
    decapsulatedDscp: fc.constant('keep' as const),
    dontFragment: fc.constantFrom(...dfBitChoices),
    hopLimit: fc.integer({ min: 1, max: 255 }),
  })
  fc.assert(
    fc.property(
      anyPacket(80),
      choices,
      fc.constantFrom(four, six),
      fc.nat({ max: 0xffff }),
      (packet, chosen, ends, id) => {
        const header = outerLength(ends.version)
        const inner = parsed(packet)
        const bytes = Buffer.concat([new Uint8Array(header).fill(0xdd), packet])
        const protocol = innerProtocol(inner.version)
        t.equal(writeOuterHeader(bytes, 0, bytes.length, ends, chosen, inner, protocol, id), true)
        const outer = parsed(bytes)
        t.equal(headerChecksumHolds(bytes, outer), true)
        t.match(outer, {
          upperAt: header,
          end: bytes.length,
          protocol,
          hopLimit: chosen.hopLimit,
          flowLabel: 0,
        })
        t.equal(
          takeOffOuter(bytes, header, bytes.length, protocol, outer.trafficClass, chosen, inner),
          TAKEN_OFF,
        )
        t.equal(digits(bytes, header), digits(packet), 'nobody met congestion')
        t.equal(parseIp(bytes, header, bytes.length, newIpHeader()), true)
      },
    ),
    { seed: 1, numRuns: 150 },
  )
})
