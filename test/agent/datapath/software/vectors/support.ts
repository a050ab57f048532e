/**
 * Reading of the vector files, and the libraries that are held against them.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import type { Backend } from '../../../../../agent/datapath/software/crypto/backend.ts'
import { nodeBackend } from '../../../../../agent/datapath/software/crypto/node.ts'
import { opensslBackend } from '../../../../../agent/datapath/software/crypto/openssl.ts'

/** The sources: the built test lies in `dist/`. */
const HERE = new URL('../../../../../../test/agent/datapath/software/vectors/', import.meta.url)

/** All vectors of a file. Strings of bytes are in hexadecimal. */
export function readVectors<V>(file: string): readonly V[] {
  return JSON.parse(readFileSync(new URL(file, HERE), 'utf8')) as readonly V[]
}

/** Of `macs.json`. */
export interface MacVector {
  readonly source: string
  readonly algorithm: string
  readonly key: string
  readonly data: string
  /** The whole code, or what a standard cuts it to. */
  readonly mac: string
}

/** Of `combined.json`. Lengths of nonce, additional data and tag are not always those of ESP. */
export interface CombinedVector {
  readonly source: string
  readonly cipher: string
  readonly key: string
  readonly nonce: string
  readonly aad: string
  readonly plaintext: string
  readonly ciphertext: string
  readonly tag: string
}

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

const openssl = opensslBackend()

/** Both libraries, or the one that can be reached. */
export const backends: readonly Backend[] = openssl ? [openssl, nodeBackend] : [nodeBackend]

/** What `node:crypto` has only with the legacy provider. */
export function isLegacy(algorithm: string): boolean {
  return /blowfish|cast5/.test(algorithm)
}
