/**
 * Random keys for every algorithm, random sequence numbers, and the SAs that go with them.
 *
 * @module
 */
import fc from 'fast-check'
import type { Backend } from '../../../../../agent/datapath/software/crypto/backend.ts'
import type { AlgorithmAttributes } from '../../../../../agent/datapath/software/crypto/keying.ts'
import { State } from '../../../../../agent/datapath/software/state/state.ts'
import { family as af, proto, stateFlag } from '../../../../../netlink/xfrm/constants.ts'
import { defaultState } from '../../../../../netlink/xfrm/defaults.ts'
import { surroundings } from '../surroundings.ts'
import { type CombinedName, combinedCipher, type PlainName, plainCipher } from './ciphers.ts'
import type { Suite } from './esp.ts'
import { type MacShape, type MacSuite, macShapes } from './macs.ts'

/** A combination of algorithms with its lengths of keys; only the keys are missing. */
export interface Shape {
  readonly title: string
  readonly suite: fc.Arbitrary<Suite>
}

export const bytesOfLength = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

export function macOf(shape: MacShape): fc.Arbitrary<MacSuite> {
  return bytesOfLength(shape.keyLength).map((key) => ({ ...shape, key }))
}

function separate(name: PlainName, keyLength: number, shape: MacShape | undefined): Shape {
  const mac: fc.Arbitrary<MacSuite | undefined> = shape ? macOf(shape) : fc.constant(undefined)
  const { saltLength } = plainCipher(name)
  const suite = fc.record({
    kind: fc.constant('separate' as const),
    name: fc.constant(name),
    key: bytesOfLength(keyLength),
    salt: bytesOfLength(saltLength),
    mac,
  })
  const integrity = shape ? `${shape.name} ${shape.icvLength * 8}` : 'no integrity'
  return { title: `${name} ${keyLength * 8}, ${integrity}`, suite }
}

function combined(name: CombinedName, keyLength: number, icvLength: number): Shape {
  const { saltLength } = combinedCipher(name)
  const suite = fc.record({
    kind: fc.constant('combined' as const),
    name: fc.constant(name),
    key: bytesOfLength(keyLength),
    salt: bytesOfLength(saltLength),
    icvLength: fc.constant(icvLength),
  })
  return { title: `${name} ${keyLength * 8}, ICV ${icvLength * 8}`, suite }
}

const sha256: MacShape = { name: 'hmac(sha256)', keyLength: 32, icvLength: 16 }
const AES_KEYS = [16, 24, 32]

/** Every combined mode with all its lengths, every cipher, and every integrity algorithm. */
export const espShapes: readonly Shape[] = [
  ...AES_KEYS.flatMap((key) => [
    ...[8, 12, 16].flatMap((icv) => [
      combined('rfc4106(gcm(aes))', key, icv),
      combined('rfc4309(ccm(aes))', key, icv),
    ]),
    combined('rfc4543(gcm(aes))', key, 16),
    separate('cbc(aes)', key, sha256),
    separate('rfc3686(ctr(aes))', key, sha256),
    separate('cbc(camellia)', key, sha256),
  ]),
  combined('rfc7539esp(chacha20,poly1305)', 32, 16),
  separate('cbc(des)', 8, sha256),
  separate('cbc(des3_ede)', 24, sha256),
  separate('cbc(aes)', 16, undefined),
  ...macShapes.map((shape) => separate('ecb(cipher_null)', 0, shape)),
  ...macShapes.map((shape) => separate('cbc(aes)', 16, shape)),
]

const TWO_32 = 2 ** 32
/** What an SA counts up to. */
const LAST_EXTENDED = Number.MAX_SAFE_INTEGER
export const WINDOW = 64

/** A number to send, and the highest that the receiver has seen: up to a window after it, or some before. */
export interface Numbers {
  readonly isExtended: boolean
  readonly sequence: number
  readonly seen: number
}

const nearHalf = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 21 - 1 }), fc.integer({ min: -40, max: 40 }))
  .map(([half, distance]) => half * TWO_32 + distance)

export const anyNumbers: fc.Arbitrary<Numbers> = fc
  .record({
    extended: fc.option(fc.oneof(fc.integer({ min: 1, max: LAST_EXTENDED }), nearHalf), { nil: undefined }),
    plain: fc.oneof(fc.integer({ min: 1, max: TWO_32 - 1 }), fc.integer({ min: 1, max: 100 })),
    ahead: fc.integer({ min: 1 - WINDOW, max: 2000 }),
  })
  .map(({ extended, plain, ahead }) => {
    const sequence = extended ?? plain
    const last = extended === undefined ? TWO_32 - 1 : LAST_EXTENDED
    const seen = Math.min(last, Math.max(0, sequence - ahead))
    return { isExtended: extended !== undefined, sequence, seen }
  })

/** The two ends of an SA that stand before this number. Its SPI is `spi`. */
export function ends(
  protocol: 'esp' | 'ah',
  spi: number,
  attributes: () => AlgorithmAttributes,
  { isExtended, sequence, seen }: Numbers,
  backend: Backend,
  version: 4 | 6 = 4,
  moreFlags = 0,
): { sender: State; receiver: State; close: () => void } {
  const of = version === 4 ? af.INET : af.INET6
  const body = defaultState(of)
  const flags = (isExtended ? stateFlag.ESN : 0) | moreFlags
  const id = { ...body.id, spi, proto: protocol === 'esp' ? proto.ESP : proto.AH }
  const sent = sequence - 1
  const make = () =>
    new State(
      {
        body: { ...body, id, flags },
        attributes: {
          ...attributes(),
          replay_esn_val: {
            bmp_len: WINDOW / 32,
            oseq: sent % TWO_32,
            oseq_hi: Math.floor(sent / TWO_32),
            seq: seen % TWO_32,
            seq_hi: Math.floor(seen / TWO_32),
            replay_window: WINDOW,
            bmp: [],
          },
        },
      },
      { ...surroundings(), backend },
    )
  const sender = make()
  const receiver = make()
  const close = () => {
    sender.destroy()
    receiver.destroy()
  }
  return { sender, receiver, close }
}
