import fc from 'fast-check'
import t from 'tap'
import { fragmentPacket } from '../../../agent/packet/fragments.ts'
import {
  addFragment,
  DUPLICATE,
  ECN_MIXED,
  expireFragments,
  FRAGMENT_REFUSED,
  HELD,
  NOT_A_FRAGMENT,
  newReassembly,
  OVERLAP,
  type Reassembly,
  TOO_LONG,
  TOO_MUCH,
} from '../../../agent/packet/reassembly.ts'
import {
  address6,
  anyPacket,
  data,
  digits,
  type Extension,
  fragmentHeader,
  hex,
  hopOptions,
  ipv4,
  ipv6,
  parsed,
  type V4,
} from './packets.ts'

type Assertions = Pick<typeof t, 'equal'>

/** What came of a fragment: a packet as digits, or a code. */
function add(table: Reassembly, packet: Uint8Array, now = 0): string | number {
  const result = addFragment(table, packet, parsed(packet), now)
  return typeof result === 'number' ? result : digits(result)
}

const cut = (packet: Uint8Array, mtu: number): Uint8Array[] => {
  const out = new Uint8Array(80_000)
  const ranges = new Uint32Array(20_000)
  const count = fragmentPacket(packet, parsed(packet), mtu, 77, out, 0, ranges)
  if (count < 0) throw new Error(`code ${count}`)
  return Array.from({ length: count }, (_, i) => out.slice(ranges[2 * i], ranges[2 * i + 1]))
}

/** A fragment of IPv4 with these bytes of one payload. */
const whole = data(400)
const four = (from: number, to: number, more: boolean, fields: V4 = {}) =>
  ipv4({ fragment: (more ? 0x2000 : 0) | (from / 8), payload: whole.subarray(from, to), ...fields })
const six = (from: number, to: number, more: boolean, extensions: readonly Extension[] = []) =>
  ipv6({
    extensions: [...extensions, fragmentHeader(from, more)],
    payload: whole.subarray(from, to),
  })
const families = [
  ['IPv4', four, ipv4],
  ['IPv6', six, ipv6],
] as const

const isEmpty = (t: Assertions, table: Reassembly) => {
  t.equal(table.packets.size, 0)
  t.equal(table.bytes, 0)
}

t.test('in any order', async (t) => {
  for (const [name, fragment, packet] of families) {
    const parts = [fragment(0, 80, true), fragment(80, 160, true), fragment(160, 205, false)]
    for (const order of ['012', '021', '102', '120', '201', '210']) {
      const table = newReassembly()
      const results = [...order].map((i) => add(table, parts[Number(i)] ?? whole))
      t.same(results, [HELD, HELD, digits(packet({ payload: whole.subarray(0, 205) }))], `${name} ${order}`)
      isEmpty(t, table)
    }
  }
})

t.test('fragments of different packets do not mix', async (t) => {
  const table = newReassembly()
  const first = four(0, 80, true)
  t.equal(add(table, first), HELD)
  const others: V4[] = [{ id: 9 }, { protocol: 50 }, { source: Uint8Array.of(1, 2, 3, 4) }]
  for (const fields of [...others, { destination: Uint8Array.of(1, 2, 3, 4) }])
    t.equal(add(table, four(80, 160, false, fields)), HELD)
  t.equal(add(table, six(80, 160, false)), HELD)
  t.equal(table.packets.size, 6)
  const other = ipv6({
    source: address6(9),
    extensions: [fragmentHeader(0, true)],
    payload: whole.subarray(0, 80),
  })
  t.equal(add(table, other), HELD)
  t.equal(add(table, four(80, 160, false)), digits(ipv4({ payload: whole.subarray(0, 160) })))
})

t.test('what the first fragment says holds', async (t) => {
  const table = newReassembly()
  const options = hex('0707040000000001')
  add(table, four(80, 160, false, { ttl: 9, tos: 0xb8 }))
  const first = four(0, 80, true, { ttl: 7, tos: 0x28, options })
  t.equal(add(table, first), digits(ipv4({ ttl: 7, tos: 0x28, options, payload: whole.subarray(0, 160) })))
  add(table, six(80, 160, false))
  const extensions: Extension[] = [hopOptions()]
  t.equal(
    add(table, six(0, 80, true, extensions)),
    digits(ipv6({ extensions, payload: whole.subarray(0, 160) })),
  )
  const later = ipv6({
    extensions: [fragmentHeader(80, false)],
    protocol: 99,
    payload: whole.subarray(80, 160),
  })
  add(table, later)
  t.equal(
    add(table, six(0, 80, true)),
    digits(ipv6({ payload: whole.subarray(0, 160) })),
    'the next header of a later fragment does not count',
  )
})

t.test('an IPv6 fragment that is all', async (t) => {
  const table = newReassembly()
  t.equal(add(table, six(0, 80, true)), HELD)
  t.equal(add(table, six(0, 33, false)), digits(ipv6({ payload: whole.subarray(0, 33) })), 'is alone')
  t.equal(add(table, six(0, 0, false)), digits(ipv6()))
  t.equal(table.packets.size, 1)
  t.equal(add(table, six(80, 160, false)), digits(ipv6({ payload: whole.subarray(0, 160) })))
})

t.test('what is no fragment, or no good one', async (t) => {
  const table = newReassembly()
  t.equal(add(table, ipv4({ payload: data(8) })), NOT_A_FRAGMENT)
  t.equal(add(table, ipv6({ payload: data(8) })), NOT_A_FRAGMENT)
  for (const [, fragment] of families) {
    t.equal(add(table, fragment(8, 20, true)), FRAGMENT_REFUSED, 'not a multiple of 8')
    t.equal(add(table, fragment(8, 8, true)), FRAGMENT_REFUSED, 'nothing in it')
    t.equal(add(table, fragment(8, 8, false)), FRAGMENT_REFUSED)
  }
  const wrong = four(0, 8, true)
  wrong[10] = (wrong[10] ?? 0) ^ 1
  t.equal(add(table, wrong), FRAGMENT_REFUSED, 'a wrong checksum')
  isEmpty(t, table)
})

t.test('overlaps end a packet', async (t) => {
  for (const [name, fragment, packet] of families) {
    const overlaps: readonly (readonly [number, number, boolean])[] = [
      [40, 120, true],
      [72, 80, true],
      [0, 72, true],
      [0, 88, true],
      [80, 168, true],
      [152, 168, true],
      [160, 240, false],
      [240, 242, false],
      [168, 176, true],
      [200, 208, true],
      [184, 190, false],
      [160, 208, false],
    ]
    for (const [from, to, more] of overlaps) {
      const table = newReassembly()
      // 0-80, 160-200, then one that does not go with them.
      add(table, fragment(0, 80, true))
      add(table, fragment(160, 200, false))
      const title = `${name}: ${from}-${to}`
      t.equal(add(table, fragment(from, to, more)), OVERLAP, title)
      if (name === 'IPv4') {
        isEmpty(t, table)
        add(table, fragment(0, 80, true))
        t.equal(add(table, fragment(80, 90, false)), digits(packet({ payload: whole.subarray(0, 90) })))
      } else {
        t.equal(add(table, fragment(80, 160, true)), OVERLAP, `${title}: RFC 5722`)
        t.equal(add(table, fragment(80, 160, true), 60_000), HELD, 'until its time is over')
      }
    }
  }
})

t.test('the same place with other data is an overlap, with the same data is not', async (t) => {
  for (const [, fragment, packet] of families) {
    const table = newReassembly()
    const middle = fragment(80, 160, true)
    t.equal(add(table, middle), HELD)
    const { bytes } = table
    t.equal(add(table, middle), DUPLICATE)
    t.equal(table.bytes, bytes)
    add(table, fragment(160, 200, false))
    t.equal(add(table, fragment(160, 200, false)), DUPLICATE)
    t.equal(add(table, fragment(0, 80, true)), digits(packet({ payload: whole.subarray(0, 200) })))
    add(table, middle)
    const other = middle.slice()
    other[other.length - 1] = 0
    t.equal(add(table, other), OVERLAP)
    const table2 = newReassembly()
    add(table2, fragment(80, 160, true))
    t.equal(add(table2, fragment(80, 160, false)), OVERLAP, 'the last and not the last')
  }
})

t.test('packets that would be too long', async (t) => {
  const table = newReassembly()
  const at = (from: number, length: number) => ipv4({ fragment: from / 8, payload: data(length) })
  t.equal(add(table, at(65528, 8)), TOO_LONG)
  t.equal(add(table, at(65512, 4)), TOO_LONG)
  t.equal(add(table, at(65512, 3)), HELD, 'with the shortest header')
  const full = data(65512)
  for (let from = 0; from < 64800; from += 1200) {
    t.equal(
      add(table, ipv4({ fragment: 0x2000 | (from / 8), payload: full.subarray(from, from + 1200) })),
      HELD,
    )
  }
  const joined = add(table, ipv4({ fragment: 0x2000 | (64800 / 8), payload: full.subarray(64800) }))
  t.equal(joined, digits(ipv4({ payload: Buffer.concat([full, data(3)]) })), 'the longest')

  t.equal(add(table, at(65512, 3)), HELD)
  for (let from = 1200; from < 65512; from += 1200)
    add(
      table,
      ipv4({ fragment: 0x2000 | (from / 8), payload: full.subarray(from, Math.min(from + 1200, 65512)) }),
    )
  const first = ipv4({ options: hex('01010101'), fragment: 0x2000, payload: full.subarray(0, 1200) })
  t.equal(add(table, first), TOO_LONG, 'the first has a longer header')
  isEmpty(t, table)

  const high = (length: number) => ipv6({ extensions: [fragmentHeader(65528, false)], payload: data(length) })
  t.equal(add(table, high(7)), HELD)
  t.equal(add(newReassembly(), high(8)), TOO_LONG)
})

t.test('congestion', async (t) => {
  const table = newReassembly()
  const tos = (...fields: number[]) => {
    fields.slice(0, -1).forEach((ecn, i) => {
      add(table, four(80 * i, 80 * i + 80, true, { tos: 0x28 | ecn }))
    })
    const from = 80 * (fields.length - 1)
    const result = add(table, four(from, from + 80, false, { tos: 0x28 | (fields.at(-1) ?? 0) }))
    return typeof result === 'number' ? result : result.slice(2, 4)
  }
  t.equal(tos(2, 2, 2), '2a')
  t.equal(tos(2, 3, 2), '2b', 'one that met it is enough')
  t.equal(tos(1, 2, 3), '2b')
  t.equal(tos(3, 3), '2b')
  t.equal(tos(0, 0), '28')
  t.equal(tos(0, 3, 2), ECN_MIXED)
  t.equal(tos(3, 0), ECN_MIXED)
  isEmpty(t, table)
  add(table, ipv6({ tos: 3, extensions: [fragmentHeader(8, false)], payload: data(1) }))
  const first = ipv6({ tos: 2, extensions: [fragmentHeader(0, true)], payload: data(8) })
  t.equal(add(table, first), digits(ipv6({ tos: 3, payload: Buffer.concat([data(8), data(1)]) })))
})

t.test('time runs out', async (t) => {
  const table = newReassembly({ timeout: 10 })
  const told: string[] = []
  const expire = (now: number) => expireFragments(table, now, (first) => told.push(digits(first)))
  add(table, four(0, 80, true), 100)
  add(table, four(160, 240, false), 105)
  add(table, six(80, 160, true), 103)
  t.equal(expire(109), 0)
  t.equal(expire(110), 1, 'counted from the first arrival')
  t.same(told, [digits(ipv4({ payload: whole.subarray(0, 80) }))])
  t.equal(table.packets.size, 1)
  t.equal(add(table, four(80, 160, true), 111), HELD, 'nothing is left')
  t.equal(add(table, six(0, 80, true), 113), HELD, 'adding expires, too')
  t.equal(table.packets.size, 2)
  t.equal(expire(200), 2)
  t.same(told.slice(1), [digits(ipv6({ payload: whole.subarray(0, 80) }))])
  isEmpty(t, table)
})

t.test('memory is bounded', async (t) => {
  const limits = { packets: 20, bytes: 40_000, fragments: 16 }
  for (const [, fragment] of families) {
    const table = newReassembly(limits)
    const withId = (packet: Uint8Array, id: number, version = (packet[0] ?? 0) >> 4) => {
      if (version === 6) {
        packet.set([id >> 8, id & 255], 46)
        return packet
      }
      const ip = parsed(packet)
      return ipv4({
        id,
        fragment: (ip.moreFragments ? 0x2000 : 0) | (ip.fragmentOffset / 8),
        payload: packet.slice(20),
      })
    }
    for (let id = 0; id < 200; id++) t.equal(add(table, withId(fragment(80, 88, true), id)), HELD)
    t.equal(table.packets.size, 20)
    for (let id = 0; id < 200; id++) add(table, withId(fragment(8, 400, true), id))
    t.ok(table.bytes <= 40_000)
    // Refused ones are remembered, but do not pile up.
    for (let id = 0; id < 200; id++) {
      add(table, withId(fragment(80, 160, true), id))
      add(table, withId(fragment(88, 160, true), id))
    }
    t.ok(table.packets.size <= 20)
    t.ok(table.bytes <= 40_000)
    const results = Array.from({ length: 17 }, (_, i) => add(table, fragment(16 * i, 16 * i + 8, true)))
    t.same(results, [...Array(16).fill(HELD), TOO_MUCH], 'fragments of one packet')
    expireFragments(table, 1e9)
    isEmpty(t, table)
  }
})

t.test('long headers count', async (t) => {
  const table = newReassembly({ bytes: 10_000 })
  const options = new Uint8Array(2048)
  options[1] = 255
  options[2] = 1
  options[3] = 255
  for (let id = 0; id < 20; id++) {
    const extensions: Extension[] = [hopOptions(options), fragmentHeader(0, true, id)]
    add(table, ipv6({ extensions, payload: data(8) }))
  }
  t.ok(table.packets.size <= 4)
})

t.test('one packet that is too much for the table', async (t) => {
  const table = newReassembly({ bytes: 1000 })
  t.equal(add(table, four(0, 8, true)), HELD)
  t.equal(add(table, four(8, 400, true)), TOO_MUCH)
  isEmpty(t, table)
})

t.test('a table does not hold on to the memory that it was given', async (t) => {
  const table = newReassembly()
  const first = Buffer.from(four(0, 80, true))
  add(table, first)
  first.fill(0)
  t.equal(add(table, four(80, 90, false)), digits(ipv4({ payload: whole.subarray(0, 90) })))
})

t.test('whatever was cut comes together, in any order and with duplicates', async (t) => {
  const plan = fc.record({
    packet: anyPacket(600),
    mtu: fc.integer({ min: 128, max: 300 }),
    order: fc.array(fc.nat({ max: 1000 }), { minLength: 12, maxLength: 12 }),
    duplicates: fc.array(fc.nat({ max: 1000 }), { maxLength: 4 }),
  })
  fc.assert(
    fc.property(plan, ({ packet, mtu, order, duplicates }) => {
      const fragments = cut(packet, mtu)
      if (fragments.length === 1) return
      const shuffled = fragments
        .map((fragment, i) => ({ fragment, rank: order[i % order.length] ?? 0 }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ fragment }) => fragment)
      for (const place of duplicates) {
        const [one] = shuffled.slice(place % shuffled.length)
        // Before the end: once the packet is whole, a further one would begin another.
        if (one) shuffled.splice(place % shuffled.length, 0, one)
      }
      const table = newReassembly()
      const results = shuffled.map((fragment) => add(table, fragment))
      const packets = results.filter((result) => typeof result === 'string')
      t.same(packets, [digits(packet)])
      t.ok(results.every((result) => typeof result === 'string' || result === HELD || result === DUPLICATE))
    }),
    { seed: 1, numRuns: 150 },
  )
})

t.test('fragments of fragments of IPv4', async (t) => {
  const packet = ipv4({ options: hex('0707040000000001'), payload: data(500) })
  const table = newReassembly()
  const results = cut(packet, 200)
    .flatMap((fragment) => cut(fragment, 100))
    .map((fragment) => add(table, fragment))
  t.equal(results.at(-1), digits(packet))
})
