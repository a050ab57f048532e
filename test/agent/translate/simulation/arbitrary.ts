/**
 * A small world in which rules, SAs and packets meet often: few hosts, few ports, few algorithms.
 *
 * @module
 */
import fc from 'fast-check'
import { type Address, type Family, type Prefix, unspecified } from '../../../../agent/model/address.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import type {
  Action,
  AddressPair,
  AlgorithmRequirement,
  IcmpRange,
  Protection,
  Rule,
  Selector,
} from '../../../../agent/model/policy.ts'
import { Secret } from '../../../../agent/model/secret.ts'
import { address } from '../../../support/address.ts'
import { bareAssociation } from '../../model/associations.ts'
import { isIcmp, type Packet } from './packet.ts'

const LOCAL = { inet: ['10.0.0.1', '10.0.1.1'], inet6: ['2001:db8::1', '2001:db8:0:1::1'] }
const REMOTE = { inet: ['10.1.0.1', '10.1.0.2', '10.2.0.1'], inet6: ['2001:db8:8::1', '2001:db8:8::2'] }
const LENGTHS = { inet: [0, 8, 16, 31, 32], inet6: [0, 32, 48, 127, 128] }

/** This host's addresses. */
export const localAddresses: readonly Address[] = [...LOCAL.inet, ...LOCAL.inet6].map(address)

const family = fc.constantFrom<Family>('inet', 'inet', 'inet6')
const local = (of: Family): fc.Arbitrary<Address> => fc.constantFrom(...LOCAL[of]).map(address)
const remote = (of: Family): fc.Arbitrary<Address> => fc.constantFrom(...REMOTE[of]).map(address)
const prefix = (of: Family, end: fc.Arbitrary<Address>): fc.Arbitrary<Prefix> =>
  fc.tuple(end, fc.constantFrom(...LENGTHS[of])).map(([one, length]) => ({ ...one, length }))

const pair: fc.Arbitrary<AddressPair> = family.chain((of) =>
  fc.oneof(
    fc.constant({}),
    fc
      .record({ local: prefix(of, local(of)), remote: prefix(of, remote(of)) }, { requiredKeys: [] })
      .map(dense),
  ),
)

const PORTS = [22, 500, 4500, 5000]
const TYPES = [0, 3, 8, 11, 129, 135, 143]
const CODES = [0, 1, 2, 4]

const icmpRange = (values: readonly number[]): fc.Arbitrary<IcmpRange> =>
  fc.oneof(
    fc.constant({ from: 255, to: 255 }),
    fc
      .tuple(fc.constantFrom(...values), fc.constantFrom(0, 0, 1, 5, 90))
      .map(([from, more]) => ({ from, to: from + more })),
  )

const port = fc.constantFrom(...PORTS)
const upper: fc.Arbitrary<Omit<Selector, 'pairs'>> = fc.oneof(
  fc.constant({}),
  fc.record({ protocol: fc.constantFrom(1, 2, 6, 17, 47, 58, 132) }),
  fc.record({ protocol: fc.constantFrom(6, 17), localPort: port, remotePort: port }, { requiredKeys: [] }),
  fc.record({ localPort: port, remotePort: port }, { requiredKeys: [] }),
  fc.record(
    { protocol: fc.constantFrom(1, 58), icmpType: icmpRange(TYPES), icmpCode: icmpRange(CODES) },
    { requiredKeys: ['protocol', 'icmpType'] },
  ),
)

function requirement(algorithm: number, sizes: readonly (readonly [number, number])[]) {
  return fc
    .constantFrom(...sizes)
    .map(([minBits, maxBits]): AlgorithmRequirement => ({ algorithm, minBits, maxBits }))
}

const UNLIMITED = [0, 65535] as const
const aes = requirement(12, [[128, 128], [192, 256], [256, 256], UNLIMITED])
const gcm = requirement(20, [
  [128, 65535],
  [256, 256],
])
const anything = requirement(0, [UNLIMITED])
const auth = fc.oneof(anything, requirement(3, [[160, 65535]]), requirement(5, [UNLIMITED]))
const cipher = fc.oneof(aes, anything, requirement(11, [UNLIMITED]), requirement(23, [UNLIMITED]))
const esp = fc.oneof(
  fc.record({ encryption: fc.oneof(cipher, gcm) }),
  fc.record({ encryption: cipher, authentication: auth }),
)
const unique = fc.constantFrom(false, false, false, true)
const protection: fc.Arbitrary<Protection> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ esp, unique }) },
  { weight: 2, arbitrary: fc.record({ ah: auth, unique }) },
  { weight: 2, arbitrary: fc.record({ ah: auth, esp, unique }) },
)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: protection.map((one): Action => ({ kind: 'protect', protection: one })) },
  { weight: 1, arbitrary: fc.constantFrom<Action>({ kind: 'bypass' }, { kind: 'drop' }) },
)

const PLACE = { text: '', file: 'policy', span: { line: 1, column: 1, length: 1 } }

/** A rule of the host: no tunnels. */
export const rule: fc.Arbitrary<Rule> = fc
  .record({
    pairs: fc.array(pair, { minLength: 1, maxLength: 2 }),
    upper,
    direction: fc.constantFrom('both', 'both', 'in', 'out'),
    actions: fc.oneof(
      { weight: 4, arbitrary: fc.array(action, { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constantFrom<Action[]>([{ kind: 'drop' }], [{ kind: 'bypass' }]) },
    ),
  })
  .map(({ pairs, upper: rest, direction, actions }) => ({
    ...PLACE,
    selector: { pairs, ...dense(rest) },
    direction,
    actions,
  }))

export const rules: fc.Arbitrary<Rule[]> = fc.array(rule, { minLength: 1, maxLength: 5 })

export const packet: fc.Arbitrary<Packet> = family.chain((of) =>
  fc
    .record({
      family: fc.constant(of),
      local: local(of),
      remote: remote(of),
      protocol: fc.constantFrom(1, 2, 6, 17, 47, 58, 103, 132),
      localPort: port,
      remotePort: port,
      // 22 is a port as well, and the flow key keeps both in one place.
      type: fc.constantFrom(...TYPES, 9, 22, 64),
      code: fc.constantFrom(...CODES, 9),
    })
    .map((one): Packet => {
      const ports = [6, 17, 33, 132, 136].includes(one.protocol) ? {} : { localPort: 0, remotePort: 0 }
      return { ...one, ...ports, ...(isIcmp(one.protocol) ? {} : { type: 0, code: 0 }) }
    }),
)

/** ESP: number, key bits, salt bits, and authentication where the cipher has none. */
const CIPHERS = [
  [12, 128, 0],
  [12, 192, 0],
  [12, 256, 0],
  [3, 192, 0],
  [11, 0, 0],
  [20, 128, 32],
  [20, 256, 32],
  [23, 128, 32],
] as const
const MACS = [
  [2, 128],
  [3, 160],
  [5, 256],
] as const
const COMBINED = [20, 23]

const algorithms: fc.Arbitrary<Partial<SecurityAssociation>> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...CIPHERS), fc.option(fc.constantFrom(...MACS)))
      .map(([[encrAlgorithm, bits, saltBits], mac]) => ({
        protocol: 'esp' as const,
        encrAlgorithm,
        saltBits,
        ...(bits > 0 && { encrKey: key(bits + saltBits) }),
        ...(mac && !COMBINED.includes(encrAlgorithm) ? { authAlgorithm: mac[0], authKey: key(mac[1]) } : {}),
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...MACS)
      .map(([authAlgorithm, bits]) => ({ protocol: 'ah' as const, authAlgorithm, authKey: key(bits) })),
  },
)

function key(bits: number): Secret {
  return new Secret(new Uint8Array(bits / 8).fill(7))
}

/** An SA between the two hosts of a packet, in either direction; perhaps for its flow only. */
export function association(packet: Packet, way: 'in' | 'out'): fc.Arbitrary<SecurityAssociation> {
  const { local, remote, protocol } = packet
  const [source, destination] = way === 'out' ? [local, remote] : [remote, local]
  const [sourcePort, destinationPort] =
    way === 'out' ? [packet.localPort, packet.remotePort] : [packet.remotePort, packet.localPort]
  const any = { upperProtocol: 0, sourcePort: 0, destinationPort: 0 }
  const flow = fc.constantFrom(any, any, { upperProtocol: protocol, sourcePort, destinationPort })
  const from = fc.constantFrom(source, source, source, unspecified(source.family))
  return fc
    .record({ algorithms, flow, from, spi: fc.integer({ min: 256, max: 0x7fff_ffff }) })
    .map((one) => bareAssociation(one.spi, [one.from, destination], { ...one.algorithms, ...one.flow }))
}

/** Without what is `undefined`: to say nothing and to say "undefined" are not the same in the model. */
function dense<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}
