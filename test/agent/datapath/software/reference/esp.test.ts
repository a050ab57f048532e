/**
 * ESP against a second implementation: what one of them seals, the other opens, with every algorithm, both libraries,
 * any length, any padding and any sequence number. `SOLIPSEC_FUZZ=N` multiplies the number of runs by N.
 */
import fc from 'fast-check'
import t from 'tap'
import type { Backend } from '../../../../../agent/datapath/software/crypto/backend.ts'
import {
  espHeaderLength,
  espOverhead,
  largestPayload,
  type Opened,
  openEsp,
  sealEsp,
} from '../../../../../agent/datapath/software/esp.ts'
import { allocateArena } from '../../../../../netlink/libc/arena.ts'
import { times } from '../../../../support/fuzz.ts'
import { backends, hexOf } from '../vectors/support.ts'
import { anyNumbers, bytesOfLength, ends, espShapes, type Numbers, type Shape } from './arbitraries.ts'
import {
  alignmentOf,
  attributesOf,
  decodeEsp,
  encodeEsp,
  icvLengthOf,
  ivLengthOf,
  paddingFor,
  type Suite,
} from './esp.ts'

const NO_NEXT_HEADER = 59
const AT = 256
const UNTOUCHED = 0xee
const LONGEST = 65535
const arena = allocateArena(AT + LONGEST + 512)

const payloads = fc.uint8Array({ minLength: 1, maxLength: 2000, size: 'max' })
const spis = fc.integer({ min: 256, max: 0xffffffff })
const nextHeaders = fc.nat(255).filter((protocol) => protocol !== NO_NEXT_HEADER)
const highOf = ({ isExtended, sequence }: Numbers) => (isExtended ? BigInt(sequence) >> 32n : undefined)

function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} and not ${String(expected)}`)
}

/** What is filled before a packet is put there, and how far behind it is looked for changes. */
const FILLED = 8192
const BEHIND = 512

function put(bytes: Uint8Array, at: number): void {
  arena.bytes.fill(UNTOUCHED, 0, at + FILLED)
  arena.bytes.set(bytes, at)
}

function expectUntouched(at: number, end: number): void {
  const { bytes } = arena
  const isUntouched = (byte: number) => byte === UNTOUCHED
  if (bytes.subarray(0, at).every(isUntouched) && bytes.subarray(end, end + BEHIND).every(isUntouched)) return
  throw new Error('bytes around the packet were written to')
}

function sealsForReference(shape: Shape, backend: Backend): void {
  const tfc = fc.oneof(fc.constant(0), fc.nat(2100))
  const property = fc.property(
    shape.suite,
    anyNumbers,
    spis,
    payloads,
    nextHeaders,
    tfc,
    (suite, numbers, spi, payload, nextHeader, tfcTo) => {
      const { sender, close } = ends('esp', spi, () => attributesOf(suite), numbers, backend)
      const payloadAt = AT + espHeaderLength(sender)
      const filled = Math.max(payload.length, tfcTo)
      const expectedEnd = AT + filled + espOverhead(sender, filled)
      put(payload, payloadAt)
      const end = sealEsp(sender, arena, payloadAt, payloadAt + payload.length, nextHeader, tfcTo)
      close()
      expectSame(end, expectedEnd, 'end')
      expectUntouched(AT, end)
      const packet = decodeEsp(suite, arena.bytes.slice(AT, end), highOf(numbers))
      if (!packet) throw new Error('the ICV is wrong')
      expectSame(packet.spi, spi, 'SPI')
      expectSame(packet.sequence, BigInt(numbers.sequence), 'number')
      expectSame(packet.nextHeader, nextHeader, 'next header')
      const zeros = new Uint8Array(filled - payload.length)
      expectSame(hexOf(packet.payload), hexOf(payload) + hexOf(zeros), 'payload')
      expectSame(hexOf(packet.padding), hexOf(paddingFor(suite, filled, 0)), 'padding')
    },
  )
  fc.assert(property, times(50))
}

interface Received {
  readonly suite: Suite
  readonly iv: Uint8Array
}

const received = (shape: Shape): fc.Arbitrary<Received> =>
  shape.suite.chain((suite) => bytesOfLength(ivLengthOf(suite)).map((iv) => ({ suite, iv })))

function opensFromReference(shape: Shape, backend: Backend): void {
  const property = fc.property(
    received(shape),
    anyNumbers,
    spis,
    payloads,
    nextHeaders,
    fc.nat(64),
    fc.nat(),
    ({ suite, iv }, numbers, spi, payload, nextHeader, moreBlocks, flip) => {
      const { isExtended, sequence } = numbers
      const padding = paddingFor(suite, payload.length, moreBlocks)
      const clear = { spi, sequence: BigInt(sequence), isExtended, payload, padding, nextHeader }
      const packet = encodeEsp(suite, clear, iv)
      expectSame((packet.length - 8 - iv.length - icvLengthOf(suite)) % alignmentOf(suite), 0, 'alignment')
      const end = AT + packet.length
      const into: Opened = { payloadAt: 0, payloadEnd: 0, nextHeader: 0 }
      const { receiver, close } = ends('esp', spi, () => attributesOf(suite), numbers, backend)
      const open = () => openEsp(receiver, arena, AT, end, into)
      try {
        if (icvLengthOf(suite) > 0) {
          put(packet, AT)
          const place = AT + (flip % packet.length)
          arena.view.setUint8(place, arena.view.getUint8(place) ^ (1 << (flip & 7)))
          if (open() === undefined) throw new Error(`accepted with byte ${place - AT} changed`)
        }
        put(packet, AT)
        expectSame(open(), undefined, 'refused')
        expectUntouched(AT, end)
        expectSame(hexOf(arena.bytes.subarray(into.payloadAt, into.payloadEnd)), hexOf(payload), 'payload')
        expectSame(into.nextHeader, nextHeader, 'next header')
        expectSame(receiver.replay.highest, Math.max(numbers.seen, sequence), 'highest number')
        put(packet, AT)
        expectSame(open(), 'XfrmInStateSeqError', 'a second time')
      } finally {
        close()
      }
    },
  )
  fc.assert(property, times(50))
}

for (const backend of backends) {
  for (const shape of espShapes) {
    t.test(`${backend.name}: ${shape.title}`, async (t) => {
      t.doesNotThrow(() => sealsForReference(shape, backend), 'what it seals, the reference opens')
      t.doesNotThrow(() => opensFromReference(shape, backend), 'what the reference seals, it opens')
    })
  }
}

t.test('packets around nothing, and dummies, are dropped as the kernel drops them', async (t) => {
  const into: Opened = { payloadAt: 0, payloadEnd: 0, nextHeader: 0 }
  const numbers: Numbers = { isExtended: false, sequence: 7, seen: 6 }
  for (const shape of espShapes) {
    const [one] = fc.sample(received(shape), { numRuns: 1, seed: 5 })
    if (!one) throw new Error('no sample')
    const { suite, iv } = one
    for (const [payload, nextHeader] of [
      [new Uint8Array(0), 17],
      [new Uint8Array(40), NO_NEXT_HEADER],
    ] as const) {
      for (const backend of backends) {
        const { receiver, close } = ends('esp', 300, () => attributesOf(suite), numbers, backend)
        const padding = paddingFor(suite, payload.length, 0)
        const clear = { spi: 300, sequence: 7n, isExtended: false, payload, padding, nextHeader }
        const packet = encodeEsp(suite, clear, iv)
        put(packet, AT)
        const outcome = openEsp(receiver, arena, AT, AT + packet.length, into)
        t.equal(outcome, 'XfrmInStateProtoError', `${backend.name}: ${shape.title}, ${payload.length} bytes`)
        t.equal(receiver.failures.integrity, 0, 'though they are authentic')
        close()
      }
    }
  }
})

t.test('the longest packets', async (t) => {
  const into: Opened = { payloadAt: 0, payloadEnd: 0, nextHeader: 0 }
  const numbers: Numbers = { isExtended: true, sequence: 2 ** 33 + 5, seen: 2 ** 33 }
  // Both libraries in turn, since the reference is slow.
  for (const [n, shape] of espShapes.entries()) {
    const [suite] = fc.sample(shape.suite, { numRuns: 1, seed: 6 })
    const backend = backends[n % backends.length]
    if (!suite || !backend) throw new Error('no sample')
    const title = `${backend.name}: ${shape.title}`
    const { sender, receiver, close } = ends('esp', 300, () => attributesOf(suite), numbers, backend)
    const payload = Uint8Array.from({ length: largestPayload(sender, LONGEST) }, (_, i) => i * 7)
    const payloadAt = AT + espHeaderLength(sender)
    put(payload, payloadAt)
    const end = sealEsp(sender, arena, payloadAt, payloadAt + payload.length, 17, 0)
    t.ok(end <= AT + LONGEST && end > AT + LONGEST - alignmentOf(suite), `${title}: fits`)
    const packet = decodeEsp(suite, arena.bytes.slice(AT, end), 2n)
    t.ok(packet && Buffer.compare(packet.payload, payload) === 0, `${title}: sealed`)
    t.equal(openEsp(receiver, arena, AT, end, into), undefined, `${title}: opened`)
    const opened = arena.bytes.subarray(into.payloadAt, into.payloadEnd)
    t.ok(Buffer.compare(opened, payload) === 0, `${title}: payload`)
    close()
  }
})
