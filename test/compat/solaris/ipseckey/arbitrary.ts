/** Arbitrary SAs of every kind that the language can write. */
import fc from 'fast-check'
import type { Address, Family, Prefix } from '../../../../agent/model/address.ts'
import type { Algorithm } from '../../../../agent/model/algorithm.ts'
import { FLAG_COMBINED, FLAG_COUNTER, PROTOCOL_AH, PROTOCOL_ESP } from '../../../../agent/model/algorithm.ts'
import type { Lifetime, SecurityAssociation } from '../../../../agent/model/association.ts'
import { ALGORITHM_NULL } from '../../../../agent/model/default-algorithms.ts'
import { allKeyBits } from '../../../../agent/model/key-sizes.ts'
import { Secret } from '../../../../agent/model/secret.ts'
import { isWeakDesKey, setOddParity } from '../../../../compat/solaris/ipseckey/des.ts'
import { algorithms } from './support.ts'

const authentications = algorithms.algorithms.filter(({ protocol }) => protocol === PROTOCOL_AH)
const ciphers = algorithms.algorithms.filter(
  ({ protocol, number }) => protocol === PROTOCOL_ESP && number !== ALGORITHM_NULL,
)

/** Plain objects, as the parser makes them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T, keyof T>(model, { noNullPrototype: true }) as fc.Arbitrary<T>
}

const family = fc.constantFrom<Family>('inet', 'inet6')

/** A unicast address: in the first byte neither 0 nor multicast, so that it is not v4-mapped either. */
function unicast(of: Family): fc.Arbitrary<Address> {
  const length = of === 'inet' ? 4 : 16
  return fc
    .tuple(fc.integer({ min: 1, max: 223 }), fc.uint8Array({ minLength: length - 1, maxLength: length - 1 }))
    .map(([first, rest]) => ({ family: of, bytes: Uint8Array.of(first, ...rest) }))
}

function prefix(of: Family): fc.Arbitrary<Prefix> {
  const any = { family: of, bytes: new Uint8Array(of === 'inet' ? 4 : 16), length: 0 }
  const some = fc
    .tuple(unicast(of), fc.integer({ min: 0, max: of === 'inet' ? 32 : 128 }))
    .map(([address, length]) => ({ ...address, length }))
  return fc.oneof({ weight: 1, arbitrary: fc.constant(any) }, { weight: 4, arbitrary: some })
}

function key(bits: number, cipher?: Algorithm): fc.Arbitrary<Secret> {
  return fc
    .uint8Array({ minLength: bits / 8, maxLength: bits / 8 })
    .map((bytes) => {
      if (cipher?.number === 2 || cipher?.number === 3) setOddParity(bytes)
      return bytes
    })
    .filter((bytes) => !((cipher?.number === 2 || cipher?.number === 3) && isWeakDesKey(bytes)))
    .map((bytes) => new Secret(bytes))
}

type Cryptography = Pick<
  SecurityAssociation,
  'protocol' | 'authAlgorithm' | 'authKey' | 'encrAlgorithm' | 'encrKey' | 'saltBits'
>

function authentication(): fc.Arbitrary<Pick<Cryptography, 'authAlgorithm'> & { authKey: Secret }> {
  return fc
    .constantFrom(...authentications)
    .chain((algorithm) =>
      fc
        .constantFrom(...allKeyBits(algorithm.keySizes))
        .chain((bits) => key(bits).map((authKey) => ({ authAlgorithm: algorithm.number, authKey }))),
    )
}

type Encryption = Pick<Cryptography, 'encrAlgorithm' | 'saltBits'> & { encrKey: Secret; flags: number }

function encryption(): fc.Arbitrary<Encryption> {
  return fc.constantFrom(...ciphers).chain((cipher) => {
    const saltBits = (cipher.parameters?.salt ?? 0) * 8
    const { number: encrAlgorithm, flags } = cipher
    return fc
      .constantFrom(...allKeyBits(cipher.keySizes))
      .chain((bits) => key(bits + saltBits, cipher))
      .map((encrKey) => ({ encrAlgorithm, encrKey, saltBits, flags }))
  })
}

const cryptography: fc.Arbitrary<Cryptography> = fc.oneof(
  authentication().map((auth) => ({ protocol: 'ah' as const, ...auth, encrAlgorithm: 0, saltBits: 0 })),
  authentication().map((auth) => ({
    protocol: 'esp' as const,
    ...auth,
    encrAlgorithm: ALGORITHM_NULL,
    saltBits: 0,
  })),
  fc.tuple(encryption(), authentication(), fc.boolean()).map(([{ flags, ...encr }, auth, both]) => {
    const alone = (flags & FLAG_COMBINED) !== 0 || (!both && (flags & FLAG_COUNTER) === 0)
    return { protocol: 'esp' as const, ...encr, ...(alone ? { authAlgorithm: 0 } : auth) }
  }),
)

const limit = fc.oneof(fc.constant(0n), fc.bigInt(0n, 2n ** 64n - 1n))
const smallLimit = fc.oneof(fc.constant(0n), fc.bigInt(0n, 2n ** 32n - 1n))

const limits: fc.Arbitrary<Lifetime> = record({
  allocations: smallLimit,
  bytes: limit,
  addTime: limit,
  useTime: limit,
})

/** Soft limits moved below the hard ones where they are not. */
function belowHard(soft: Lifetime, hard: Lifetime): Lifetime {
  const below = (name: keyof Lifetime) => (hard[name] && soft[name] > hard[name] ? hard[name] : soft[name])
  return {
    allocations: below('allocations'),
    bytes: below('bytes'),
    addTime: below('addTime'),
    useTime: below('useTime'),
  }
}

const port = fc.integer({ min: 0, max: 65535 })

interface Traffic {
  readonly upperProtocol: number
  readonly sourcePort: number
  readonly destinationPort: number
}

const traffic: fc.Arbitrary<Traffic> = fc.oneof(
  record({
    upperProtocol: fc.constantFrom(0, 6, 17, 132),
    sourcePort: port,
    destinationPort: port,
  }),
  fc
    .integer({ min: 0, max: 255 })
    .map((upperProtocol) => ({ upperProtocol, sourcePort: 0, destinationPort: 0 })),
)

const inner = family.chain((of) =>
  record({ source: prefix(of), destination: prefix(of), traffic }).map(
    ({ source, destination, traffic: { upperProtocol, sourcePort, destinationPort } }) => ({
      source,
      destination,
      sourcePort,
      destinationPort,
      protocol: upperProtocol,
    }),
  ),
)

/** Values that the language can write: no newline, and a quote only where there is no blank and not in front. */
const identity = record({
  type: fc.integer({ min: 1, max: 65535 }),
  value: fc.oneof(
    fc.stringMatching(/^[ -~]{1,20}$/).filter((value) => !value.includes('"')),
    fc.stringMatching(/^[!#-~][!-~]{0,20}$/),
    fc.constantFrom('a b\\', 'x"y\\', '# no comment', 'ünï cödé', "it's", 'add esp spi 1'),
  ),
})

function encapsulation(of: Family) {
  const natPort = fc.integer({ min: 1, max: 65535 })
  return record({
    local: fc.option(unicast(of)),
    remote: unicast(of),
    localPort: natPort,
    remotePort: natPort,
  }).map(({ local, ...rest }) => (local ? { local, ...rest } : rest))
}

function maybe<K extends string, T>(name: K, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<{ [P in K]?: T }> {
  const given = arbitrary.map((value) => ({ [name]: value }) as { [P in K]: T })
  return fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: given })
}

/** An SA without a pair. */
export const association: fc.Arbitrary<SecurityAssociation> = fc
  .tuple(cryptography, family)
  .chain(([crypto, of]) =>
    fc
      .tuple(
        record({
          spi: fc.integer({ min: 256, max: 0xffffffff }),
          source: fc.oneof(
            fc.constant<Address>({ family: of, bytes: new Uint8Array(of === 'inet' ? 4 : 16) }),
            unicast(of),
          ),
          destination: unicast(of),
          soft: limits,
          hard: limits,
          idle: record({ addTime: limit, useTime: limit }),
          replayWindow: fc.integer({ min: 0, max: 4096 }),
          replayValue: limit,
        }),
        traffic,
        maybe('inner', inner),
        maybe('direction', fc.constantFrom('in' as const, 'out' as const)),
        maybe('encapsulation', crypto.protocol === 'ah' ? fc.constant(undefined) : encapsulation(of)),
        maybe('sourceIdentity', identity),
        maybe('destinationIdentity', identity),
      )
      .map(([base, outer, tunnel, direction, nat, ...identities]): SecurityAssociation => {
        const ports = tunnel.inner ? { upperProtocol: 0, sourcePort: 0, destinationPort: 0 } : outer
        const soft = belowHard(base.soft, base.hard)
        const udp = nat.encapsulation ? { encapsulation: nat.encapsulation } : {}
        return {
          ...crypto,
          ...base,
          soft,
          ...ports,
          ...tunnel,
          ...direction,
          ...udp,
          ...identities[0],
          ...identities[1],
        }
      }),
  )

/** SAs with distinct SPIs, some of them in pairs. */
export const associations: fc.Arbitrary<SecurityAssociation[]> = fc
  .uniqueArray(fc.tuple(association, fc.boolean()), { selector: ([sa]) => sa.spi >>> 1, maxLength: 6 })
  .map((list) =>
    list.flatMap(([sa, paired]) => {
      if (!paired || sa.source.bytes.every((byte) => byte === 0)) return [sa]
      const spi = sa.spi ^ 1
      const other = { ...sa, spi: spi >>> 0, source: sa.destination, destination: sa.source, pairSpi: sa.spi }
      return [{ ...sa, pairSpi: other.spi }, other]
    }),
  )
