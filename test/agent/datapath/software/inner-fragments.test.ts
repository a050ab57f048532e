import fc from 'fast-check'
import t from 'tap'
import { InnerFragments } from '../../../../agent/datapath/software/inner-fragments.ts'
import { policyOf } from '../../../../agent/datapath/software/policy/policy.ts'
import { fragmentPacket } from '../../../../agent/packet/fragments.ts'
import { newIpHeader, parseIp } from '../../../../agent/packet/ip-header.ts'
import { allocateArena } from '../../../../netlink/libc/arena.ts'
import { action, family as af, dir, proto } from '../../../../netlink/xfrm/constants.ts'
import { defaultPolicy, defaultSelector, defaultState } from '../../../../netlink/xfrm/defaults.ts'
import { data, destination4, FRAGMENT, ipv4, ipv6, parsed } from '../../packet/packets.ts'
import { espSamples } from './crypto/samples.ts'
import { Loop } from './loop.ts'

const UDP = 17
const BLOCKED = 9

const [sample] = espSamples
const tunnel = () =>
  new Loop({
    protocol: 'esp',
    attributes: sample?.attributes ?? {},
    version: 4,
    destination: destination4,
    isTunnel: true,
    isExtended: false,
    inUdp: false,
    window: 64,
  })

function datagram(version: 4 | 6, port: number, length: number): Uint8Array {
  const payload = data(length)
  new DataView(payload.buffer, payload.byteOffset).setUint16(2, port)
  return version === 4 ? ipv4({ protocol: UDP, payload }) : ipv6({ protocol: UDP, payload })
}

function pieces(packet: Uint8Array, mtu: number, id = 77): Uint8Array[] {
  const out = new Uint8Array(2 * packet.length + 4000)
  const ranges = new Uint32Array(200)
  const count = fragmentPacket(packet, parsed(packet), mtu, id, out, 0, ranges)
  return Array.from({ length: count }, (_, i) => out.slice(ranges[2 * i], ranges[2 * i + 1]))
}

/** What comes out of the tunnel for each. */
const through = (loop: Loop, fragments: readonly Uint8Array[]) =>
  fragments.map((fragment) => {
    const wire = loop.protect(fragment)
    return typeof wire === 'string' ? wire : loop.unprotect(wire)
  })

t.test('property: fragments in a tunnel come out as the packet that was cut, in whatever order', async () => {
  const cases = fc.record({
    version: fc.constantFrom(4 as const, 6 as const),
    length: fc.integer({ min: 1300, max: 5000 }),
    order: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
  })
  fc.assert(
    fc.property(cases, ({ version, length, order }) => {
      const loop = tunnel()
      const packet = datagram(version, 7, length)
      const fragments = pieces(packet, 1280)
      const shuffled = fragments
        .map((fragment, i) => ({ fragment, key: order[i % order.length] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ fragment }) => fragment)
      const found = through(loop, shuffled)
      loop.close()
      const whole = found.pop()
      if (typeof whole === 'string' || whole === undefined) return false
      return found.every((one) => one === 'held') && Buffer.compare(whole, packet) === 0
    }),
    { numRuns: 60, seed: 3 },
  )
})

t.test('policy about ports is asked about the whole packet', async (t) => {
  const loop = tunnel()
  const sel = { ...defaultSelector(af.INET), proto: UDP, dport: BLOCKED, dport_mask: 0xffff }
  const body = { ...defaultPolicy(), sel, dir: dir.IN, action: action.BLOCK, priority: 0 }
  loop.databases.policies.add(policyOf({ body, attributes: {} }, 80, 0))
  const [held, refused] = through(loop, pieces(datagram(4, BLOCKED, 1500), 1280))
  t.equal(held, 'held')
  t.equal(refused, 'XfrmInPolBlock')
  t.same(through(loop, pieces(datagram(4, 7, 1500), 1280, 78)).at(-1), datagram(4, 7, 1500))
  loop.close()
})

t.test('fragments that contradict each other end their packet', async (t) => {
  const loop = tunnel()
  const [first, last] = pieces(datagram(4, 7, 1500), 1280)
  if (!first || !last) throw new Error('not cut')
  const other = first.slice()
  other[100] = 0xff
  t.same(through(loop, [first, first, other, last]), ['held', 'held', 'XfrmInHdrError', 'held'])
  loop.close()
})

t.test('what came by another SA is of another packet', async (t) => {
  const fragments = new InnerFragments()
  const by = (spi: number) => {
    const state = defaultState()
    return [{ body: { ...state, id: { ...state.id, spi, proto: proto.ESP } } }]
  }
  const arena = allocateArena(4096)
  const add = (bytes: Uint8Array, spi: number) => {
    arena.bytes.set(bytes)
    const ip = newIpHeader()
    parseIp(arena.bytes, 0, bytes.length, ip)
    const found = fragments.add({ arena, at: 0, end: bytes.length }, ip, by(spi), 0)
    return typeof found === 'string' ? found : found.arena.bytes.slice(found.at, found.end)
  }
  const packet = datagram(6, 7, 1500)
  const [first, last] = pieces(packet, 1280)
  if (!first || !last) throw new Error('not cut')
  t.equal(first[6], FRAGMENT)
  t.equal(add(first, 0x100), 'held')
  t.equal(add(last, 0x200), 'held')
  t.same(add(last, 0x100), packet)
})
