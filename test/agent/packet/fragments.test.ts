import fc from 'fast-check'
import t from 'tap'
import {
  FRAGMENT_MALFORMED,
  FRAGMENTS_NO_ROOM,
  fragmentPacket,
  MTU_TOO_SMALL,
  MUST_NOT_FRAGMENT,
} from '../../../agent/packet/fragments.ts'
import { headerChecksumHolds } from '../../../agent/packet/ip-header.ts'
import {
  anyPacket,
  data,
  destinationOptions,
  digits,
  fragmentHeader,
  hex,
  hopOptions,
  ipv4,
  ipv6,
  parsed,
} from './packets.ts'

/** The fragments, or the code. */
function cut(packet: Uint8Array, mtu: number, id = 0x01020304): Uint8Array[] | number {
  const out = new Uint8Array(40_000).fill(0xdd)
  const ranges = new Uint32Array(1000)
  const count = fragmentPacket(packet, parsed(packet), mtu, id, out, 3, ranges)
  if (count < 0) return count
  const end = ranges[2 * count - 1] ?? 0
  t.equal(
    out.findIndex((byte, i) => i >= end && byte !== 0xdd),
    -1,
    'nothing is written behind',
  )
  return Array.from({ length: count }, (_, i) => {
    t.equal(ranges[2 * i], i === 0 ? 3 : ranges[2 * i - 1])
    return out.slice(ranges[2 * i], ranges[2 * i + 1])
  })
}

const same = (found: Uint8Array[] | number, wanted: readonly Uint8Array[]) =>
  t.same(
    typeof found === 'number' ? found : found.map((one) => digits(one)),
    wanted.map((one) => digits(one)),
  )

t.test('IPv4', async (t) => {
  const payload = data(100)
  same(cut(ipv4({ tos: 8, payload }), 68), [
    ipv4({ tos: 8, fragment: 0x2000, payload: payload.subarray(0, 48) }),
    ipv4({ tos: 8, fragment: 0x2006, payload: payload.subarray(48, 96) }),
    ipv4({ tos: 8, fragment: 12, payload: payload.subarray(96) }),
  ])
  same(cut(ipv4({ payload }), 119), [
    ipv4({ fragment: 0x2000, payload: payload.subarray(0, 96) }),
    ipv4({ fragment: 12, payload: payload.subarray(96) }),
  ])
  same(cut(ipv4({ payload }), 120), [ipv4({ payload })])
  t.equal(cut(ipv4({ fragment: 0x4000, payload }), 119), MUST_NOT_FRAGMENT)
  same(cut(ipv4({ fragment: 0x4000, payload }), 120), [ipv4({ fragment: 0x4000, payload })])
  t.equal(cut(ipv4({ payload }), 27), MTU_TOO_SMALL)
})

t.test('a fragment of IPv4 is cut further', async (t) => {
  const payload = data(64)
  same(cut(ipv4({ fragment: 0x2010, payload }), 60), [
    ipv4({ fragment: 0x2010, payload: payload.subarray(0, 40) }),
    ipv4({ fragment: 0x2015, payload: payload.subarray(40) }),
  ])
  same(cut(ipv4({ fragment: 0x0010, payload }), 60), [
    ipv4({ fragment: 0x2010, payload: payload.subarray(0, 40) }),
    ipv4({ fragment: 0x0015, payload: payload.subarray(40) }),
  ])
  t.equal(cut(ipv4({ fragment: 0x1fff, payload }), 60), FRAGMENT_MALFORMED, 'beyond the longest packet')
})

t.test('options of IPv4: some are copied, some are not', async (t) => {
  const payload = data(40)
  // Record route (not copied), no operation, router alert (copied), security (copied), end.
  const options = hex('0707 04 00000000 01 94040000 820301 00')
  same(cut(ipv4({ options, payload }), 60), [
    ipv4({ options, fragment: 0x2000, payload: payload.subarray(0, 24) }),
    ipv4({ options: hex('94040000 82030100'), fragment: 3, payload: payload.subarray(24) }),
  ])
  same(cut(ipv4({ options: hex('07040400'), payload }), 48), [
    ipv4({ options: hex('07040400'), fragment: 0x2000, payload: payload.subarray(0, 24) }),
    ipv4({ fragment: 3, payload: payload.subarray(24) }),
  ])
  t.equal(cut(ipv4({ options: hex('94000000'), payload }), 48), FRAGMENT_MALFORMED)
  t.equal(cut(ipv4({ options: hex('94050000'), payload }), 48), FRAGMENT_MALFORMED)
})

t.test('IPv6', async (t) => {
  const payload = data(100)
  const fragment = (offset: number, more: boolean, bytes: Uint8Array) =>
    ipv6({
      flowLabel: 5,
      extensions: [hopOptions(), fragmentHeader(offset, more)],
      payload: bytes,
    })
  same(cut(ipv6({ flowLabel: 5, extensions: [hopOptions()], payload }), 104), [
    fragment(0, true, payload.subarray(0, 48)),
    fragment(48, true, payload.subarray(48, 96)),
    fragment(96, false, payload.subarray(96)),
  ])
  same(cut(ipv6({ payload }), 140), [ipv6({ payload })])
  const high = cut(ipv6({ payload }), 139, 0xfedcba98)
  t.equal(Array.isArray(high) && parsed(high[0] ?? payload).identification, 0xfedcba98)
  t.equal(cut(ipv6({ payload }), 55), MTU_TOO_SMALL)
  const already = ipv6({ extensions: [fragmentHeader(0, true)], payload: data(96) })
  t.equal(cut(already, 100), MUST_NOT_FRAGMENT)
})

t.test('all headers of IPv6 are in the first fragment', async (t) => {
  const options = hex('0003 011c 00000000 0000000000000000 0000000000000000 0000000000000000')
  const packet = ipv6({ extensions: [destinationOptions(options)], payload: data(100) })
  t.equal(cut(packet, 48 + 32), MTU_TOO_SMALL)
  t.ok(Array.isArray(cut(packet, 48 + 40)))
})

t.test('room', async (t) => {
  for (const packet of [ipv4({ payload: data(100) }), ipv6({ payload: data(100) })]) {
    for (const mtu of [90, 200]) {
      const ip = parsed(packet)
      const all = cut(packet, mtu)
      if (typeof all === 'number') throw new Error(`code ${all}`)
      const length = all.reduce((sum, one) => sum + one.length, 0)
      const out = new Uint8Array(length + 5)
      const ranges = new Uint32Array(2 * all.length)
      t.equal(fragmentPacket(packet, ip, mtu, 1, out, 5, ranges), all.length)
      t.equal(fragmentPacket(packet, ip, mtu, 1, out, 6, ranges), FRAGMENTS_NO_ROOM)
      t.equal(fragmentPacket(packet, ip, mtu, 1, out, 5, ranges.subarray(1)), FRAGMENTS_NO_ROOM)
    }
  }
})

t.test('fragments are packets that fit', async (t) => {
  fc.assert(
    fc.property(anyPacket(300), fc.integer({ min: 128, max: 400 }), (packet, mtu) => {
      const fragments = cut(packet, mtu)
      if (typeof fragments === 'number') throw new Error(`code ${fragments}`)
      for (const [i, fragment] of fragments.entries()) {
        const ip = parsed(fragment)
        t.equal(ip.end, fragment.length)
        t.ok(fragment.length <= mtu)
        t.equal(headerChecksumHolds(fragment, ip), true)
        t.equal(ip.moreFragments, i < fragments.length - 1)
      }
    }),
    { seed: 1, numRuns: 100 },
  )
})
