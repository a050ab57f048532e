import t from 'tap'
import {
  ICMP_NO_ROOM,
  ICMP_NOT_ALLOWED,
  type IcmpKind,
  type IcmpSender,
  icmpKinds,
  writeIcmpError,
} from '../../../agent/packet/icmp.ts'
import {
  address6,
  data,
  destinationOptions,
  digits,
  type Extension,
  fragmentHeader,
  hex,
  hopOptions,
  ipv4,
  ipv6,
  parsed,
  slowChecksum,
  source4,
  source6,
} from './packets.ts'

const router4: IcmpSender = {
  source: hex('ffff c0000263'),
  sourceAt: 2,
  hopLimit: 60,
  identification: 0xbeef,
}
const router6: IcmpSender = { source: address6(0x63), sourceAt: 0, hopLimit: 61, identification: 0 }

/** The error, or the code. */
function error(packet: Uint8Array, kind: IcmpKind, mtu = 0): Uint8Array | number {
  const out = new Uint8Array(1300).fill(0xdd)
  const sender = kind.version === 4 ? router4 : router6
  const end = writeIcmpError(packet, parsed(packet), kind, mtu, sender, out, 5)
  if (end < 0) {
    t.equal(
      out.findIndex((byte) => byte !== 0xdd),
      -1,
      'nothing is written',
    )
    return end
  }
  t.equal(digits(out, 0, 5) + digits(out, end, end + 5), 'dd'.repeat(10))
  return out.slice(5, end)
}

const text = (result: Uint8Array | number) => (typeof result === 'number' ? result : digits(result))

function withSum(message: Uint8Array, ...before: Uint8Array[]): Uint8Array {
  const sum = slowChecksum(...before, message)
  message.set([sum >>> 8, sum & 0xff], 2)
  return message
}

t.test('IPv4', async (t) => {
  const packet = ipv4({ fragment: 0x4000, payload: data(40) })
  const wrapped = (icmp: Uint8Array) =>
    digits(
      ipv4({
        tos: 0xc0,
        id: 0xbeef,
        ttl: 60,
        protocol: 1,
        source: Uint8Array.of(192, 0, 2, 99),
        destination: source4,
        payload: withSum(icmp),
      }),
    )
  const tooBig = Buffer.concat([hex('0304 0000 0000 0578'), packet])
  t.equal(text(error(packet, icmpKinds.tooBig4, 1400)), wrapped(tooBig))
  const prohibited = Buffer.concat([hex('030d 0000 00000000'), packet])
  t.equal(text(error(packet, icmpKinds.prohibited4)), wrapped(prohibited))
  const long = ipv4({ payload: data(1000) })
  const time = Buffer.concat([hex('0b01 0000 00000000'), long.subarray(0, 548)])
  const quoting = error(long, icmpKinds.reassemblyTimeExceeded4)
  t.equal(text(quoting), wrapped(time))
  t.equal(typeof quoting === 'number' ? 0 : quoting.length, 576)
})

t.test('IPv6', async (t) => {
  const packet = ipv6({ tos: 0xff, payload: data(40) })
  const wrapped = (icmp: Uint8Array) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(icmp.length)
    const payload = withSum(icmp, address6(0x63), source6, length, hex('0000003a'))
    return digits(ipv6({ hopLimit: 61, protocol: 58, source: address6(0x63), destination: source6, payload }))
  }
  const tooBig = Buffer.concat([hex('0200 0000 00010500'), packet])
  t.equal(text(error(packet, icmpKinds.tooBig6, 0x10500)), wrapped(tooBig))
  const prohibited = Buffer.concat([hex('0101 0000 00000000'), packet])
  t.equal(text(error(packet, icmpKinds.prohibited6)), wrapped(prohibited))
  const long = ipv6({ payload: data(1400) })
  const unreachable = Buffer.concat([hex('0103 0000 00000000'), long.subarray(0, 1232)])
  const quoting = error(long, icmpKinds.addressUnreachable6)
  t.equal(text(quoting), wrapped(unreachable))
  t.equal(typeof quoting === 'number' ? 0 : quoting.length, 1280)
})

t.test('only the packet itself is quoted', async (t) => {
  const packet = ipv4({ payload: data(8) })
  const out = new Uint8Array(600)
  const more = Buffer.concat([packet, data(50)])
  t.equal(writeIcmpError(more, parsed(more), icmpKinds.portUnreachable4, 0, router4, out, 0), 20 + 8 + 28)
})

t.test('never about errors', async (t) => {
  const about4 = (payload: string) =>
    text(error(ipv4({ protocol: 1, payload: hex(payload) }), icmpKinds.tooBig4))
  for (const type of ['03', '04', '05', '0b', '0c'])
    t.equal(about4(`${type}00000000000000`), ICMP_NOT_ALLOWED)
  for (const type of ['00', '08', '0d', '11']) t.type(about4(`${type}00000000000000`), 'string')
  t.equal(about4(''), ICMP_NOT_ALLOWED, 'who knows')
  const about6 = (payload: string, extensions: readonly Extension[] = []) =>
    text(error(ipv6({ protocol: 58, extensions, payload: hex(payload) }), icmpKinds.tooBig6))
  for (const type of ['01', '02', '03', '04', '64', '7f', '89'])
    t.equal(about6(`${type}00000000000000`), ICMP_NOT_ALLOWED)
  for (const type of ['80', '81', '87']) t.type(about6(`${type}00000000000000`), 'string')
  t.equal(about6(''), ICMP_NOT_ALLOWED)
  const behind: Extension[] = [hopOptions(), destinationOptions()]
  t.equal(about6('0100000000000000', behind), ICMP_NOT_ALLOWED)
  t.type(about6('8000000000000000', behind), 'string')
  t.type(
    text(error(ipv4({ protocol: 58, payload: hex('03') }), icmpKinds.tooBig4)),
    'string',
    'of another protocol',
  )
})

t.test('never about fragments but the first', async (t) => {
  t.equal(error(ipv4({ fragment: 1, payload: data(8) }), icmpKinds.hopLimitExceeded4), ICMP_NOT_ALLOWED)
  t.type(text(error(ipv4({ fragment: 0x2000, payload: data(8) }), icmpKinds.hopLimitExceeded4)), 'string')
  const fragment = (offset: number) => ipv6({ extensions: [fragmentHeader(offset, true)], payload: data(8) })
  t.equal(error(fragment(8), icmpKinds.hopLimitExceeded6), ICMP_NOT_ALLOWED)
  t.type(text(error(fragment(0), icmpKinds.hopLimitExceeded6)), 'string')
})

t.test('never to many, nor to nobody', async (t) => {
  const from4 = (...source: number[]) =>
    text(error(ipv4({ source: Uint8Array.from(source) }), icmpKinds.hostUnreachable4))
  for (const first of [0, 127, 224, 239, 240, 255])
    t.equal(from4(first, 0, 0, 1), ICMP_NOT_ALLOWED, `${first}`)
  for (const first of [1, 126, 128, 223]) t.type(from4(first, 0, 0, 1), 'string', `${first}`)
  for (const first of [224, 255]) {
    const packet = ipv4({ destination: Uint8Array.of(first, 255, 255, 255) })
    t.equal(error(packet, icmpKinds.hopLimitExceeded4), ICMP_NOT_ALLOWED)
  }
  const many = hex('ff020000000000000000000000000001')
  t.equal(error(ipv6({ source: many }), icmpKinds.tooBig6), ICMP_NOT_ALLOWED)
  t.equal(error(ipv6({ source: new Uint8Array(16) }), icmpKinds.tooBig6), ICMP_NOT_ALLOWED)
  t.type(text(error(ipv6({ destination: many }), icmpKinds.tooBig6)), 'string', 'but for what is too big')
  t.equal(error(ipv6({ destination: many }), icmpKinds.prohibited6), ICMP_NOT_ALLOWED)
})

t.test('kinds and room', async (t) => {
  t.equal(error(ipv4(), icmpKinds.tooBig6), ICMP_NOT_ALLOWED)
  t.equal(error(ipv6(), icmpKinds.tooBig4), ICMP_NOT_ALLOWED)
  for (const [packet, kind, sender, length] of [
    [ipv4({ payload: data(9) }), icmpKinds.tooBig4, router4, 57],
    [ipv6({ payload: data(9) }), icmpKinds.tooBig6, router6, 97],
  ] as const) {
    const out = new Uint8Array(length)
    t.equal(writeIcmpError(packet, parsed(packet), kind, 0, sender, out, 0), length)
    t.equal(writeIcmpError(packet, parsed(packet), kind, 0, sender, out, 1), ICMP_NO_ROOM)
  }
})
