/** What needs more than one packet, or more than one look: changes, echoes, bursts, gaps. */
import fc from 'fast-check'
import t from 'tap'
import { setLength } from '../../../agent/packet/ip-header.ts'
import { write16 } from '../../../agent/packet/octets.ts'
import type { Loop } from '../datapath/software/loop.ts'
import { association, BEGIN, both, frameOf, packet, policy, protect, RIGHT, stateOf, World } from './world.ts'

const IN = { way: 'in' } as const
const esp = association()
const asked = both({ asks: ['esp'] })

t.test('a rule that comes: what is on its way in clear has its time', async (t) => {
  const world = new World({ states: [stateOf(esp)] })
  t.same(world.see(packet(), { at: 100 }), ['clear'])
  world.now = 1000
  world.change({ policies: asked })
  t.same(world.see(packet(), { at: 1000 }), ['clear'], 'it may have been sent before')
  // By what is known, policies cannot make a packet of this time wrong; so they are read when one seems to be.
  world.tables.settle(BEGIN + 1001)
  t.equal(world.tables.current.policyCount, 2)
  t.same(world.see(packet(), { at: 1900 }), ['clear'], 'a second may pass between policy and wire')
  t.same(world.see(packet(), { at: 2200 }), ['leak'])
  t.equal(world.found.length, 1)
})

t.test('a rule that goes', async (t) => {
  const world = new World({ states: [stateOf(esp)], policies: asked })
  t.same(world.see(packet(), { at: 100 }), ['leak'])
  world.change({ policies: [] })
  t.same(
    world.see(packet(), { at: 1000 }),
    ['clear'],
    'policies are read again before anything is called a leak',
  )
  t.equal(world.tables.current.policyCount, 0)
  t.same(world.see(packet(), { at: 50 }), ['clear'], 'a packet from before must fail under both')
  t.same(world.see(protect(esp, packet()), { at: 1100 }), ['unasked'])
})

t.test('a rule that is replaced by a stronger one, and SAs that move with it', async (t) => {
  const world = new World({
    states: [stateOf(esp, { reqid: 2 })],
    policies: both({ asks: ['esp'], reqid: 2 }),
  })
  t.same(world.see(protect(esp, packet()), { at: 100 }), ['protected'])
  world.change({ policies: both({ asks: ['esp'], reqid: 3 }), states: [stateOf(esp, { reqid: 3 })] })
  t.same(world.see(protect(esp, packet()), { at: 200 }), ['protected'])
  world.change({ states: [stateOf(esp, { reqid: 2 })] })
  world.tables.settle(BEGIN + 300)
  t.same(world.see(protect(esp, packet()), { at: 900 }), ['protected'])
  t.same(world.see(protect(esp, packet()), { at: 1900 }), ['leak'])
})

t.test('SAs that come, change their keys, and go', async (t) => {
  const world = new World({ policies: asked })
  t.same(world.see(protect(esp, packet()), { at: 100 }), ['unknownSa'])
  world.change({ states: [stateOf(esp)] })
  t.same(world.see(protect(esp, packet()), { at: 200 }), ['protected'], 'a new SA is looked for')
  const rekeyed = association({ fill: 8 })
  world.change({ states: [stateOf(rekeyed)] })
  t.same(world.see(protect(rekeyed, packet()), { at: 300 }), ['protected'], 'new keys, too')
  t.same(world.see(protect(esp, packet()), { at: 400 }), ['protected'], 'the last with the old ones')
  world.change({ states: [] })
  world.tables.settle(BEGIN + 1000)
  t.same(
    world.see(protect(rekeyed, packet()), { at: 5000 }),
    ['protected'],
    'one that has gone counts 5 seconds',
  )
  t.same(world.see(protect(rekeyed, packet()), { at: 7000 }), ['unknownSa'])
  t.match(world.last.seen, 'deleted')
  t.same(world.see(protect(association({ fill: 1 }), packet()), { at: 7100 }), ['wrongIcv'])
})

t.test('addresses that come', async (t) => {
  const world = new World({ policies: asked, facts: { isForwarding: true } })
  const answer = packet({ from: RIGHT, to: '10.0.0.9' })
  t.same(world.see(answer), ['leak'])
  t.ok(world.last.isPassing)
  world.facts = { ...world.facts, localAddresses: [{ family: 'inet', bytes: Uint8Array.of(10, 0, 0, 2) }] }
  t.same(world.see(answer, { at: 5000 }), ['leak'])
  t.notOk(world.last.isPassing)
})

t.test('tables that are large', async (t) => {
  const world = new World({ policies: asked })
  world.readTime = 1000
  world.change({ policies: [] })
  t.same(world.see(packet(), { at: 1000 }), ['clear'], 'read at 1000, until 2000')
  const { reads } = world
  world.change({ policies: asked })
  t.notOk(
    world.tables.settle(BEGIN + 2500),
    'half a second was saved up, and a tenth of the time comes to it',
  )
  world.now = 5900
  t.notOk(world.tables.settle(BEGIN + 5900))
  t.equal(world.reads, reads)
  t.same(
    world.see(packet(), { at: 5950 }),
    ['clear'],
    'what is right under the rules that are known is right',
  )
  world.now = 7100
  t.ok(world.tables.settle(BEGIN + 7100))
  t.equal(world.reads, reads + 1)
  world.change({ policies: [] })
  t.same(world.see(packet(), { at: 9000 }), ['notChecked'])
  t.match(world.last.seen, 'while rules or SAs were changing')
})

t.test('tables that are small, and change often', async (t) => {
  const world = new World({ policies: asked })
  world.readTime = 2
  for (let at = 1000; at < 3000; at += 10) {
    world.change({ policies: asked })
    t.ok(world.tables.settle(BEGIN + at))
  }
})

t.test('tables that are never at rest', async (t) => {
  const world = new World({ policies: asked })
  world.isBusy = true
  world.hasChanged = true
  t.same(world.see(packet(), { at: 2000 }), ['notChecked'])
  world.isBusy = false
  t.same(world.see(packet(), { at: 2100 }), ['leak'], 'that is made up for as soon as possible')
})

const tunnel = association({ isTunnel: true })
const inner = (port = 7) => packet({ from: '10.1.0.9', port })
const tunnelled = both({ asks: ['esp'], isTunnel: true })

t.test('what was inside a tunnel is shown once more', async (t) => {
  const world = new World({ addresses: [RIGHT], policies: tunnelled, states: [stateOf(tunnel)] })
  const arrive = () => world.see(protect(tunnel, inner()), IN)
  t.same(arrive(), ['protected'])
  t.same(world.see(inner(), IN), ['echo'])
  t.same(world.see(inner(), IN), ['arrivedInClear'], 'each packet accounts for one')
  arrive()
  arrive()
  t.same([...world.see(inner(), IN), ...world.see(inner(), IN)], ['echo', 'echo'])
  arrive()
  t.same(world.see(inner(8), IN), ['arrivedInClear'], 'another packet is none')
  t.same(world.see(inner(), { ...IN, at: 1500 }), ['arrivedInClear'], 'it comes at once, or not at all')
  const software = new World({
    addresses: [RIGHT],
    policies: tunnelled,
    states: [stateOf(tunnel)],
    facts: { dataPath: 'software' },
  })
  software.see(protect(tunnel, inner()), IN)
  t.same(software.see(inner(), IN), ['arrivedInClear'], 'our own data path shows nothing twice')
  const transport = new World({ addresses: [RIGHT], policies: asked, states: [stateOf(esp)] })
  transport.see(protect(esp, packet()), IN)
  t.same(transport.see(packet(), IN), ['arrivedInClear'], 'nor does the kernel, of transport mode')
})

t.test('property: whatever comes out of a tunnel is known again, and nothing else', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 }), fc.nat(8), (ports, stranger) => {
      const world = new World({ addresses: [RIGHT], policies: tunnelled, states: [stateOf(tunnel)] })
      for (const port of ports) world.see(protect(tunnel, inner(port)), IN)
      for (const port of ports.toReversed()) if (world.see(inner(port), IN)[0] !== 'echo') return false
      return world.see(inner(stranger), IN)[0] === 'arrivedInClear'
    }),
    { numRuns: 60, seed: 3 },
  )
})

t.test('where packets were lost, nobody knows what is an echo', async (t) => {
  const world = new World({ addresses: [RIGHT], policies: tunnelled, states: [stateOf(tunnel)] })
  world.inspector.gaps.add(BEGIN + 1000, BEGIN + 1200)
  t.same(world.see(inner(), { ...IN, at: 500 }), ['arrivedInClear'])
  t.same(world.see(inner(), { ...IN, at: 1100 }), ['notChecked'])
  t.same(world.see(inner(), { ...IN, at: 2100 }), ['notChecked'])
  t.same(world.see(inner(), { ...IN, at: 2300 }), ['arrivedInClear'])
  const transport = new World({ addresses: [RIGHT], policies: asked })
  transport.inspector.gaps.add(BEGIN, BEGIN + 5000)
  t.same(transport.see(packet(), { ...IN, at: 1100 }), ['arrivedInClear'], 'transport mode has none')
})

/** What the kernel makes of datagrams that pass it as one: the headers of the first, and all payloads. */
function joined(...wires: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(0)] = wires
  const bytes = new Uint8Array(Buffer.concat([first, ...wires.slice(1).map((wire) => wire.subarray(28))]))
  write16(bytes, 24, bytes.length - 20)
  setLength(bytes, 0, bytes.length)
  return bytes
}

const udp = association({ inUdp: true })
const wiresOf = (loop: Loop, sizes: readonly number[]) =>
  sizes.map((size) => protect(loop, packet({ payload: new Uint8Array(size) })))

t.test('datagrams that the kernel shows as one', async (t) => {
  const world = { policies: asked, states: [stateOf(udp)] }
  t.same(new World(world).see(joined(...wiresOf(udp, [500, 500, 500, 300]))), new Array(4).fill('protected'))
  const many = wiresOf(udp, new Array<number>(44).fill(1400))
  t.ok(joined(...many).length > 60_000)
  t.same(new World(world).see(joined(...many)), new Array(44).fill('protected'), 'as long as can be')
  t.same(new World({ ...world, addresses: [RIGHT] }).see(joined(...many), IN).length, 44)
  const [a, b, c] = wiresOf(udp, [500, 500, 500])
  if (!a || !b || !c) throw new Error('no packets')
  b.fill(1, -4)
  t.same(new World(world).see(joined(a, b, c)), ['protected', 'protected', 'wrongIcv'])
  // Two SAs whose packets went out together; and one that nobody knows.
  const other = { ...stateOf(udp), body: { ...stateOf(udp).body } }
  other.body.id = { ...other.body.id, spi: 0x77 }
  const [d, e, f] = wiresOf(udp, [500, 500, 500])
  if (!d || !e || !f) throw new Error('no packets')
  e.set([0, 0, 0, 0x77, 0, 0x50, 0, 0], 28)
  const mixed = new World({ ...world, states: [stateOf(udp), other] })
  t.same(mixed.see(joined(d, e, f)), ['protected', 'protected', 'wrongIcv'])
})

t.test('property: bursts of any lengths are cut where they were joined', async () => {
  const length = fc.integer({ min: 1, max: 400 })
  fc.assert(
    fc.property(length, fc.integer({ min: 1, max: 20 }), length, (size, count, last) => {
      const sizes = [...new Array<number>(count).fill(size), Math.min(size, last)]
      const seen = new World({ policies: asked, states: [stateOf(udp)] }).see(joined(...wiresOf(udp, sizes)))
      return seen.length === count + 1 && seen.every((category) => category === 'protected')
    }),
    { numRuns: 80, seed: 4 },
  )
})

t.test('what looks like a burst and is none', async (t) => {
  // The payload of a packet without encryption has what looks like the next header.
  const plain = association({
    inUdp: true,
    attributes: {
      alg_crypt: { alg_name: 'ecb(cipher_null)', alg_key_len: 0, alg_key: new Uint8Array(0) },
      alg_auth_trunc: {
        alg_name: 'hmac(sha256)',
        alg_key_len: 256,
        alg_trunc_len: 128,
        alg_key: new Uint8Array(32).fill(3),
      },
    },
  })
  const payload = Buffer.alloc(96)
  payload.writeUInt32BE(0x1234_5678, 60)
  payload.writeUInt32BE(2, 64)
  const world = new World({ policies: asked, states: [stateOf(plain)] })
  t.same(world.see(protect(plain, packet({ payload }))), ['protected'])
})

t.test('findings: one for each flow and each thing that is wrong', async (t) => {
  const world = new World({ policies: asked, states: [stateOf(esp)] })
  for (const at of [10, 30, 20]) world.see(packet(), { at })
  world.see(packet({ port: 8 }), { at: 40 })
  world.see(packet(), { at: 50, ifindex: 3 })
  t.match(world.tally.findings('leak'), [
    {
      count: 3,
      first: BEGIN + 10,
      last: BEGIN + 30,
      ifindex: 2,
      way: 'out',
      flow: { dport: 7, sport: 40_000 },
    },
    { count: 1, flow: { dport: 8 } },
    { count: 1, ifindex: 3 },
  ])
  t.equal(world.tally.failures, 5)
  t.equal(world.tally.total, 5)
})

t.test('SAs of other hosts inside of ours are data', async (t) => {
  const world = new World({ policies: [policy({ direction: 'OUT', asks: ['esp'] })], states: [stateOf(esp)] })
  const foreign = protect(association({ fill: 9 }), packet({ from: '10.9.0.1', to: '10.9.0.2' }))
  t.same(world.see(protect(tunnel, foreign)), ['notOurs'], 'without an SA for the outer, from another host')
})

t.test('fuzzer: any bytes changed, any order', async (t) => {
  const samples = [
    packet(),
    protect(esp, packet()),
    protect(tunnel, inner()),
    joined(...wiresOf(udp, [40, 40, 20])),
  ]
  const world = new World({ policies: asked, states: [stateOf(esp)], facts: { isForwarding: true } })
  let shown = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }),
      fc.nat(120),
      fc.constantFrom('in' as const, 'out' as const),
      (sample, changes, cutBy, way) => {
        const bytes = sample.slice(0, Math.max(1, sample.length - (cutBy < 60 ? 0 : cutBy)))
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        shown++
        world.inspector.see(frameOf(bytes, { way }))
        return world.tally.total >= shown
      },
    ),
    { numRuns: 2000, seed: 5 },
  )
  t.ok(world.tally.findings('leak').length <= 100)
})
