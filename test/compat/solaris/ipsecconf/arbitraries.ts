/**
 * fast-check arbitraries over the policy model: rules as the parser makes them.
 *
 * @module
 */
import fc from 'fast-check'
import { anyPrefix, type Family, maskPrefix, type Prefix } from '../../../../agent/model/address.ts'
import type {
  Action,
  AddressPair,
  AlgorithmRequirement,
  IcmpRange,
  Rule,
  Selector,
} from '../../../../agent/model/policy.ts'

const UNLIMITED = 65535

function prefix(family: Family): fc.Arbitrary<Prefix> {
  const size = family === 'inet' ? 4 : 16
  return fc
    .record({
      // A first byte other than 0: no v4-mapped address, which the language takes for IPv4.
      first: fc.integer({ min: 1, max: 255 }),
      rest: fc.uint8Array({ minLength: size - 1, maxLength: size - 1 }),
      length: fc.integer({ min: 0, max: 8 * size }),
    })
    .map(({ first, rest, length }) => maskPrefix({ family, bytes: Uint8Array.of(first, ...rest), length }))
}

const pair: fc.Arbitrary<AddressPair> = fc.constantFrom<Family>('inet', 'inet6').chain((family) => {
  const end = fc.oneof(prefix(family), fc.constant(anyPrefix(family)))
  return fc.oneof(
    fc.constant({}),
    end.map((local) => ({ local })),
    end.map((remote) => ({ remote })),
    fc.record({ local: end, remote: end }),
  )
})

/** A range of ICMP types or codes, other than "any". */
const icmpRange: fc.Arbitrary<IcmpRange> = fc
  .tuple(fc.integer({ min: 0, max: 254 }), fc.integer({ min: 0, max: 255 }))
  .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }))
  .filter(({ from, to }) => from < 255 && !(from === 0 && to === 255))

const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined })

/** Drops what is `undefined`: an absent field and an undefined one are not the same to a deep comparison. */
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}

type Upper = Omit<Selector, 'pairs'>
const upper: fc.Arbitrary<Upper> = fc
  .oneof(
    fc.record({ localPort: port, remotePort: port, protocol: fc.constantFrom(undefined, 6, 17, 132) }),
    fc.record({ protocol: fc.integer({ min: 1, max: 255 }) }),
    fc.record({
      protocol: fc.constantFrom(1, 58),
      icmpType: fc.option(icmpRange, { nil: undefined }),
      icmpCode: fc.option(icmpRange, { nil: undefined }),
    }),
  )
  .map((fields) => defined(fields) as Upper)

/** Requirements with the key sizes that the algorithm has, in every form that the language can write. */
function requirement(algorithm: number, sizes: readonly number[]): fc.Arbitrary<AlgorithmRequirement> {
  const size = fc.constantFrom(...sizes)
  return fc.tuple(size, size, fc.constantFrom('none', 'min', 'max', 'both')).map(([a, b, limits]) => ({
    algorithm,
    minBits: limits === 'min' || limits === 'both' ? Math.min(a, b) : 0,
    maxBits: limits === 'max' || limits === 'both' ? Math.max(a, b) : UNLIMITED,
  }))
}

const anyAlgorithm = fc.constant({ algorithm: 0, minBits: 0, maxBits: UNLIMITED })
const nullEncryption = fc.constant({ algorithm: 11, minBits: 0, maxBits: UNLIMITED })
const aes = requirement(12, [128, 192, 256])
const combined = fc.oneof(requirement(20, [128, 192, 256]), requirement(16, [128, 256]))
const auth = fc.oneof(anyAlgorithm, requirement(2, [128]), requirement(5, [256]), requirement(7, [512]))
const cipher = fc.oneof(anyAlgorithm, nullEncryption, aes, requirement(3, [192]))

const esp = fc.oneof(
  cipher.map((encryption) => ({ encryption })),
  combined.map((encryption) => ({ encryption })),
  fc.record({ encryption: cipher, authentication: auth }),
)

function action(unique: fc.Arbitrary<boolean>): fc.Arbitrary<Action> {
  const protection = fc.oneof(
    fc.record({ ah: auth, unique }),
    fc.record({ esp, unique }),
    fc.record({ ah: auth, esp, unique }),
  )
  return fc.oneof(
    { weight: 4, arbitrary: protection.map((protection): Action => ({ kind: 'protect', protection })) },
    { weight: 1, arbitrary: fc.constantFrom<Action>({ kind: 'bypass' }, { kind: 'drop' }) },
  )
}

const place = { text: '', file: 'model', span: { line: 1, column: 1, length: 1 } }
const direction = fc.constantFrom('in', 'out', 'both')
const name = fc.stringMatching(/^[a-z][a-z0-9._/]{0,14}$/)
const actionsOf = (unique: fc.Arbitrary<boolean>): fc.Arbitrary<Action[]> =>
  fc.array(action(unique), { minLength: 1, maxLength: 4 })

const selector: fc.Arbitrary<Selector> = fc
  .tuple(pair, upper)
  .map(([only, fields]) => ({ pairs: [only], ...fields }))

const hostRule = fc
  .record({ selector, direction, actions: actionsOf(fc.boolean()) })
  .map((fields): Rule => ({ ...fields, ...place }))

const tunnelRule = fc
  .record({ selector, direction, actions: actionsOf(fc.constant(false)), name })
  .map(({ name, ...fields }): Rule => ({ ...fields, tunnel: { name, mode: 'tunnel' }, ...place }))

const transportRule = fc.record({ direction, actions: actionsOf(fc.constant(true)), name }).map(
  ({ name, ...fields }): Rule => ({
    selector: { pairs: [{}] },
    ...fields,
    tunnel: { name, mode: 'transport' },
    ...place,
  }),
)

/** A rule with one address pair. */
export const rule: fc.Arbitrary<Rule> = fc.oneof(
  { weight: 3, arbitrary: hostRule },
  { weight: 1, arbitrary: tunnelRule },
  { weight: 1, arbitrary: transportRule },
)

/** Words of the language, and what stands near them: dictionary for fuzzing. */
export const WORDS: readonly string[] = [
  ...'{ } { } { } # \n \r\n \t \\ or apply permit ipsec bypass pass drop saddr src daddr dst smask dmask sport'.split(
    ' ',
  ),
  ...'dport laddr local raddr remote lport rport ulp proto type code dir tunnel negotiate transport'.split(
    ' ',
  ),
  ...'auth_algs encr_algs encr_auth_algs sa shared unique in out both any none aes aes-gcm sha256 12'.split(
    ' ',
  ),
  ...'aes(128..256) aes( (..) aes(0) 10.0.0.1 10.0.0.0/8 ::/0 2001:db8::1/64 ::ffff:1.2.3.4 alpha multi'.split(
    ' ',
  ),
  ...'alpha/24 nowhere 0 22 0x16 65536 -1 icmp ipv6-icmp tcp echo echo6 8-10 8- 255 255.0.255.0 0xff000000'.split(
    ' ',
  ),
  ...'oripsec LADDR constructor __proto__ \ufeff \u0000 \ud800 日本 t0 o }#x {#'.split(' '),
]
