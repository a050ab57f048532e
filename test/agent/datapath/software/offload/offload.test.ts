import fc from 'fast-check'
import t from 'tap'
import { type Group, Merger } from '../../../../../agent/datapath/software/offload/merger.ts'
import { finishChecksum, Segments } from '../../../../../agent/datapath/software/offload/segments.ts'
import {
  NEEDS_CHECKSUM,
  newVirtioHeader,
  segmentation,
} from '../../../../../agent/datapath/software/offload/virtio-header.ts'
import { writeTransportChecksum } from '../../../../../agent/packet/checksum.ts'
import { allocateArena } from '../../../../../netlink/libc/arena.ts'
import { digits, parsed } from '../../../packet/packets.ts'
import { ACK, PSH, packetOf, packetsOf, randomBytes, type StreamOptions } from './stream.ts'

const LARGE = 70_000

const streams = fc.record({
  version: fc.constantFrom(4 as const, 6 as const),
  protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  sequence: fc.constantFrom(1, 0xffff_ff00),
  flags: fc.constantFrom(ACK, ACK | PSH),
  options: fc.constantFrom(new Uint8Array(0), Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2)),
  identification: fc.constantFrom(7, 0xfffe),
})

/** What the kernel gives for several packets: one with the first one's header and all of the payload. */
function whole(stream: StreamOptions, payload: Uint8Array): Uint8Array {
  return packetOf(stream, payload)
}

const kindOf = ({ version, protocol }: StreamOptions) =>
  protocol === 'udp' ? segmentation.UDP : version === 4 ? segmentation.TCP4 : segmentation.TCP6

t.test('what is sent at one go is cut into the packets that a host without offloads sends', async (t) => {
  const arena = allocateArena(3 * LARGE)
  const segments = new Segments()
  fc.assert(
    fc.property(
      streams,
      fc.integer({ min: 1, max: 9000 }),
      fc.integer({ min: 1, max: 1460 }),
      (stream, length, size) => {
        const payload = randomBytes(length)
        const bytes = whole(stream, payload)
        arena.bytes.set(bytes, 64)
        const ip = parsed(arena.bytes, 64, 64 + bytes.length)
        const header = { ...newVirtioHeader(), kind: kindOf(stream), segmentSize: size }
        if (!segments.begin(arena, ip, header)) return false
        const expected = packetsOf(stream, payload, size)
        if (segments.longest !== Math.max(...expected.map((packet) => packet.length))) return false
        for (const packet of expected) {
          const end = segments.next(arena, LARGE)
          if (digits(arena.bytes, LARGE, end) !== digits(packet)) return false
        }
        return segments.next(arena, LARGE) === 0
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('what the virtio header says wrongly is refused', async (t) => {
  const arena = allocateArena(LARGE)
  const segments = new Segments()
  const bytes = packetOf({ version: 4, protocol: 'udp' }, randomBytes(100))
  arena.bytes.set(bytes, 0)
  const ip = parsed(arena.bytes, 0, bytes.length)
  const header = { ...newVirtioHeader(), kind: segmentation.TCP4, segmentSize: 10 }
  t.notOk(segments.begin(arena, ip, header), 'another protocol')
  t.notOk(
    segments.begin(arena, ip, { ...header, kind: segmentation.UDP, segmentSize: 0 }),
    'pieces of nothing',
  )
  t.notOk(
    finishChecksum(arena, 0, bytes.length, { ...header, checksumStart: bytes.length, checksumOffset: 0 }),
  )
  t.ok(segments.begin(arena, ip, { ...header, kind: segmentation.UDP }))
})

t.test('a checksum that was left undone is made', async (t) => {
  for (const version of [4, 6] as const) {
    for (const protocol of ['tcp', 'udp'] as const) {
      const arena = allocateArena(LARGE)
      const bytes = packetOf({ version, protocol }, randomBytes(101))
      arena.bytes.set(bytes, 0)
      const ip = parsed(arena.bytes, 0, bytes.length)
      const checksumOffset = protocol === 'tcp' ? 16 : 6
      arena.view.setUint16(
        ip.transportAt + checksumOffset,
        pseudoSum(bytes, ip.sourceAt, ip.transportAt, protocol),
      )
      const header = {
        ...newVirtioHeader(),
        flags: NEEDS_CHECKSUM,
        checksumStart: ip.transportAt,
        checksumOffset,
      }
      t.ok(finishChecksum(arena, 0, bytes.length, header))
      t.equal(digits(arena.bytes, 0, bytes.length), digits(bytes), `${protocol} over IPv${version}`)
    }
  }
})

/** Of addresses that stand right before the transport header, as the kernel leaves it in the checksum's place. */
function pseudoSum(
  bytes: Uint8Array,
  addressesAt: number,
  transportAt: number,
  protocol: 'tcp' | 'udp',
): number {
  let sum = (protocol === 'tcp' ? 6 : 17) + bytes.length - transportAt
  for (let i = addressesAt; i < transportAt; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

/** Puts packets behind one another into memory and merges them. @returns what comes out, cut again */
function merge(packets: readonly Uint8Array[], takesUdp = true): { sizes: number[]; out: string[] } {
  const arena = allocateArena(packets.reduce((sum, { length }) => sum + length + 64, 64))
  const cutting = allocateArena(4 * LARGE)
  const sizes: number[] = []
  const out: string[] = []
  const merger = new Merger((group) => {
    sizes.push(group.count)
    out.push(...cut(group, cutting))
  }, takesUdp)
  let at = 64
  for (const packet of packets) {
    arena.bytes.set(packet, at)
    const ip = parsed(arena.bytes, at, at + packet.length)
    if (merger.add(arena, ip) === 'alone') {
      sizes.push(1)
      out.push(digits(packet))
    }
    at += packet.length + 64
  }
  merger.flush()
  return { sizes, out }
}

/** Does what the kernel would do with a group that is passed on. */
function cut(group: Group, memory: ReturnType<typeof allocateArena>): string[] {
  const { arena, at, headersLength, count, places, length, segmentSize, isTcp, ipLength, pushes } = group
  const { bytes } = memory
  if (count === 1) return [digits(arena.bytes, at, at + headersLength + length)]
  bytes.set(arena.bytes.subarray(at, at + headersLength), 0)
  let end = headersLength
  for (let i = 0; i < count; i++) {
    const place = places[2 * i] ?? 0
    const size = places[2 * i + 1] ?? 0
    bytes.set(arena.bytes.subarray(place, place + size), end)
    end += size
  }
  if (end !== headersLength + length) throw new Error('the payloads are not as long as the group says')
  const isV4 = ipLength === 20
  memory.view.setUint16(isV4 ? 2 : 4, isV4 ? end : end - 40)
  if (!isTcp) memory.view.setUint16(ipLength + 4, end - ipLength)
  else if (pushes) bytes[ipLength + 13] = (bytes[ipLength + 13] ?? 0) | PSH
  const ip = parsed(bytes, 0, end)
  writeTransportChecksum(memory, ip)
  const segments = new Segments()
  const kind = isTcp ? (isV4 ? segmentation.TCP4 : segmentation.TCP6) : segmentation.UDP
  if (!segments.begin(memory, ip, { ...newVirtioHeader(), kind, segmentSize })) throw new Error('no segments')
  const packets: string[] = []
  for (let next = segments.next(memory, 2 * LARGE); next > 0; next = segments.next(memory, 2 * LARGE)) {
    packets.push(digits(bytes, 2 * LARGE, next))
  }
  return packets
}

t.test('packets of one connection become one, and can be cut into the same again', async (t) => {
  fc.assert(
    fc.property(
      streams,
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 400, max: 1460 }),
      (stream, length, size) => {
        const packets = packetsOf(stream, randomBytes(length), size)
        const { sizes, out } = merge(packets)
        return sizes.length === 1 && out.join() === packets.map((packet) => digits(packet)).join()
      },
    ),
    { numRuns: 300 },
  )
  t.pass()
})

t.test('no group is longer than a packet can be, or than the kernel takes', async (t) => {
  const tcp = merge(packetsOf({ version: 4, protocol: 'tcp' }, randomBytes(100_000), 1460)).sizes
  t.same(tcp, [44, 25], '65,535 bytes')
  const udp = merge(packetsOf({ version: 6, protocol: 'udp' }, randomBytes(10_000), 100)).sizes
  t.same(udp, [64, 36])
  t.same(
    merge(packetsOf({ version: 6, protocol: 'udp' }, randomBytes(200), 100), false).sizes,
    [1, 1],
    'no UDP',
  )
})

t.test('what does not fit together stays apart, in order', async (t) => {
  const stream = { version: 4, protocol: 'tcp' } as const
  const [first, second, third] = packetsOf(stream, randomBytes(300), 100) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const cases: readonly (readonly [string, readonly Uint8Array[], readonly number[]])[] = [
    ['a gap', [first, third], [1, 1]],
    ['turned around', [second, first], [1, 1]],
    ['twice the same', [first, first], [1, 1]],
    ['a wrong checksum behind', [first, broken(second, 60)], [1, 1]],
    ['a wrong checksum in front', [broken(first, 60), second, third], [1, 1, 1]],
    ['another time to live', [first, changed(second, 8)], [1, 1]],
    ['another window', [first, packetsWith({ window: 1 })], [1, 1]],
    ['FIN', [first, packetOf({ ...stream, sequence: 101, flags: ACK | 1 }, randomBytes(100))], [1, 1]],
    [
      'a pure acknowledgement between',
      [first, packetOf({ ...stream, sequence: 101 }, randomBytes(0)), second],
      [1, 1, 1],
    ],
    [
      'a short one between',
      [
        first,
        packetOf({ ...stream, sequence: 101, identification: 8 }, randomBytes(50)),
        packetOf({ ...stream, sequence: 151 }, randomBytes(50)),
      ],
      [2, 1],
    ],
    ['a longer one behind', [first, packetOf({ ...stream, sequence: 101 }, randomBytes(101))], [1, 1]],
    ['PSH ends a group', [packetOf({ ...stream, flags: ACK | PSH }, randomBytes(100)), second], [1, 1]],
  ]
  for (const [title, packets, sizes] of cases) {
    const merged = merge(packets)
    t.same(merged.sizes, sizes, title)
    t.equal(merged.out.join(), packets.map((packet) => digits(packet)).join(), `${title}: nothing is changed`)
  }
})

t.test('connections are merged side by side, each in order', async (t) => {
  const all = Array.from({ length: 12 }, (_, n) =>
    packetsOf(
      { version: n % 2 ? 4 : 6, protocol: n % 3 ? 'tcp' : 'udp', ports: [1000 + n, 80] },
      randomBytes(500),
      100,
    ),
  )
  const mixed = [0, 1, 2, 3, 4].flatMap((round) => all.map((packets) => packets[round] ?? new Uint8Array(0)))
  const { out } = merge(mixed)
  t.equal(out.length, 60)
  for (const packets of all) {
    const own = new Set(packets.map((packet) => digits(packet)))
    t.same(
      out.filter((packet) => own.has(packet)),
      [...own],
      'in order',
    )
  }
  t.same(merge(mixed.slice(0, 8).concat(mixed.slice(12, 20))).sizes, Array(8).fill(2), 'eight at a time')
})

function broken(packet: Uint8Array, at: number): Uint8Array {
  return Uint8Array.from(packet, (byte, i) => (i === at ? byte ^ 1 : byte))
}

/** Another byte in the IPv4 header, whose checksum nobody looks at here. */
function changed(packet: Uint8Array, at: number): Uint8Array {
  return broken(packet, at)
}

/** The packet that would be second, but for its window. */
function packetsWith({ window }: { window: number }): Uint8Array {
  const packet = packetOf({ version: 4, protocol: 'tcp', sequence: 101 }, randomBytes(100))
  const view = new DataView(packet.buffer)
  const memory = { bytes: packet, view }
  view.setUint16(20 + 14, window)
  writeTransportChecksum(memory, parsed(packet))
  return packet
}
