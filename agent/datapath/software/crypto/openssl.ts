/**
 * Ciphers by libcrypto, with one context for each key: setting a context up costs more than encrypting a packet.
 *
 * @module
 */
import type { Arena } from '../../../../netlink/libc/arena.ts'
import {
  EVP_CTRL_AEAD_GET_TAG,
  EVP_CTRL_AEAD_SET_IVLEN,
  EVP_CTRL_AEAD_SET_TAG,
  type Libcrypto,
  libcrypto,
} from '../../../../netlink/libc/libcrypto.ts'
import type { Aead, AeadSizes, Backend, Cipher, Direction, Mac } from './backend.ts'
import { KEY, LENGTH, NONCE, scratch } from './scratch.ts'

/** Room for a name and its NUL in {@link macParameters}. */
const PARAMETERS = KEY + 1024
const TEXTS = PARAMETERS + 128
const OSSL_PARAM_SIZE = 40
const OSSL_PARAM_UTF8_STRING = 4

/** The backend, or `undefined` where Node's OpenSSL cannot be reached. */
export function opensslBackend(): Backend | undefined {
  const library = libcrypto()
  if (!library) return undefined
  return {
    name: 'openssl',
    cipher: (name, key, direction) => newCipher(library, name, key, direction),
    aead: (name, key, sizes, direction) => newAead(library, name, key, sizes, direction),
    hmac: (digest, key) => newMac(library, 'HMAC', 'digest', digest, key),
    cmac: (cipher, key) => newMac(library, 'CMAC', 'cipher', cipher, key),
  }
}

/** Algorithms by name. They are never freed: there are few. */
const fetched = new Map<string, number>()

function fetch(kind: 'EVP_CIPHER_fetch' | 'EVP_MAC_fetch', library: Libcrypto, name: string): number {
  const key = `${kind} ${name}`
  const known = fetched.get(key)
  if (known !== undefined) return known
  const algorithm = library[kind](0, name, null)
  if (algorithm === 0) library.ERR_clear_error()
  fetched.set(key, algorithm)
  return algorithm
}

/** Runs `use` while the key stands at `KEY`. */
function withKey(key: Uint8Array, use: (address: number) => boolean): boolean {
  const { bytes, address } = scratch()
  try {
    bytes.set(key, KEY)
    return use(address + KEY)
  } finally {
    bytes.fill(0, KEY, KEY + key.length)
  }
}

/** OpenSSL fails here only for want of memory, or where we misuse it. */
function check(library: Libcrypto, result: number): void {
  if (result > 0) return
  library.ERR_clear_error()
  throw new Error('OpenSSL refused an operation on a packet')
}

function newContext(
  library: Libcrypto,
  setUp: (context: number) => boolean,
): { readonly context: number; readonly destroy: () => void } | undefined {
  const context = library.EVP_CIPHER_CTX_new()
  let alive = true
  const destroy = () => {
    if (alive) library.EVP_CIPHER_CTX_free(context)
    alive = false
  }
  if (setUp(context)) return { context, destroy }
  library.ERR_clear_error()
  destroy()
  return undefined
}

function newCipher(
  library: Libcrypto,
  name: string,
  key: Uint8Array,
  direction: Direction,
): Cipher | undefined {
  const algorithm = fetch('EVP_CIPHER_fetch', library, name)
  if (algorithm === 0) return undefined
  const encrypt = direction === 'encrypt' ? 1 : 0
  const made = newContext(library, (context) =>
    withKey(
      key,
      (address) =>
        library.EVP_CipherInit_ex(context, algorithm, 0, 0, 0, encrypt) === 1 &&
        library.EVP_CIPHER_CTX_set_key_length(context, key.length) === 1 &&
        library.EVP_CipherInit_ex(context, 0, 0, address, 0, encrypt) === 1,
    ),
  )
  if (!made) return undefined
  const { context, destroy } = made
  const { address: work } = scratch()
  return {
    apply: (data, at, length) => {
      const place = data.address + at
      check(library, library.EVP_CipherInit_ex(context, 0, 0, 0, work + NONCE, encrypt))
      // An initialization turns padding on again.
      library.EVP_CIPHER_CTX_set_padding(context, 0)
      check(library, library.EVP_CipherUpdate(context, place, work + LENGTH, place, length))
    },
    destroy,
  }
}

function newAead(
  library: Libcrypto,
  name: string,
  key: Uint8Array,
  sizes: AeadSizes,
  direction: Direction,
): Aead | undefined {
  const algorithm = fetch('EVP_CIPHER_fetch', library, name)
  if (algorithm === 0) return undefined
  const isCcm = name.endsWith('-CCM')
  const encrypt = direction === 'encrypt' ? 1 : 0
  const made = newContext(library, (context) =>
    withKey(
      key,
      (address) =>
        library.EVP_CipherInit_ex(context, algorithm, 0, 0, 0, encrypt) === 1 &&
        library.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, sizes.nonce, 0) === 1 &&
        (!isCcm || library.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizes.icv, 0) === 1) &&
        library.EVP_CipherInit_ex(context, 0, 0, address, 0, encrypt) === 1,
    ),
  )
  if (!made) return undefined
  const { context, destroy } = made
  return { ...(isCcm ? ccm(library, context, sizes.icv) : streamed(library, context, sizes.icv)), destroy }
}

/** GCM and ChaCha20-Poly1305. */
function streamed(library: Libcrypto, context: number, icv: number): Pick<Aead, 'seal' | 'open'> {
  const work = scratch().address
  const run = (
    encrypt: number,
    aad: Arena,
    aadAt: number,
    aadLength: number,
    place: number,
    length: number,
  ) => {
    check(library, library.EVP_CipherInit_ex(context, 0, 0, 0, work + NONCE, encrypt))
    check(library, library.EVP_CipherUpdate(context, 0, work + LENGTH, aad.address + aadAt, aadLength))
    if (length === 0) return
    check(library, library.EVP_CipherUpdate(context, place, work + LENGTH, place, length))
  }
  return {
    seal: (aad, aadAt, aadLength, data, at, length) => {
      const place = data.address + at
      run(1, aad, aadAt, aadLength, place, length)
      check(library, library.EVP_CipherFinal_ex(context, place + length, work + LENGTH))
      check(library, library.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, icv, place + length))
    },
    open: (aad, aadAt, aadLength, data, at, length) => {
      const place = data.address + at
      run(0, aad, aadAt, aadLength, place, length)
      check(library, library.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, icv, place + length))
      if (library.EVP_CipherFinal_ex(context, place + length, work + LENGTH) > 0) return true
      library.ERR_clear_error()
      return false
    },
  }
}

/** CCM wants to know the length before the data, and the ICV before it decrypts. */
function ccm(library: Libcrypto, context: number, icv: number): Pick<Aead, 'seal' | 'open'> {
  const work = scratch().address
  const begin = (encrypt: number, aad: Arena, aadAt: number, aadLength: number, length: number) => {
    check(library, library.EVP_CipherInit_ex(context, 0, 0, 0, work + NONCE, encrypt))
    check(library, library.EVP_CipherUpdate(context, 0, work + LENGTH, 0, length))
    check(library, library.EVP_CipherUpdate(context, 0, work + LENGTH, aad.address + aadAt, aadLength))
  }
  return {
    seal: (aad, aadAt, aadLength, data, at, length) => {
      const place = data.address + at
      begin(1, aad, aadAt, aadLength, length)
      check(library, library.EVP_CipherUpdate(context, place, work + LENGTH, place, length))
      check(library, library.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, icv, place + length))
    },
    open: (aad, aadAt, aadLength, data, at, length) => {
      const place = data.address + at
      check(library, library.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, icv, place + length))
      begin(0, aad, aadAt, aadLength, length)
      if (library.EVP_CipherUpdate(context, place, work + LENGTH, place, length) > 0) return true
      library.ERR_clear_error()
      return false
    },
  }
}

function newMac(
  library: Libcrypto,
  kind: 'HMAC' | 'CMAC',
  parameter: 'digest' | 'cipher',
  algorithm: string,
  key: Uint8Array,
): Mac | undefined {
  const mac = fetch('EVP_MAC_fetch', library, kind)
  if (mac === 0) return undefined
  const context = library.EVP_MAC_CTX_new(mac)
  const parameters = macParameters(parameter, algorithm)
  const isKeyed = withKey(
    key,
    (address) => library.EVP_MAC_init(context, address, key.length, parameters) === 1,
  )
  if (!isKeyed) {
    library.ERR_clear_error()
    library.EVP_MAC_CTX_free(context)
    return undefined
  }
  const work = scratch().address
  let alive = true
  return {
    compute: (data, at, length, out, outAt) => {
      check(library, library.EVP_MAC_init(context, 0, 0, 0))
      check(library, library.EVP_MAC_update(context, data.address + at, length))
      check(library, library.EVP_MAC_final(context, out.address + outAt, work + LENGTH, 64))
    },
    destroy: () => {
      if (alive) library.EVP_MAC_CTX_free(context)
      alive = false
    },
  }
}

/**
 * An array of one `OSSL_PARAM` (OSSL_PARAM(3)) of type UTF-8 string and its end, in the working memory.
 *
 * @returns its address
 */
function macParameters(name: string, value: string): number {
  const { bytes, view, address } = scratch()
  const text = new TextEncoder()
  bytes.fill(0, PARAMETERS, TEXTS + 128)
  bytes.set(text.encode(name), TEXTS)
  bytes.set(text.encode(value), TEXTS + 64)
  view.setBigUint64(PARAMETERS, BigInt(address + TEXTS), true)
  view.setUint32(PARAMETERS + 8, OSSL_PARAM_UTF8_STRING, true)
  view.setBigUint64(PARAMETERS + 16, BigInt(address + TEXTS + 64), true)
  view.setBigUint64(PARAMETERS + 24, BigInt(value.length), true)
  view.setBigUint64(PARAMETERS + OSSL_PARAM_SIZE - 8, 0n, true)
  return address + PARAMETERS
}
