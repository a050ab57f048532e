/**
 * ESP packets written straight from the standards (RFC 4303, 3602, 3686, 4106, 4309, 4543, 7634), with nothing of the
 * data path's code: what the codec is held against.
 *
 * @module
 */
import { equalBytes } from '@noble/ciphers/utils.js'
import type { AlgorithmAttributes } from '../../../../../agent/datapath/software/crypto/keying.ts'
import { type CombinedName, combinedCipher, type PlainName, plainCipher } from './ciphers.ts'
import { icvOf, type MacSuite } from './macs.ts'

/** A cipher and, unless the SA goes without, an integrity algorithm. */
export interface SeparateSuite {
  readonly kind: 'separate'
  readonly name: PlainName
  readonly key: Uint8Array
  readonly salt: Uint8Array
  readonly mac: MacSuite | undefined
}

export interface CombinedSuite {
  readonly kind: 'combined'
  readonly name: CombinedName
  readonly key: Uint8Array
  readonly salt: Uint8Array
  readonly icvLength: number
}

export type Suite = SeparateSuite | CombinedSuite

/** What an ESP packet says. */
export interface EspPacket {
  readonly spi: number
  /** The whole number, its upper half included. */
  readonly sequence: bigint
  readonly isExtended: boolean
  readonly payload: Uint8Array
  readonly padding: Uint8Array
  readonly nextHeader: number
}

const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

function word(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, Number(BigInt.asUintN(32, BigInt(value))))
  return bytes
}

export function ivLengthOf(suite: Suite): number {
  return suite.kind === 'combined' ? 8 : plainCipher(suite.name).ivLength
}

export function icvLengthOf(suite: Suite): number {
  return suite.kind === 'combined' ? suite.icvLength : (suite.mac?.icvLength ?? 0)
}

/** Data with padding and trailer is a multiple of this. */
export function alignmentOf(suite: Suite): number {
  return suite.kind === 'combined' ? 4 : Math.max(4, plainCipher(suite.name).blockSize)
}

/** The default padding (RFC 4303 section 2.4), and so many more blocks of it. */
export function paddingFor(suite: Suite, payload: number, moreBlocks: number): Uint8Array {
  const alignment = alignmentOf(suite)
  let length = (alignment - ((payload + 2) % alignment)) % alignment
  for (let i = 0; i < moreBlocks && length + alignment <= 255; i++) length += alignment
  return Uint8Array.from({ length }, (_, i) => i + 1)
}

/** What combined modes authenticate beside the data (RFC 4106 section 5). */
function headerOf(spi: Uint8Array, sequence: bigint, isExtended: boolean): Uint8Array {
  return isExtended ? join(spi, word(sequence >> 32n), word(sequence)) : join(spi, word(sequence))
}

/** @param iv as long as {@link ivLengthOf} says */
export function encodeEsp(suite: Suite, packet: EspPacket, iv: Uint8Array): Uint8Array {
  const { sequence, isExtended, payload, padding, nextHeader } = packet
  const spi = word(packet.spi)
  const clear = join(payload, padding, Uint8Array.of(padding.length, nextHeader))
  const { key, salt } = suite
  const front = join(spi, word(sequence), iv)
  if (suite.kind === 'combined') {
    const header = headerOf(spi, sequence, isExtended)
    const sealed = combinedCipher(suite.name).seal({ key, salt, iv }, header, clear, suite.icvLength)
    return join(front, sealed)
  }
  const covered = join(front, plainCipher(suite.name).encrypt({ key, salt, iv }, clear))
  if (!suite.mac) return covered
  return join(covered, icvOf(suite.mac, covered, isExtended ? word(sequence >> 32n) : new Uint8Array(0)))
}

/**
 * @param high the upper half of the sequence number, which is not in the packet; `undefined` without extended ones
 * @returns `undefined` where the ICV is wrong
 */
export function decodeEsp(suite: Suite, bytes: Uint8Array, high: bigint | undefined): EspPacket | undefined {
  const ivEnd = 8 + ivLengthOf(suite)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const sequence = ((high ?? 0n) << 32n) | BigInt(view.getUint32(4))
  const isExtended = high !== undefined
  const clear = decrypt(suite, bytes, ivEnd, sequence, isExtended)
  if (!clear) return undefined
  const [length = 0, nextHeader = 0] = clear.slice(-2)
  const payloadEnd = clear.length - 2 - length
  if (payloadEnd < 0) throw new RangeError('more padding than data')
  const padding = clear.slice(payloadEnd, -2)
  return {
    spi: view.getUint32(0),
    sequence,
    isExtended,
    payload: clear.slice(0, payloadEnd),
    padding,
    nextHeader,
  }
}

function decrypt(suite: Suite, bytes: Uint8Array, ivEnd: number, sequence: bigint, isExtended: boolean) {
  const { key, salt } = suite
  const iv = bytes.slice(8, ivEnd)
  if (suite.kind === 'combined') {
    const header = headerOf(bytes.slice(0, 4), sequence, isExtended)
    return combinedCipher(suite.name).open({ key, salt, iv }, header, bytes.slice(ivEnd), suite.icvLength)
  }
  const covered = bytes.slice(0, bytes.length - icvLengthOf(suite))
  const unsent = isExtended ? word(sequence >> 32n) : new Uint8Array(0)
  if (suite.mac && !equalBytes(icvOf(suite.mac, covered, unsent), bytes.slice(covered.length)))
    return undefined
  return plainCipher(suite.name).decrypt({ key, salt, iv }, covered.slice(ivEnd))
}

/** The same algorithms as XFRM carries them, with copies of the keys. */
export function attributesOf(suite: Suite): AlgorithmAttributes {
  const alg_key = join(suite.key, suite.salt)
  const named = { alg_name: suite.name, alg_key_len: alg_key.length * 8, alg_key }
  if (suite.kind === 'combined') return { alg_aead: { ...named, alg_icv_len: suite.icvLength * 8 } }
  return { alg_crypt: named, ...(suite.mac && macAttributes(suite.mac)) }
}

export function macAttributes({ name, key, icvLength }: MacSuite): AlgorithmAttributes {
  return {
    alg_auth_trunc: {
      alg_name: name,
      alg_key_len: key.length * 8,
      alg_key: key.slice(),
      alg_trunc_len: icvLength * 8,
    },
  }
}
