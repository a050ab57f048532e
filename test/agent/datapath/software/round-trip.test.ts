/** What one host protects, the other gets back as it was, and nothing that was changed on the way. */
import fc from 'fast-check'
import t from 'tap'
import { times } from '../../../support/fuzz.ts'
import { destination4 } from '../../packet/packets.ts'
import { espSamples } from './crypto/samples.ts'
import { Loop, type LoopOptions } from './loop.ts'
import { comparable, destinationOf, samples, tunnelEnd, wholePackets } from './round-trips.ts'

/** Mutated packets of the fuzzer; `SOLIPSEC_FUZZ=N` multiplies them by N. */
const FUZZ_RUNS = 6000

for (const { title, attributes, protocol } of samples) {
  t.test(`property: ${title}`, async () => {
    fc.assert(
      fc.property(
        wholePackets,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(4, 6) as fc.Arbitrary<4 | 6>,
        (bytes, isTunnel, isExtended, inUdp, outer) => {
          const ends = isTunnel ? tunnelEnd(outer) : destinationOf(bytes)
          const options: LoopOptions = {
            protocol,
            attributes,
            ...ends,
            isTunnel,
            isExtended,
            inUdp: inUdp && protocol === 'esp',
            window: 64,
          }
          const loop = new Loop(options)
          try {
            const wire = loop.protect(bytes)
            // AH looks into IP options, and these are any bytes.
            if (wire === 'XfrmOutStateProtoError' && protocol === 'ah') fc.pre(false)
            if (typeof wire === 'string') return false
            const back = loop.unprotect(wire)
            if (typeof back === 'string') throw new Error(back)
            // A second time it is an old one.
            return comparable(back) === comparable(bytes) && loop.unprotect(wire) === 'XfrmInStateSeqError'
          } finally {
            loop.close()
          }
        },
      ),
      { numRuns: 25 },
    )
  })
}

t.test('padding for traffic flow confidentiality does not come out of a tunnel', async (t) => {
  const bytes = Uint8Array.from([
    0x45, 0, 0, 24, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3, 4,
  ])
  const [sample] = espSamples
  if (!sample) return
  const loop = new Loop({
    protocol: 'esp',
    attributes: sample.attributes,
    version: 4,
    destination: destination4,
    isTunnel: true,
    isExtended: false,
    inUdp: false,
    window: 32,
    tfcpad: 600,
  })
  const wire = loop.protect(bytes)
  t.ok(wire.length > 600)
  t.same(typeof wire === 'string' ? wire : loop.unprotect(wire), bytes)
  loop.close()
})

type Mutation = {
  readonly kind: 'flip' | 'cut' | 'grow' | 'noise'
  readonly at: number
  readonly value: number
}

const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('flip', 'flip', 'flip', 'cut', 'grow', 'noise'),
    at: fc.nat(1600),
    value: fc.nat(0xffff),
  }),
  { minLength: 1, maxLength: 4 },
)

function mutate(bytes: Uint8Array, all: readonly Mutation[]): Uint8Array {
  let result = bytes
  for (const { kind, at, value } of all) {
    const place = at % Math.max(1, result.length)
    if (kind === 'cut') result = result.slice(0, place)
    else if (kind === 'grow') result = Uint8Array.of(...result, ...new Uint8Array(value % 64).fill(value))
    else {
      result = result.slice()
      if (kind === 'flip') result[place] = (result[place] ?? 0) ^ (1 << (value & 7))
      else for (let i = place; i < Math.min(result.length, place + (value & 31)); i++) result[i] = value * i
    }
  }
  return result
}

t.test('fuzz: nothing that was changed is taken for something else', async (t) => {
  const kinds = samples.filter(({ title }) => title !== 'cbc(aes) without integrity')
  const runs = Math.ceil(FUZZ_RUNS / kinds.length / 2)
  const original = Uint8Array.from({ length: 120 }, (_, i) => i)
  original.set([0x45, 0, 0, 120, 0, 1, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2])
  const refusals = new Map<string, number>()
  for (const { title, attributes, protocol } of kinds) {
    for (const isTunnel of [false, true]) {
      const loop = new Loop({
        protocol,
        attributes,
        version: 4,
        destination: destination4,
        isTunnel,
        isExtended: false,
        inUdp: false,
        window: 0,
      })
      const wire = loop.protect(original)
      if (typeof wire === 'string') throw new Error(wire)
      const payload = Buffer.from(original.subarray(20)).toString('hex')
      fc.assert(
        fc.property(mutations, (all) => {
          const outcome = loop.unprotect(mutate(wire, all))
          if (typeof outcome === 'string') {
            refusals.set(outcome, (refusals.get(outcome) ?? 0) + 1)
            return true
          }
          // What no ICV covers may have changed: the outer IP header's mutable fields. The rest has not.
          return Buffer.from(outcome.subarray(-100)).toString('hex') === payload && outcome[9] === 17
        }),
        times(runs),
      )
      loop.close()
    }
    t.pass(title)
  }
  for (const [counter] of refusals) t.match(counter, /^XfrmIn/)
  t.ok(refusals.size >= 3, 'refused for different reasons')
})
