/**
 * Security associations for tests, as a key file has them and as tshark takes them.
 *
 * @module
 */
import { createHash } from 'node:crypto'

export interface Cipher {
  /** As ipsecalgs(8) names it. */
  readonly name: string
  readonly bits: number
  /** At the end of the key, not counted in `bits`. */
  readonly salt?: number
}

export interface Integrity {
  readonly name: string
  readonly bits: number
}

/** What an SA does to a packet. */
export interface Transform {
  readonly protocol: 'esp' | 'ah'
  readonly cipher?: Cipher
  readonly integrity?: Integrity
}

/** One SA: what its line in a key file says. */
export interface TestSa extends Transform {
  readonly spi: number
  readonly source: string
  readonly destination: string
  /** Present = tunnel mode: the packets inside. */
  readonly inner?: { readonly source: string; readonly destination: string }
  /** Further words of the line. */
  readonly more?: string
}

/** Bytes that only depend on the SA: both ends, and whoever reads the capture, know them. */
export function keyOf(spi: number, purpose: 'cipher' | 'integrity', bits: number): Buffer {
  const blocks = [0, 1].map((n) => createHash('sha512').update(`${spi} ${purpose} ${n}`).digest())
  return Buffer.concat(blocks).subarray(0, bits / 8)
}

/** The SA and its reverse, with the following SPI. */
export function pairOf(sa: TestSa): [TestSa, TestSa] {
  const { inner } = sa
  const turned = inner && { inner: { source: inner.destination, destination: inner.source } }
  return [sa, { ...sa, spi: sa.spi + 1, source: sa.destination, destination: sa.source, ...turned }]
}

/** Lines of a key file. */
export function keyFile(sas: readonly TestSa[]): string {
  return sas.map((sa) => `${lineOf(sa)}\n`).join('')
}

function lineOf({ spi, protocol, source, destination, cipher, integrity, inner, more = '' }: TestSa): string {
  const encryption = cipher && cipher.bits > 0 ? cipherWords(spi, cipher) : ''
  const authentication = integrity
    ? `auth_alg ${integrity.name} authkey ${keyOf(spi, 'integrity', integrity.bits).toString('hex')}`
    : ''
  const tunnel = inner ? `isrc ${inner.source} idst ${inner.destination}` : ''
  const words = `${tunnel} ${encryption} ${authentication} ${more}`
  return `add ${protocol} spi ${spi} src ${source} dst ${destination} ${words}`
}

function cipherWords(spi: number, { name, bits, salt = 0 }: Cipher): string {
  const reserved = salt > 0 ? `reserved_bits ${salt} ` : ''
  return `encr_alg ${name} ${reserved}encrkey ${keyOf(spi, 'cipher', bits + salt).toString('hex')}`
}

/** AES in CBC mode with HMAC-SHA-256: what most tests are content with. */
export const AES_SHA256 = {
  protocol: 'esp',
  cipher: { name: 'aes', bits: 128 },
  integrity: { name: 'sha256', bits: 256 },
} as const

/** AES in GCM, with its salt and an ICV of 16 bytes. */
export const AES_GCM = { protocol: 'esp', cipher: { name: 'aes-gcm', bits: 128, salt: 32 } } as const

/** AH with HMAC-SHA-256. */
export const AH_SHA256 = { protocol: 'ah', integrity: { name: 'sha256', bits: 256 } } as const
