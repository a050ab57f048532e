import t from 'tap'
import {
  AH_FRAGMENT,
  AH_MALFORMED,
  AH_NO_ROOM,
  AH_ROUTING,
  zeroMutable,
  zeroMutableFields,
} from '../../../agent/packet/ah-mutable.ts'
import {
  address6,
  data,
  destination4,
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
  ROUTING,
  routingHeader,
  source4,
  source6,
  type V4,
  type V6,
} from './packets.ts'

const AH = 51
/** AH with a 12-byte ICV, as IPv4 has it, and the upper protocol's first bytes. */
const ah = Buffer.concat([hex('1104 0000 11223344 00000001'), new Uint8Array(12).fill(0xee)])
const ahZeroed = hex('1104 0000 11223344 00000001 000000000000000000000000')
const payload = Buffer.concat([ah, data(8)])

/** What of a packet's headers is covered, as digits, or the code. */
function covered(packet: Uint8Array): string | number {
  const out = new Uint8Array(1024).fill(0xdd)
  const before = packet.slice()
  const { transportAt } = parsed(packet)
  const length = zeroMutable(packet, 0, packet.length, transportAt, 12, out, 7)
  t.same(packet, before, 'the packet stays')
  if (length < 0) return length
  t.same(out.subarray(0, 7), new Uint8Array(7).fill(0xdd), 'nothing is written before')
  t.equal(
    out.findIndex((byte, i) => i >= 7 + length && byte !== 0xdd),
    -1,
    'nor behind',
  )
  t.equal(digits(out, 7 + length - 24, 7 + length), digits(ahZeroed))
  t.equal(length, transportAt + 24)
  return digits(out, 7, 7 + length - 24)
}

const of4 = (fields: V4) => covered(ipv4({ protocol: AH, payload, ...fields }))
const of6 = (fields: V6) => covered(ipv6({ protocol: AH, payload, ...fields }))

/** An IPv4 header as it is covered. */
function header4(options = '', destination = destination4): string {
  const optionBytes = hex(options)
  const length = 20 + optionBytes.length
  const total = (length + payload.length).toString(16).padStart(4, '0')
  const first = (0x40 | (length / 4)).toString(16)
  return `${first}00${total}1234000000330000${digits(source4)}${digits(destination)}${digits(optionBytes)}`
}

t.test('the fields of IPv4', async (t) => {
  t.equal(of4({}), header4())
  t.equal(of4({ tos: 0xff, ttl: 1, fragment: 0x4000 }), header4(), 'class, life and flags do not matter')
  t.equal(of4({ fragment: 0x8000 }), header4(), 'nor the bit that is reserved')
  t.not(of4({ id: 1 }), header4(), 'the identification does')
})

t.test('the options of IPv4', async (t) => {
  const kept: readonly [title: string, option: string][] = [
    ['no operation and end', '01010100'],
    ['security', '82040102'],
    ['extended security', '85040102'],
    ['commercial security', '86080000000105060102'.slice(0, 16)],
    ['router alert', '94040000'],
    ['selective directed multi-destination', '9504e001'],
    ['what follows the end is padding', '00834203'],
  ]
  for (const [title, option] of kept) t.equal(of4({ options: hex(option) }), header4(option), title)
  const zeroed: readonly [title: string, option: string][] = [
    ['time stamp', '440c0d00 0102030401020304'],
    ['record route', '07070400000000 00'],
    ['traceroute', '520c 0001 0002 0003 01020304'],
    ['stream', '88040001'],
    ['MTU probe', '0b04 05dc'],
    ['MTU reply', '0c04 05dc'],
    ['experimental measurement', '0a04 0102'],
    ['experimental flow control', 'cd04 0102'],
    ['experimental access control', '8e04 0102'],
    ['15', '0f04 0102'],
    ['IMI traffic descriptor', '9004 0102'],
    ['extended internet protocol', '9104 0102'],
    ['address extension', '9304 0102'],
    ['unknown', '5e04 0102'],
    ['unknown, of another class', 'de04 0102'],
  ]
  for (const [title, option] of zeroed) {
    const length = hex(option).length
    t.equal(of4({ options: hex(option) }), header4('00'.repeat(length)), title)
  }
  t.equal(
    of4({ options: hex('01 94040000 44080d00 01020304 82030a') }),
    header4('01 94040000 0000000000000000 82030a'),
    'one beside another',
  )
})

t.test('source routes of IPv4', async (t) => {
  const last = Uint8Array.of(203, 0, 113, 9)
  const route = (type: string, pointer: string) => hex(`${type}0b${pointer} cb007105 cb007109 00`)
  for (const type of ['83', '89']) {
    const zeros = '00'.repeat(12)
    t.equal(of4({ options: route(type, '04') }), header4(zeros, last), 'ahead: the last is where it arrives')
    t.equal(of4({ options: route(type, '08') }), header4(zeros, last), 'on the way')
    const arrived = of4({ options: route(type, '0c'), destination: last })
    t.equal(arrived, header4(zeros, last), 'there')
    t.equal(of4({ options: hex(`${type}0304 00`) }), header4('00000000'), 'an empty one')
  }
})

t.test('malformed options of IPv4', async (t) => {
  for (const option of ['44000000', '44010000', '44050000', '01010144', '83060400', '83070300 00000000'])
    t.equal(
      of4({ options: hex(option.padEnd(option.length + (-option.length & 7), '0')) }),
      AH_MALFORMED,
      option,
    )
})

t.test('fragments of IPv4', async (t) => {
  t.equal(of4({ fragment: 0x2000 }), AH_FRAGMENT)
  t.equal(of4({ fragment: 1 }), AH_FRAGMENT)
  t.equal(of4({ fragment: 0x1f00 }), AH_FRAGMENT)
})

/** An IPv6 header as it is covered, with the packet's own extension headers after it. */
function header6(fields: V6, changed: Uint8Array): string {
  const packet = ipv6({ protocol: AH, payload, ...fields, tos: 0, flowLabel: 0, hopLimit: 0 })
  return digits(packet, 0, 40) + digits(changed)
}

const nothing = new Uint8Array(0)

t.test('the fields of IPv6', async (t) => {
  t.equal(of6({ tos: 0xff, flowLabel: 0xfffff, hopLimit: 1 }), header6({}, nothing))
  t.equal(of6({ source: address6(8) }), header6({ source: address6(8) }, nothing))
})

t.test('options of IPv6 whose data may change', async (t) => {
  const options = '3e 03 ffffff 1e 04 fffffffe 00 01 00'
  const zeroed = '3e 03 000000 1e 04 fffffffe 00 01 00'
  for (const kind of [HOP, OPTIONS]) {
    const extensions: Extension[] = [[kind, hex(`0001 ${options}`)]]
    t.equal(of6({ extensions }), header6({ extensions }, hex(`3301 ${zeroed}`)))
  }
  const router: Extension[] = [hopOptions(hex('0000 0502 0000 0100'))]
  t.equal(
    of6({ extensions: router }),
    header6({ extensions: router }, hex('3300 0502 0000 0100')),
    'router alert',
  )
})

t.test('malformed options of IPv6', async (t) => {
  for (const kind of [HOP, OPTIONS]) {
    t.equal(of6({ extensions: [[kind, hex('0000 3e05 00000000')]] }), AH_MALFORMED)
    t.equal(of6({ extensions: [[kind, hex('0000 0000 0000003e')]] }), AH_MALFORMED)
  }
})

t.test('routing headers', async (t) => {
  const at = (type: number, left: number, destination: number, ...addresses: number[]): V6 => ({
    destination: address6(destination),
    extensions: [routingHeader(type, left, addresses.map(address6))],
  })
  const arrived = at(0, 0, 3, 1, 2)
  const chain = Buffer.concat([hex('33040000 00000000'), address6(1), address6(2)])
  const expected = header6(arrived, chain)
  t.equal(of6(at(0, 2, 1, 2, 3)), expected, 'ahead')
  t.equal(of6(at(0, 1, 2, 1, 3)), expected, 'on the way')
  t.equal(of6(arrived), expected, 'there')
  const home = Buffer.concat([hex('33020200 00000000'), address6(1)])
  t.equal(of6(at(2, 1, 1, 2)), header6(at(2, 0, 2, 1), home), 'type 2')
  t.equal(of6(at(2, 1, 1, 2, 3)), AH_MALFORMED, 'type 2 has one address')
  t.equal(of6(at(0, 3, 1, 2, 3)), AH_MALFORMED, 'more ahead than there are')
  const odd = hex('00010001 00000000 0000000000000000')
  t.equal(of6({ extensions: [[ROUTING, odd]] }), AH_MALFORMED, 'half an address')
  t.equal(of6(at(4, 1, 1, 2)), AH_ROUTING)
  t.equal(
    of6(at(4, 0, 1, 2)),
    header6(at(4, 0, 1, 2), Buffer.concat([hex('33020400 00000000'), address6(2)])),
  )
})

t.test('a home address counts as the source', async (t) => {
  const option = (address: Uint8Array) => Buffer.concat([hex('0002 0102 0000 c910'), address])
  const fields: V6 = { extensions: [destinationOptions(option(address6(0x42)))] }
  const changed = Buffer.concat([hex('33'), option(source6).subarray(1)])
  t.equal(of6(fields), header6({ ...fields, source: address6(0x42) }, changed))
})

t.test('fragment headers, and what cannot stand before AH', async (t) => {
  t.equal(of6({ extensions: [fragmentHeader(0, false)] }), AH_FRAGMENT)
  const packet = ipv6({ protocol: AH, payload })
  packet[6] = 17
  t.equal(zeroMutableFields(packet, 0, 40), AH_MALFORMED, 'nothing names AH')
  t.equal(zeroMutableFields(packet, 0, 48), AH_MALFORMED)
  const four = ipv4({ protocol: AH, payload })
  t.equal(zeroMutableFields(four, 0, 24), AH_MALFORMED, 'AH does not stand there')
  four[9] = 17
  t.equal(zeroMutableFields(four, 0, 20), AH_MALFORMED)
  t.equal(zeroMutableFields(four, 0, 19), AH_MALFORMED)
  const long = ipv6({ extensions: [hopOptions()], protocol: AH, payload })
  long[41] = 1
  t.equal(zeroMutableFields(long, 0, 48), AH_MALFORMED, 'a header that reaches into AH')
})

t.test('AH itself', async (t) => {
  const out = new Uint8Array(64)
  const packet = ipv4({ protocol: AH, payload })
  t.equal(zeroMutable(packet, 0, 43, 20, 12, out, 0), AH_MALFORMED, 'cut off')
  t.equal(zeroMutable(packet, 0, packet.length, 20, 16, out, 0), AH_MALFORMED, 'too short for the ICV')
  t.equal(zeroMutable(packet, 0, packet.length, 20, 12, out, 21), AH_NO_ROOM)
  t.equal(zeroMutable(packet, 0, packet.length, 20, 12, out, 20), 44)
  t.equal(zeroMutable(packet, 0, packet.length, 20, 8, out, 0), 44)
  t.equal(digits(out, 40, 44), 'eeeeeeee', 'padding counts')
  const beyond = packet.slice()
  beyond[21] = 200
  t.equal(zeroMutable(beyond, 0, packet.length, 20, 12, out, 0), AH_MALFORMED)
})

t.test('sender and receiver agree, whatever routers did', async (t) => {
  const sent = ipv4({
    protocol: AH,
    payload,
    tos: 0xb8,
    ttl: 64,
    options: hex('830b04 cb007105 cb007109 00'),
  })
  const arrived = ipv4({
    protocol: AH,
    payload,
    tos: 0xbb,
    ttl: 3,
    destination: Uint8Array.of(203, 0, 113, 9),
    options: hex('830b0c 0a000001 0a000002 00'),
  })
  t.equal(covered(sent), covered(arrived))
})
