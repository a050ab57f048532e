/**
 * Ciphers by `node:crypto`, for programs that do not show OpenSSL's own functions. Several times slower: an object for
 * each packet.
 *
 * @module
 */
import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  getCipherInfo,
} from 'node:crypto'
import type { Arena } from '../../../../netlink/libc/arena.ts'
import type { Aead, AeadSizes, Backend, Cipher, Direction, Mac } from './backend.ts'
import { cmacOver } from './cmac.ts'
import { NONCE, scratch } from './scratch.ts'

export const nodeBackend: Backend = {
  name: 'node',
  cipher: newCipher,
  aead: newAead,
  hmac: newHmac,
  cmac: (cipher, key) => cmacOver(newCipher(cipher, key, 'encrypt')),
}

const nothing = () => {}

function isKnown(name: string, key: Uint8Array): boolean {
  return getCipherInfo(name, { keyLength: key.length }) !== undefined
}

function newCipher(name: string, key: Uint8Array, direction: Direction): Cipher | undefined {
  const info = getCipherInfo(name, { keyLength: key.length })
  if (!info) return undefined
  const { ivLength = 0 } = info
  const secret = createSecretKey(key)
  const create = direction === 'encrypt' ? createCipheriv : createDecipheriv
  try {
    // What needs the legacy provider has information, but cannot be made.
    create(name, secret, new Uint8Array(ivLength))
  } catch {
    return undefined
  }
  return {
    apply: ({ bytes }, at, length) => {
      const iv = scratch().bytes.slice(NONCE, NONCE + ivLength)
      const cipher = create(name, secret, iv).setAutoPadding(false)
      bytes.set(cipher.update(bytes.subarray(at, at + length)), at)
    },
    destroy: nothing,
  }
}

/** Node's types list some names only; all three kinds have the same interface. */
type AeadName = CipherGCMTypes

function newAead(name: string, key: Uint8Array, sizes: AeadSizes): Aead | undefined {
  if (!isKnown(name, key)) return undefined
  const secret = createSecretKey(key)
  const algorithm = name as AeadName
  const options = { authTagLength: sizes.icv }
  const nonce = () => scratch().bytes.slice(NONCE, NONCE + sizes.nonce)
  const aadOf = ({ bytes }: Arena, at: number, length: number) => bytes.subarray(at, at + length)
  return {
    seal: (aad, aadAt, aadLength, { bytes }, at, length) => {
      const cipher = createCipheriv(algorithm, secret, nonce(), options)
      cipher.setAAD(aadOf(aad, aadAt, aadLength), { plaintextLength: length })
      bytes.set(cipher.update(bytes.subarray(at, at + length)), at)
      cipher.final()
      bytes.set(cipher.getAuthTag(), at + length)
    },
    open: (aad, aadAt, aadLength, { bytes }, at, length) => {
      const decipher = createDecipheriv(algorithm, secret, nonce(), options)
      decipher.setAuthTag(bytes.slice(at + length, at + length + sizes.icv))
      decipher.setAAD(aadOf(aad, aadAt, aadLength), { plaintextLength: length })
      try {
        const clear = decipher.update(bytes.subarray(at, at + length))
        decipher.final()
        bytes.set(clear, at)
        return true
      } catch {
        return false
      }
    },
    destroy: nothing,
  }
}

function newHmac(digest: string, key: Uint8Array): Mac | undefined {
  const secret = createSecretKey(key)
  try {
    createHmac(digest, secret)
  } catch {
    return undefined
  }
  return {
    compute: (data, at, length, out, outAt) => {
      const code = createHmac(digest, secret)
        .update(data.bytes.subarray(at, at + length))
        .digest()
      out.bytes.set(code, outAt)
    },
    destroy: nothing,
  }
}
