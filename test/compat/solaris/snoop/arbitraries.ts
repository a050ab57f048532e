/**
 * Frames for property tests: noise, and packets that are nearly right.
 */
import fc from 'fast-check'
import type { Cover, Frame } from '../../../../agent/capture/frame.ts'
import * as p from './packets.ts'

const port = fc.constantFrom(1, 22, 23, 53, 67, 80, 4500, 33434)
const data = fc.uint8Array({ maxLength: 40 })

const echo = p.octets(8, 0, 'ac54 0123 0001')
const upper: fc.Arbitrary<readonly [number, Uint8Array]> = fc.oneof(
  fc
    .tuple(port, port, fc.nat(255), data)
    .map(([a, b, flags, rest]) => [6, p.tcp(a, b, flags, rest)] as const),
  fc.tuple(port, port, data).map(([a, b, rest]) => [17, p.udp(a, b, rest)] as const),
  fc.tuple(fc.constantFrom(1, 5), data).map(([spi, rest]) => [50, p.esp(spi, 9, rest)] as const),
  fc
    .tuple(fc.constantFrom(0, 3, 5, 8, 11, 12), data)
    .map(([type, rest]) => [1, p.octets(type, 1, '0000 00000000', rest)] as const),
  fc
    .tuple(fc.constantFrom(1, 2, 4, 128, 131, 134, 135, 136, 137), data)
    .map(([type, rest]) => [58, p.octets(type, 1, '0000 00000000', rest)] as const),
  fc.constant([1, p.octets(3, 3, '0000 00000000', p.ip(1, echo))] as const),
  fc.tuple(fc.nat(255), data),
)

/** One more header around what there is. */
const wrapped: fc.Arbitrary<readonly [number, Uint8Array]> = fc.oneof(
  upper,
  upper.map(([next, rest]) => [51, p.ah(next, 5, 9, rest)] as const),
  upper.map(([next, rest]) => [4, p.ip(next, rest)] as const),
  upper.map(([next, rest]) => [41, p.ip6(next, rest)] as const),
  fc
    .tuple(fc.constantFrom(0, 43, 60), upper)
    .map(([kind, [next, rest]]) => [kind, p.octets(next, 0, '000000000000', rest)] as const),
  fc
    .tuple(fc.constantFrom(0, 1, 8), upper)
    .map(([field, [next, rest]]) => [44, p.octets(next, 0, p.u16(field), p.u32(7), rest)] as const),
)

const ipPacket = fc.oneof(
  fc
    .tuple(wrapped, fc.constantFrom(0, 0, 0, 0x2000, 0x00b9))
    .map(([[next, rest], fragment]) => p.ip(next, rest, { fragment })),
  wrapped.map(([next, rest]) => p.ip6(next, rest)),
)

const cover: fc.Arbitrary<Cover> = fc.record({
  protocol: fc.constantFrom('ah' as const, 'esp' as const),
  spi: fc.constantFrom(1, 5),
  sequence: fc.constant(9),
  verdict: fc.constantFrom('opened', 'no key', 'wrong ICV', 'malformed', 'unsupported'),
})

const linked: fc.Arbitrary<Frame> = fc
  .tuple(
    ipPacket,
    fc.constantFrom('ethernet', 'vlan', 'cooked', 'cooked2', 'null', 'raw'),
    fc.array(cover, { maxLength: 2 }),
  )
  .map(([packet, link, covers]) => {
    const type = (packet[0] ?? 0) >>> 4 === 6 ? 0x86dd : 0x0800
    if (link === 'vlan')
      return p.frameOf(p.ether(0x8100, p.octets('0064', p.u16(type), packet)), 18, { covers })
    if (link === 'ethernet') return p.packetOf(packet, { covers })
    if (link === 'cooked')
      return p.frameOf(p.octets('0000 0001 0006 080027aa1111 0000', p.u16(type), packet), 16, {
        link,
        covers,
      })
    if (link === 'cooked2')
      return p.frameOf(p.octets(p.u16(type), '0000 00000002 0001 04 06 080027aa1111 0000', packet), 20, {
        link,
        covers,
      })
    if (link === 'null') return p.frameOf(p.octets('02000000', packet), 4, { link, covers })
    return p.rawOf(packet, covers)
  })

const noise: fc.Arbitrary<Frame> = fc
  .tuple(
    fc.uint8Array({ maxLength: 120 }),
    fc.integer({ min: -1, max: 60 }),
    fc.constantFrom(
      'ethernet' as const,
      'cooked' as const,
      'cooked2' as const,
      'null' as const,
      'raw' as const,
    ),
  )
  .map(([bytes, ipAt, link]) => p.frameOf(bytes, ipAt, { link }))

const arp: fc.Arbitrary<Frame> = fc
  .tuple(fc.constantFrom(0x0806, 0x8035), fc.nat(5))
  .map(([type, operation]) =>
    p.frameOf(
      p.ether(
        type,
        p.octets('0001 0800 06 04', p.u16(operation), '080027aa1111 0a000001 080022aa2202 0a000002'),
      ),
      -1,
    ),
  )

/** A frame as it should be. */
export const goodFrame: fc.Arbitrary<Frame> = fc.oneof(
  { weight: 5, arbitrary: linked },
  { weight: 1, arbitrary: arp },
)

/** A frame of any kind: some octets changed, cut, or nothing but noise. */
export const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  { weight: 1, arbitrary: noise },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        goodFrame,
        fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 3 }),
        fc.option(fc.nat(100)),
      )
      .map(([frame, changes, end]) => {
        const bytes = frame.bytes.slice()
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        return { ...frame, bytes, end: Math.min(bytes.length, end ?? bytes.length) }
      }),
  },
)

/** The same frame twice, cut at its end, inside larger memory: once with zeros after it, once with ones. */
export function withSurroundings(frame: Frame): [Frame, Frame] {
  const inside = (fill: number): Frame => {
    const memory = new Uint8Array(frame.end + 400).fill(fill)
    memory.set(frame.bytes.subarray(0, frame.end), 100)
    return { ...frame, bytes: memory.subarray(100) }
  }
  return [inside(0), inside(0xff)]
}
