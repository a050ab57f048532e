/**
 * AH against a second implementation: what one of them seals, the other opens, with every integrity algorithm, both
 * libraries, any addresses, any length and any sequence number. `SOLIPSEC_FUZZ=N` multiplies the number of runs by N.
 */
import fc from 'fast-check'
import t from 'tap'
import { ahLength, openAh, sealAh } from '../../../../../agent/datapath/software/ah.ts'
import type { Backend } from '../../../../../agent/datapath/software/crypto/backend.ts'
import type { Opened } from '../../../../../agent/datapath/software/esp.ts'
import { allocateArena } from '../../../../../netlink/libc/arena.ts'
import { stateFlag } from '../../../../../netlink/xfrm/constants.ts'
import { times } from '../../../../support/fuzz.ts'
import { backends, hexOf } from '../vectors/support.ts'
import { decodeAh, encodeAh, type IpFields, ipHeader, ipLength, mutableBits } from './ah.ts'
import { anyNumbers, bytesOfLength, ends, macOf } from './arbitraries.ts'
import { macAttributes } from './esp.ts'
import { type MacShape, macShapes } from './macs.ts'

const AT = 256
const UNTOUCHED = 0xee
const arena = allocateArena(8192)
const spis = fc.integer({ min: 256, max: 0xffffffff })
const payloads = fc.uint8Array({ maxLength: 2000, size: 'max' })

const ipFields: fc.Arbitrary<IpFields> = fc.record({
  version: fc.constantFrom(4 as const, 6 as const),
  trafficClass: fc.nat(255),
  label: fc.nat(0xfffff),
  dontFragment: fc.boolean(),
  hopLimit: fc.nat(255),
  checksum: fc.nat(0xffff),
  source: bytesOfLength(16),
  destination: bytesOfLength(16),
})

function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} and not ${String(expected)}`)
}

function put(bytes: Uint8Array): void {
  arena.bytes.fill(UNTOUCHED)
  arena.bytes.set(bytes, AT)
}

/** Linux pads AH in IPv4 to 8 bytes like the one in IPv6, unless it is told to do as RFC 4302 says. */
const alignmentFor = (version: 4 | 6, isStandard: boolean) => (version === 4 && isStandard ? 4 : 8)

function sealsForReference(shape: MacShape, backend: Backend): void {
  const property = fc.property(
    macOf(shape),
    ipFields,
    anyNumbers,
    spis,
    payloads,
    fc.nat(255),
    fc.boolean(),
    (mac, ip, numbers, spi, payload, nextHeader, isStandard) => {
      const { version } = ip
      const flags = isStandard ? stateFlag.ALIGN4 : 0
      const { sender, close } = ends('ah', spi, () => macAttributes(mac), numbers, backend, version, flags)
      const length = ahLength(sender)
      const ahAt = AT + ipLength(version)
      const end = ahAt + length + payload.length
      put(ipHeader(ip, length + payload.length))
      arena.bytes.set(payload, ahAt + length)
      const outcome = sealAh(sender, arena, AT, ahAt, end, nextHeader)
      close()
      expectSame(outcome, 'sealed', 'outcome')
      const isUntouched = (byte: number) => byte === UNTOUCHED
      expectSame(arena.bytes.subarray(0, AT).every(isUntouched), true, 'nothing before it')
      expectSame(arena.bytes.subarray(end).every(isUntouched), true, 'nothing behind it')
      const bytes = arena.bytes.slice(AT, end)
      const front = hexOf(ipHeader(ip, length + payload.length))
      expectSame(hexOf(bytes.subarray(0, ipLength(version))), front, 'the IP header stays')
      const high = numbers.isExtended ? BigInt(numbers.sequence) >> 32n : undefined
      const packet = decodeAh(mac, version, bytes, high)
      if (!packet) throw new Error('the ICV is wrong')
      expectSame(packet.spi, spi, 'SPI')
      expectSame(packet.sequence, BigInt(numbers.sequence), 'number')
      expectSame(packet.nextHeader, nextHeader, 'next header')
      expectSame(hexOf(packet.payload), hexOf(payload), 'payload')
      const alignment = alignmentFor(version, isStandard)
      const padding = (alignment - ((12 + mac.icvLength) % alignment)) % alignment
      expectSame(hexOf(packet.padding), '00'.repeat(padding), 'padding')
    },
  )
  fc.assert(property, times(100))
}

function opensFromReference(shape: MacShape, backend: Backend): void {
  const property = fc.property(
    macOf(shape),
    ipFields,
    anyNumbers,
    spis,
    payloads,
    fc.nat(255),
    fc.boolean(),
    fc.nat(),
    (mac, ip, numbers, spi, payload, nextHeader, isStandard, flip) => {
      const { version } = ip
      const { isExtended, sequence } = numbers
      const alignment = alignmentFor(version, isStandard)
      const length = (alignment - ((12 + mac.icvLength) % alignment)) % alignment
      const padding = new Uint8Array(length).fill(flip)
      const clear = { spi, sequence: BigInt(sequence), isExtended, payload, nextHeader, padding }
      const packet = encodeAh(mac, ip, clear)
      const ahAt = AT + ipLength(version)
      const end = AT + packet.length
      const into: Opened = { payloadAt: 0, payloadEnd: 0, nextHeader: 0 }
      const { receiver, close } = ends('ah', spi, () => macAttributes(mac), numbers, backend, version)
      const open = () => openAh(receiver, arena, AT, ahAt, end, into)
      const mutable = mutableBits(version)
      const flipBit = (place: number, bit: number) =>
        arena.view.setUint8(AT + place, arena.view.getUint8(AT + place) ^ bit)
      try {
        // Half of the changes in the headers, which are but a small part of the packet.
        const place = flip % (flip & 8 ? packet.length : ahAt - AT + 12 + mac.icvLength)
        const bit = 1 << (flip & 7)
        if (((mutable[place] ?? 0) & bit) === 0) {
          put(packet)
          flipBit(place, bit)
          if (open() === undefined) throw new Error(`accepted with bit ${bit} of byte ${place} changed`)
        }
        put(packet)
        for (const [at, bits] of mutable.entries()) flipBit(at, bits & (flip >> (at & 15)))
        expectSame(open(), undefined, 'refused')
        expectSame(hexOf(arena.bytes.subarray(into.payloadAt, into.payloadEnd)), hexOf(payload), 'payload')
        expectSame(into.nextHeader, nextHeader, 'next header')
        put(packet)
        expectSame(open(), 'XfrmInStateSeqError', 'a second time')
      } finally {
        close()
      }
    },
  )
  fc.assert(property, times(100))
}

for (const backend of backends) {
  for (const shape of macShapes) {
    t.test(`${backend.name}: ${shape.name} ${shape.icvLength * 8}`, async (t) => {
      t.doesNotThrow(() => sealsForReference(shape, backend), 'what it seals, the reference opens')
      t.doesNotThrow(() => opensFromReference(shape, backend), 'what the reference seals, it opens')
    })
  }
}
