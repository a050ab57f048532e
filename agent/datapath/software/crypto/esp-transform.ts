/**
 * What ESP does to the bytes of one packet, for each kind of algorithm: encryption and integrity, both at once (RFC
 * 4303 section 3.2.3) or one after the other.
 *
 * ```
 *   espAt                 dataAt                            icvAt
 *   ├ SPI ┬ sequence ┬ IV ┼ data, padding, length, next hdr ┼ ICV ┤
 * ```
 *
 * @module
 */
import type { Arena } from '../../../../netlink/libc/arena.ts'
import { ESP_HEADER_LENGTH } from '../../../packet/protocols.ts'
import type { AeadAlgorithm, CipherAlgorithm } from './algorithms.ts'
import type { Aead, Cipher, Mac } from './backend.ts'
import { sameIcv } from './icv.ts'
import { COMPUTED_ICV, COPY, COPY_SIZE, HEADER, NONCE, RECEIVED_ICV, scratch } from './scratch.ts'

/** `sequenceHigh` of an SA without extended sequence numbers. */
export const NOT_EXTENDED = -1

/** Both directions of one SA's algorithms; an SA uses one of them. */
export interface EspTransform {
  readonly ivLength: number
  readonly icvLength: number
  /** The data, padding and trailer included, is a multiple of this, and of 4. */
  readonly blockSize: number
  /**
   * Encrypts in place and writes the ICV. The IV's place must hold a number that this key has never seen.
   *
   * @param sequenceHigh upper half of an extended sequence number, or {@link NOT_EXTENDED}
   */
  seal(packet: Arena, espAt: number, icvAt: number, sequenceHigh: number): void
  /** Decrypts in place. False where the ICV is wrong; nothing may be believed then. */
  open(packet: Arena, espAt: number, icvAt: number, sequenceHigh: number): boolean
  /** Forgets the keys. */
  destroy(): void
}

/** ESP with a combined-mode cipher (RFC 4106, 4309, 7634), or with GMAC (RFC 4543). */
export function combined(
  algorithm: AeadAlgorithm,
  aead: Aead,
  salt: Uint8Array,
  icvLength: number,
): EspTransform {
  const ivLength = 8
  const run = algorithm.isGmac ? gmac(aead) : encrypting(aead, ivLength)
  const work = scratch().bytes
  const useNonce = (packet: Arena, espAt: number) => {
    for (let i = 0; i < salt.length; i++) work[NONCE + i] = salt[i] ?? 0
    copy(packet.bytes, espAt + ESP_HEADER_LENGTH, work, NONCE + salt.length, ivLength)
  }
  return {
    ivLength,
    icvLength,
    blockSize: 1,
    seal: (packet, espAt, icvAt, sequenceHigh) => {
      useNonce(packet, espAt)
      run.seal(packet, espAt, icvAt, sequenceHigh)
    },
    open: (packet, espAt, icvAt, sequenceHigh) => {
      useNonce(packet, espAt)
      return run.open(packet, espAt, icvAt, sequenceHigh)
    },
    destroy: () => {
      aead.destroy()
      salt.fill(0)
    },
  }
}

type Run = Pick<EspTransform, 'seal' | 'open'>

function encrypting(aead: Aead, ivLength: number): Run {
  const work = scratch()
  return {
    seal: (packet, espAt, icvAt, sequenceHigh) => {
      const dataAt = espAt + ESP_HEADER_LENGTH + ivLength
      if (sequenceHigh === NOT_EXTENDED) aead.seal(packet, espAt, 8, packet, dataAt, icvAt - dataAt)
      else {
        writeExtendedHeader(packet, espAt, sequenceHigh, work, HEADER)
        aead.seal(work, HEADER, 12, packet, dataAt, icvAt - dataAt)
      }
    },
    open: (packet, espAt, icvAt, sequenceHigh) => {
      const dataAt = espAt + ESP_HEADER_LENGTH + ivLength
      if (sequenceHigh === NOT_EXTENDED) return aead.open(packet, espAt, 8, packet, dataAt, icvAt - dataAt)
      writeExtendedHeader(packet, espAt, sequenceHigh, work, HEADER)
      return aead.open(work, HEADER, 12, packet, dataAt, icvAt - dataAt)
    },
  }
}

/** Everything is additional data. With extended sequence numbers it does not stand in the packet in one piece. */
function gmac(aead: Aead): Run {
  const work = scratch()
  const whole = (packet: Arena, espAt: number, icvAt: number, sequenceHigh: number): number => {
    if (icvAt - espAt + 4 > COPY_SIZE) throw new RangeError('a packet longer than any')
    writeExtendedHeader(packet, espAt, sequenceHigh, work, COPY)
    work.bytes.set(packet.bytes.subarray(espAt + ESP_HEADER_LENGTH, icvAt), COPY + 12)
    return icvAt - espAt + 4
  }
  return {
    seal: (packet, espAt, icvAt, sequenceHigh) => {
      if (sequenceHigh === NOT_EXTENDED) aead.seal(packet, espAt, icvAt - espAt, packet, icvAt, 0)
      else aead.seal(work, COPY, whole(packet, espAt, icvAt, sequenceHigh), packet, icvAt, 0)
    },
    open: (packet, espAt, icvAt, sequenceHigh) => {
      if (sequenceHigh === NOT_EXTENDED) return aead.open(packet, espAt, icvAt - espAt, packet, icvAt, 0)
      return aead.open(work, COPY, whole(packet, espAt, icvAt, sequenceHigh), packet, icvAt, 0)
    },
  }
}

/** SPI, upper and lower half of the sequence number: the additional data of RFC 4106 section 5. */
function writeExtendedHeader(packet: Arena, espAt: number, high: number, to: Arena, at: number): void {
  copy(packet.bytes, espAt, to.bytes, at, 4)
  to.view.setUint32(at + 4, high)
  copy(packet.bytes, espAt + 4, to.bytes, at + 8, 4)
}

/** A keyed cipher with what its algorithm says of it. */
export interface KeyedCipher {
  readonly algorithm: CipherAlgorithm
  readonly cipher: Cipher
  /** The nonce of counter mode (RFC 3686). */
  readonly salt: Uint8Array
}

/** A keyed code, cut to `icvLength` bytes. */
export interface KeyedMac {
  readonly mac: Mac
  readonly icvLength: number
}

/** ESP with a cipher and, unless the SA goes without integrity, a code over the ciphertext. */
export function separate(keyed: KeyedCipher, integrity: KeyedMac | undefined): EspTransform {
  const { algorithm, cipher, salt } = keyed
  const { ivLength, blockSize } = algorithm
  const icvLength = integrity?.icvLength ?? 0
  const encrypt = encryptions[algorithm.mode](keyed)
  const decrypt = decryptions[algorithm.mode](keyed)
  return {
    ivLength,
    icvLength,
    blockSize,
    seal: (packet, espAt, icvAt, sequenceHigh) => {
      encrypt(packet, espAt + ESP_HEADER_LENGTH, icvAt)
      if (integrity) writeIcv(integrity, packet, espAt, icvAt, sequenceHigh)
    },
    open: (packet, espAt, icvAt, sequenceHigh) => {
      if (integrity && !checkIcv(integrity, packet, espAt, icvAt, sequenceHigh)) return false
      decrypt(packet, espAt + ESP_HEADER_LENGTH, icvAt)
      return true
    },
    destroy: () => {
      cipher.destroy()
      integrity?.mac.destroy()
      salt.fill(0)
    },
  }
}

type Work = (packet: Arena, ivAt: number, icvAt: number) => void
type Maker = (keyed: KeyedCipher) => Work

/**
 * The counter in the place of the IV is encrypted as the first block, from a zero vector: what comes out is the IV that
 * the receiver sees. It is different for each counter, and nobody without the key can tell it beforehand (NIST SP
 * 800-38A, appendix C).
 */
const encryptCbc: Maker = ({ cipher, algorithm }) => {
  const work = scratch().bytes
  return (packet, ivAt, icvAt) => {
    work.fill(0, NONCE, NONCE + algorithm.ivLength)
    cipher.apply(packet, ivAt, icvAt - ivAt)
  }
}

const decryptCbc: Maker = ({ cipher, algorithm: { ivLength } }) => {
  const work = scratch().bytes
  return (packet, ivAt, icvAt) => {
    copy(packet.bytes, ivAt, work, NONCE, ivLength)
    cipher.apply(packet, ivAt + ivLength, icvAt - ivAt - ivLength)
  }
}

/** Nonce, IV and a block counter from 1 on (RFC 3686 section 4). */
const applyCtr: Maker = ({ cipher, salt, algorithm: { ivLength } }) => {
  const { bytes: work, view } = scratch()
  return (packet, ivAt, icvAt) => {
    copy(salt, 0, work, NONCE, salt.length)
    copy(packet.bytes, ivAt, work, NONCE + salt.length, ivLength)
    view.setUint32(NONCE + salt.length + ivLength, 1)
    cipher.apply(packet, ivAt + ivLength, icvAt - ivAt - ivLength)
  }
}

const doNothing: Maker = () => () => {}

const encryptions = { cbc: encryptCbc, ctr: applyCtr, null: doNothing }
const decryptions = { cbc: decryptCbc, ctr: applyCtr, null: doNothing }

/** The upper half of an extended number is covered by the ICV, but not sent: it stands where the ICV will. */
function writeIcv(
  { mac, icvLength }: KeyedMac,
  packet: Arena,
  espAt: number,
  icvAt: number,
  high: number,
): void {
  const work = scratch()
  if (high !== NOT_EXTENDED) packet.view.setUint32(icvAt, high)
  mac.compute(packet, espAt, icvAt - espAt + (high === NOT_EXTENDED ? 0 : 4), work, COMPUTED_ICV)
  copy(work.bytes, COMPUTED_ICV, packet.bytes, icvAt, icvLength)
}

function checkIcv(
  { mac, icvLength }: KeyedMac,
  packet: Arena,
  espAt: number,
  icvAt: number,
  high: number,
): boolean {
  const work = scratch()
  copy(packet.bytes, icvAt, work.bytes, RECEIVED_ICV, icvLength)
  if (high !== NOT_EXTENDED) packet.view.setUint32(icvAt, high)
  mac.compute(packet, espAt, icvAt - espAt + (high === NOT_EXTENDED ? 0 : 4), work, COMPUTED_ICV)
  copy(work.bytes, RECEIVED_ICV, packet.bytes, icvAt, icvLength)
  return sameIcv(work.bytes, COMPUTED_ICV, work.bytes, RECEIVED_ICV, icvLength)
}

/** For some ten bytes a loop is faster than `set`, which needs an object for the source. */
function copy(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, length: number): void {
  for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i] ?? 0
}
