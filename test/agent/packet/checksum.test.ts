import fc from 'fast-check'
import t from 'tap'
import {
  checksum,
  checksumOffset,
  fold,
  NO_CHECKSUM,
  pseudoHeaderSum,
  replaceWord,
  sumMemory,
  sumWords,
  updatedChecksum,
  verifyTransport,
  writeTransportChecksum,
} from '../../../agent/packet/checksum.ts'
import { memoryOf } from '../../../netlink/codec/memory.ts'
import {
  address6,
  anyPacket,
  data,
  destination4,
  hex,
  ipv4,
  ipv6,
  parsed,
  routingHeader,
  slowChecksum,
  source4,
  source6,
} from './packets.ts'

t.test('the examples of the RFCs', async (t) => {
  t.equal(fold(sumWords(hex('0001 f203 f4f5 f6f7'), 0, 8, 0)), 0xddf2, 'RFC 1071 section 3')
  t.equal(updatedChecksum(0xdd2f, 0x5555, 0x3285), 0x0000, 'RFC 1624 section 4')
})

t.test('headers of captures', async (t) => {
  const header = hex('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7')
  t.equal(checksum(header, 0, 20, 0), 0)
  header[10] = 0
  header[11] = 0
  t.equal(checksum(header, 0, 20, 0), 0xb861)
  const ping = Buffer.concat([hex('0800 0000 0001 0001'), Buffer.from('abcdefghijklmnopqrstuvwabcdefghi')])
  t.equal(checksum(ping, 0, ping.length, 0), 0x4d5a, 'the ping of Windows')
})

t.test('every way of summing gives the same', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat({ max: 7 }),
      fc.nat({ max: 1 << 20 }),
      (bytes, at, before) => {
        const from = Math.min(at, bytes.length)
        const sum = sumWords(bytes, from, bytes.length, before)
        t.equal(sumMemory(memoryOf(bytes), from, bytes.length, before), sum)
        t.equal(
          ~fold(sum) & 0xffff,
          slowChecksum(Uint8Array.of(0, before >>> 16, before >>> 8, before), bytes.subarray(from)),
        )
      },
    ),
    { seed: 1, numRuns: 300 },
  )
  const ones = new Uint8Array(65535).fill(0xff)
  t.equal(fold(sumMemory(memoryOf(ones), 0, ones.length, 0)), 0xff00, 'nothing overflows')
  t.equal(fold(2 ** 45 + 1), fold(2 ** 13 + 1))
})

t.test('an update is what computing anew gives', async (t) => {
  const word = fc.integer({ min: 0, max: 0xffff })
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 8, maxLength: 8 }),
      fc.nat({ max: 7 }),
      word,
      (words, index, value) => {
        const header = Buffer.alloc(20)
        header[0] = 0x45
        const placeOf = (i: number) => (i < 4 ? 2 : 4) + 2 * i
        words.forEach((one, i) => {
          header.writeUInt16BE(one, placeOf(i))
        })
        header.writeUInt16BE(slowChecksum(header), 10)
        const place = placeOf(index)
        replaceWord(header, place, value, 10)
        t.equal(header.readUInt16BE(place), value)
        const updated = header.readUInt16BE(10)
        header.writeUInt16BE(0, 10)
        t.equal(updated, slowChecksum(header))
      },
    ),
    { seed: 2, numRuns: 200 },
  )
})

t.test('pseudo-headers and transports', async (t) => {
  const udp = hex('1389 138a 000c 0000 61626364')
  const packet = ipv4({ payload: udp })
  const pseudo = Buffer.concat([source4, destination4, hex('0011 000c')])
  const expected = slowChecksum(pseudo, udp)
  t.equal(fold(pseudoHeaderSum(packet, 12, 8, 17, 12)), 0xffff - slowChecksum(pseudo))
  const memory = memoryOf(packet)
  t.equal(verifyTransport(memory, parsed(packet)), 'none', 'UDP without checksum')
  t.equal(writeTransportChecksum(memory, parsed(packet)), expected)
  t.equal(verifyTransport(memory, parsed(packet)), 'right')
  packet[28] = (packet[28] ?? 0) ^ 1
  t.equal(verifyTransport(memory, parsed(packet)), 'wrong')

  const solicitation = hex(`6000 0000 0020 3aff fe80 0000 0000 0000 0a00 27ff fe84 5b6e
    ff02 0000 0000 0000 0000 0001 ff00 0001 8700 0000 0000 0000 fe80 0000 0000 0000 0000 0000 0000 0001
    0101 0800 2784 5b6e`)
  const wanted = slowChecksum(
    solicitation.subarray(8, 40),
    hex('0000 0020 0000 003a'),
    solicitation.subarray(40),
  )
  t.equal(writeTransportChecksum(memoryOf(solicitation), parsed(solicitation)), wanted)
  t.equal(verifyTransport(memoryOf(solicitation), parsed(solicitation)), 'right')
})

t.test('what has no checksum, and lengths that do not fit', async (t) => {
  const none = (bytes: Uint8Array, message: string) => {
    const before = bytes.slice()
    t.equal(writeTransportChecksum(memoryOf(bytes), parsed(bytes)), NO_CHECKSUM, message)
    t.equal(verifyTransport(memoryOf(bytes), parsed(bytes)), 'none', message)
    t.same(bytes, before)
  }
  none(ipv4({ protocol: 50, payload: data(40) }), 'ESP')
  none(ipv4({ protocol: 6, payload: data(17) }), 'TCP that is cut off')
  none(ipv4({ payload: hex('1389 138a 000d 0000 61626364') }), 'a UDP length beyond the packet')
  none(ipv4({ payload: hex('1389 138a 0007 0000 61626364') }), 'a UDP length below its header')
  none(ipv4({ fragment: 0x2000, payload: hex('1389 138a 000c 0000 61626364') }), 'a fragment')
  t.equal(checksumOffset(132), -1)
})

t.test('UDP over IPv6 has a checksum, and none is zero', async (t) => {
  const packet = ipv6({ payload: hex('1389 138a 000a 0000 0000') })
  const memory = memoryOf(packet)
  t.equal(verifyTransport(memory, parsed(packet)), 'wrong')
  const sum = writeTransportChecksum(memory, parsed(packet))
  packet.set([sum >>> 8, sum & 0xff], 48)
  t.equal(writeTransportChecksum(memory, parsed(packet)), 0xffff)
  t.equal(verifyTransport(memory, parsed(packet)), 'right')
})

t.test('UDP-Lite covers what it says', async (t) => {
  const packet = ipv4({ protocol: 136, payload: hex('1389 138a 0008 0000 61626364') })
  writeTransportChecksum(memoryOf(packet), parsed(packet))
  packet[29] = 0
  t.equal(verifyTransport(memoryOf(packet), parsed(packet)), 'right', 'the data is not covered')
  packet[21] = 0
  t.equal(verifyTransport(memoryOf(packet), parsed(packet)), 'wrong')
})

t.test('a routing header: the last address counts', async (t) => {
  const udp = hex('1389 138a 000c 0000 61626364')
  const routed = ipv6({
    destination: address6(5),
    extensions: [routingHeader(0, 2, [address6(6), address6(7)])],
    payload: udp,
  })
  const arrived = ipv6({ destination: address6(7), payload: udp })
  const sum = writeTransportChecksum(memoryOf(arrived), parsed(arrived))
  t.equal(writeTransportChecksum(memoryOf(routed), parsed(routed)), sum)
  t.equal(sum, slowChecksum(source6, address6(7), hex('0000 000c 0000 0011'), udp))
})

t.test('what was written is right', async (t) => {
  fc.assert(
    fc.property(anyPacket(100), (packet) => {
      const ip = parsed(packet)
      const { transportAt, transportProtocol } = ip
      // A UDP length that fits.
      if (transportProtocol === 17 && packet.length - transportAt >= 8) {
        packet[transportAt + 4] = 0
        packet[transportAt + 5] = packet.length - transportAt
      }
      const sum = writeTransportChecksum(memoryOf(packet), ip)
      t.equal(verifyTransport(memoryOf(packet), ip), sum === NO_CHECKSUM ? 'none' : 'right')
    }),
    { seed: 3, numRuns: 300 },
  )
})
