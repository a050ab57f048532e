/** What the data path protects, the viewer opens: in any order, with any algorithm, behind any link layer. */
import fc from 'fast-check'
import t from 'tap'
import { type Frame, type LinkLayer, newFrame } from '../../../agent/capture/frame.ts'
import { KeyRing } from '../../../agent/capture/key-ring.ts'
import { findIp } from '../../../agent/capture/link-layers.ts'
import { Uncoverer } from '../../../agent/capture/uncover.ts'
import { type SaMessage, saFromDump } from '../../../agent/capture/viewed-sa.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { newIpHeader, parseIp, refreshChecksum } from '../../../agent/packet/ip-header.ts'
import { IPPROTO_ESP, IPPROTO_UDP } from '../../../agent/packet/protocols.ts'
import { times } from '../../support/fuzz.ts'
import { authAttributes, espSamples } from '../datapath/software/crypto/samples.ts'
import { Loop, type LoopOptions } from '../datapath/software/loop.ts'
import {
  comparable,
  destinationOf,
  samples,
  tunnelEnd,
  wholePackets,
} from '../datapath/software/round-trips.ts'
import { destination6 } from '../packet/packets.ts'
import { ipv4 } from './files.ts'

const ip = newIpHeader()

t.setTimeout(600_000)

const heads: Readonly<Record<LinkLayer, string>> = {
  ethernet: '0202020202020202020202028100000508 00',
  cooked: '0000000100060202020202020000 0800',
  cooked2: '0800000000000002000100060202020202020000',
  null: '02000000',
  raw: '',
}

/** A frame around a packet. */
function frameOf(packet: Uint8Array, link: LinkLayer = 'raw', number = 1): Frame {
  const head = Buffer.from(heads[link].replace(' ', ''), 'hex')
  const isV6 = (packet[0] ?? 0) >> 4 === 6
  if (isV6 && link === 'null') head[0] = 30
  if (isV6 && (link === 'ethernet' || link === 'cooked')) head.writeUInt16BE(0x86dd, head.length - 2)
  if (isV6 && link === 'cooked2') head.writeUInt16BE(0x86dd, 0)
  const bytes = Buffer.concat([head, packet])
  const end = bytes.length
  return { ...newFrame(), number, link, bytes, end, wireLength: end, ipAt: findIp(bytes, end, link) }
}

function ringOf(...messages: SaMessage[]): KeyRing {
  const ring = new KeyRing()
  for (const message of messages) {
    const sa = saFromDump(message, defaultAlgorithmTable)
    if (sa) ring.add(sa)
  }
  return ring
}

/** But for UDP, which could be ESP in UDP to the viewer. */
const packets = wholePackets.filter((bytes) => {
  parseIp(bytes, 0, bytes.length, ip)
  return ip.protocol !== IPPROTO_UDP
})

function optionsFor(packet: Uint8Array, rest: Partial<LoopOptions> = {}): LoopOptions {
  return {
    protocol: 'esp',
    attributes: espSamples.at(-1)?.attributes ?? {},
    ...destinationOf(packet),
    isTunnel: false,
    isExtended: false,
    inUdp: false,
    window: 64,
    ...rest,
  }
}

function protect(loop: Loop, packet: Uint8Array): Uint8Array {
  const wire = loop.protect(packet)
  if (typeof wire === 'string') throw new Error(wire)
  return wire
}

for (const { title, attributes, protocol } of samples) {
  t.test(`property: ${title}`, async () => {
    fc.assert(
      fc.property(
        packets,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(4, 6) as fc.Arbitrary<4 | 6>,
        fc.constantFrom<LinkLayer>('ethernet', 'cooked', 'cooked2', 'null', 'raw'),
        (packet, isTunnel, isExtended, inUdp, outer, link) => {
          const ends = isTunnel ? tunnelEnd(outer) : {}
          const udp = inUdp && protocol === 'esp'
          const loop = new Loop(
            optionsFor(packet, { protocol, attributes, isTunnel, isExtended, inUdp: udp, ...ends }),
          )
          const wire = loop.protect(packet)
          // AH looks into IP options, and these are any bytes.
          if (wire === 'XfrmOutStateProtoError' && protocol === 'ah') fc.pre(false)
          if (typeof wire === 'string') throw new Error(wire)
          const seen = new Uncoverer(ringOf(loop.sender)).uncover(frameOf(wire, link, 7))
          const [cover] = seen.covers
          if (seen.covers.length !== 1 || cover?.verdict !== 'opened') throw new Error(cover?.verdict)
          const mode = isTunnel ? 'tunnel' : 'transport'
          if (cover.mode !== mode || cover.spi !== 0x1234_5678 || cover.sequence !== 1) return false
          if (seen.number !== 7 || seen.link !== link || seen.wireLength !== seen.end) return false
          if (findIp(seen.bytes, seen.end, link) !== seen.ipAt) return false
          return comparable(seen.bytes.subarray(seen.ipAt, seen.end)) === comparable(packet)
        },
      ),
      { numRuns: 12 },
    )
  })
}

const packet = (() => {
  const bytes = new Uint8Array(ipv4(Buffer.from('some payload')))
  refreshChecksum(bytes, 0)
  return bytes
})()

function bytesOf(frame: Frame): string {
  return Buffer.from(frame.bytes.subarray(frame.ipAt, frame.end)).toString('hex')
}

t.test('any order, any number of times', async (t) => {
  const loop = new Loop(optionsFor(packet))
  const wires = Array.from({ length: 200 }, () => protect(loop, packet))
  const uncoverer = new Uncoverer(ringOf(loop.sender))
  for (const wire of [...wires.toReversed(), ...wires]) {
    const seen = uncoverer.uncover(frameOf(wire))
    t.equal(seen.covers[0]?.verdict, 'opened')
    t.equal(bytesOf(seen), Buffer.from(packet).toString('hex'))
  }
  t.match(uncoverer.uncover(frameOf(wires[4] ?? packet)).covers, [
    { encryption: 'chacha20-poly1305', sequence: 5 },
  ])
})

t.test('extended sequence numbers are guessed, from the start or from what was seen', async (t) => {
  for (const { title, attributes } of espSamples.slice(-4).concat(espSamples.slice(0, 2))) {
    const loop = new Loop(optionsFor(packet, { isExtended: true, attributes }))
    const start = 7 * 2 ** 32 - 3
    loop.sender.sequence.skipTo(start)
    const first = { ...loop.sender.attributes.replay_esn_val }
    const replay = {
      bmp_len: 2,
      bmp: [],
      replay_window: 64,
      oseq: 0,
      oseq_hi: 0,
      ...first,
      seq: start % 2 ** 32,
      seq_hi: 6,
    }
    const known = {
      body: loop.sender.body,
      attributes: { ...loop.sender.attributes, replay_esn_val: replay },
    }
    const wires = Array.from({ length: 6 }, () => protect(loop, packet))
    for (const order of [wires, wires.toReversed()]) {
      const uncoverer = new Uncoverer(ringOf(known))
      for (const wire of order) t.equal(uncoverer.uncover(frameOf(wire)).covers[0]?.verdict, 'opened', title)
    }
    const blind = new Uncoverer(ringOf(loop.sender))
    t.equal(blind.uncover(frameOf(wires[0] ?? packet)).covers[0]?.verdict, 'wrong ICV', title)
  }
})

t.test('why not', async (t) => {
  const loop = new Loop(optionsFor(packet))
  const wire = protect(loop, packet)
  const other = new Loop(optionsFor(packet))
  const key = {
    alg_name: 'rfc7539esp(chacha20,poly1305)',
    alg_key_len: 288,
    alg_icv_len: 128,
    alg_key: new Uint8Array(36).fill(9),
  }
  const wrong = { body: other.sender.body, attributes: { alg_aead: key } } as SaMessage
  const strange = { ...key, alg_name: 'rfc9999(new)' }
  const unsupported = { body: other.sender.body, attributes: { alg_aead: strange } } as SaMessage
  const elsewhere = { ...wrong, body: { ...wrong.body, id: { ...wrong.body.id, daddr: new Uint8Array(16) } } }
  const moved = { body: elsewhere.body, attributes: loop.sender.attributes }
  const rows: [title: string, ring: KeyRing, wire: Uint8Array, verdict: string][] = [
    ['no SA', ringOf(), wire, 'no key'],
    ['another key', ringOf(wrong), wire, 'wrong ICV'],
    ['two SAs, the right one second', ringOf(loop.sender, wrong), wire, 'opened'],
    ['unknown algorithm', ringOf(unsupported), wire, 'unsupported'],
    ['SA of another destination', ringOf(elsewhere), wire, 'no key'],
    ['the same with the right key', ringOf(moved), wire, 'opened'],
    ['cut', ringOf(loop.sender), wire.subarray(0, -5), 'malformed'],
    ['changed', ringOf(loop.sender), Buffer.from(wire).fill(1, wire.length - 3), 'wrong ICV'],
  ]
  for (const [title, ring, bytes, verdict] of rows) {
    const frame = frameOf(bytes, 'ethernet')
    const before = frame.bytes.slice()
    const seen = new Uncoverer(ring).uncover(frame)
    t.match(seen.covers, [{ protocol: 'esp', spi: 0x1234_5678, sequence: 1, verdict }], title)
    t.same(frame.bytes, before, `${title}: the frame is as it was`)
    if (verdict !== 'opened') t.same(Buffer.from(seen.bytes), Buffer.from(before), title)
  }
  t.equal(new Uncoverer(ringOf()).uncover(frameOf(packet)).covers.length, 0)
})

t.test('AH around ESP, and ESP in a tunnel of ESP', async (t) => {
  const esp = new Loop(optionsFor(packet))
  const ah = new Loop(
    optionsFor(packet, { protocol: 'ah', attributes: authAttributes(['hmac(sha256)', 32, 128]) }),
  )
  const both = new Uncoverer(ringOf(esp.sender, ah.sender)).uncover(
    frameOf(protect(ah, protect(esp, packet))),
  )
  t.match(both.covers, [{ protocol: 'ah' }, { protocol: 'esp' }])
  t.equal(comparable(both.bytes.subarray(0, both.end)), comparable(packet))
  const half = new Uncoverer(ringOf(ah.sender)).uncover(frameOf(protect(ah, protect(esp, packet))))
  t.same(
    half.covers.map(({ verdict }) => verdict),
    ['opened', 'no key'],
  )
  t.equal(half.bytes[9], IPPROTO_ESP)
  const tunnel = new Loop(optionsFor(packet, { isTunnel: true, destination: destination6, version: 6 }))
  const inTunnel = new Uncoverer(ringOf(esp.sender, tunnel.sender)).uncover(
    frameOf(protect(tunnel, protect(esp, packet)), 'ethernet'),
  )
  t.match(inTunnel.covers, [{ mode: 'tunnel' }, { mode: 'transport' }])
  t.equal(bytesOf(inTunnel), Buffer.from(packet).toString('hex'))
})

t.test('fragments', async (t) => {
  const loop = new Loop(optionsFor(packet))
  const wire = protect(loop, packet)
  const pieces = [0, 16, 32].map((from) => {
    const data = wire.subarray(20 + from, from === 32 ? wire.length : 20 + from + 16)
    const piece = Buffer.concat([wire.subarray(0, 20), data])
    piece.writeUInt16BE(piece.length, 2)
    piece.writeUInt16BE((from === 32 ? 0 : 0x2000) | (from / 8), 6)
    refreshChecksum(piece, 0)
    return piece
  })
  const uncoverer = new Uncoverer(ringOf(loop.sender))
  const [first, second, third] = pieces.map((piece) => uncoverer.uncover(frameOf(piece)).covers.length)
  t.same([first, second, third], [0, 0, 1])
  for (const piece of pieces.toReversed()) {
    const seen = uncoverer.uncover(frameOf(piece, 'ethernet'))
    if (seen.covers.length > 0) t.equal(bytesOf(seen), Buffer.from(packet).toString('hex'))
  }
})

t.test('new SAs are looked for, but not for every packet', async (t) => {
  const loop = new Loop(optionsFor(packet))
  let present: SaMessage[] = []
  let dumps = 0
  let now = 0
  const source = {
    dump: () => {
      dumps++
      return present
    },
    make: (message: SaMessage) => saFromDump(message, defaultAlgorithmTable),
  }
  const uncoverer = new Uncoverer(new KeyRing(source, 1000, () => now))
  const see = () => uncoverer.uncover(frameOf(protect(loop, packet))).covers[0]?.verdict
  t.equal(see(), 'no key')
  present = [loop.sender]
  now = 999
  t.equal(see(), 'no key')
  now = 1000
  t.equal(see(), 'opened')
  present = []
  now = 5000
  t.equal(see(), 'opened')
  t.equal(dumps, 2)
})

t.test('fuzzer: any bytes changed', async (t) => {
  const loop = new Loop(optionsFor(packet, { isTunnel: true, inUdp: true }))
  const ah = new Loop(
    optionsFor(packet, { protocol: 'ah', attributes: authAttributes(['hmac(sha256)', 32, 128]) }),
  )
  const none = new Loop(
    optionsFor(packet, {
      attributes: { alg_crypt: { alg_name: 'ecb(cipher_null)', alg_key_len: 0, alg_key: new Uint8Array(0) } },
    }),
  )
  const uncoverer = new Uncoverer(ringOf(loop.sender, ah.sender, none.sender))
  const frames = [loop, ah, none].map((one) => frameOf(protect(one, packet), 'ethernet'))
  const seen = new Set<string | undefined>()
  fc.assert(
    fc.property(
      fc.constantFrom(...frames),
      fc.array(fc.tuple(fc.nat(110), fc.nat(255)), { maxLength: 5 }),
      fc.nat(120),
      (frame, changes, length) => {
        const bytes = Buffer.from(frame.bytes.subarray(0, length < 30 ? frame.end : length + 10))
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        const end = bytes.length
        const out = uncoverer.uncover({ ...frame, bytes, end, ipAt: findIp(bytes, end, 'ethernet') })
        for (const { verdict } of out.covers) seen.add(verdict)
        return out.end <= out.bytes.length && out.ipAt < out.end
      },
    ),
    times(3000),
  )
  t.same([...seen].sort(), ['malformed', 'no key', 'opened', 'wrong ICV'])
})
