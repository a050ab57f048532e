/**
 * The part of OpenSSL's libcrypto that ciphers and message authentication codes need. It is the library that Node
 * itself is linked with. Pointers are plain numbers: addresses in an {@link Arena}, or what a call returned. 0 is NULL.
 *
 * @module
 */
import { bind } from './ffi.ts'

type Pointer = number

/** Control commands of `openssl/evp.h`. */
export const EVP_CTRL_AEAD_SET_IVLEN = 0x9
export const EVP_CTRL_AEAD_GET_TAG = 0x10
export const EVP_CTRL_AEAD_SET_TAG = 0x11

/** The functions, named as in their manual pages (section 3). */
export interface Libcrypto {
  /** 0 where the library has no cipher of this name. The context must be freed. */
  EVP_CIPHER_fetch(library: Pointer, name: string, properties: null): Pointer
  EVP_CIPHER_CTX_new(): Pointer
  EVP_CIPHER_CTX_free(context: Pointer): void
  EVP_CIPHER_CTX_ctrl(context: Pointer, command: number, argument: number, place: Pointer): number
  EVP_CIPHER_CTX_set_key_length(context: Pointer, bytes: number): number
  EVP_CIPHER_CTX_set_padding(context: Pointer, padding: number): number
  EVP_CipherInit_ex(
    context: Pointer,
    cipher: Pointer,
    engine: Pointer,
    key: Pointer,
    iv: Pointer,
    encrypt: number,
  ): number
  EVP_CipherUpdate(
    context: Pointer,
    out: Pointer,
    outLength: Pointer,
    input: Pointer,
    inputLength: number,
  ): number
  EVP_CipherFinal_ex(context: Pointer, out: Pointer, outLength: Pointer): number
  EVP_MAC_fetch(library: Pointer, name: string, properties: null): Pointer
  EVP_MAC_CTX_new(mac: Pointer): Pointer
  EVP_MAC_CTX_free(context: Pointer): void
  EVP_MAC_init(context: Pointer, key: Pointer, keyLength: number, parameters: Pointer): number
  EVP_MAC_update(context: Pointer, data: Pointer, length: number): number
  EVP_MAC_final(context: Pointer, out: Pointer, outLength: Pointer, outSize: number): number
  OSSL_PROVIDER_load(library: Pointer, name: string): Pointer
  ERR_clear_error(): void
}

const prototypes: Readonly<Record<keyof Libcrypto, string>> = {
  EVP_CIPHER_fetch: 'uintptr_t EVP_CIPHER_fetch(uintptr_t, str, str)',
  EVP_CIPHER_CTX_new: 'uintptr_t EVP_CIPHER_CTX_new()',
  EVP_CIPHER_CTX_free: 'void EVP_CIPHER_CTX_free(uintptr_t)',
  EVP_CIPHER_CTX_ctrl: 'int EVP_CIPHER_CTX_ctrl(uintptr_t, int, int, uintptr_t)',
  EVP_CIPHER_CTX_set_key_length: 'int EVP_CIPHER_CTX_set_key_length(uintptr_t, int)',
  EVP_CIPHER_CTX_set_padding: 'int EVP_CIPHER_CTX_set_padding(uintptr_t, int)',
  EVP_CipherInit_ex: 'int EVP_CipherInit_ex(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, int)',
  EVP_CipherUpdate: 'int EVP_CipherUpdate(uintptr_t, uintptr_t, uintptr_t, uintptr_t, int)',
  EVP_CipherFinal_ex: 'int EVP_CipherFinal_ex(uintptr_t, uintptr_t, uintptr_t)',
  EVP_MAC_fetch: 'uintptr_t EVP_MAC_fetch(uintptr_t, str, str)',
  EVP_MAC_CTX_new: 'uintptr_t EVP_MAC_CTX_new(uintptr_t)',
  EVP_MAC_CTX_free: 'void EVP_MAC_CTX_free(uintptr_t)',
  EVP_MAC_init: 'int EVP_MAC_init(uintptr_t, uintptr_t, size_t, uintptr_t)',
  EVP_MAC_update: 'int EVP_MAC_update(uintptr_t, uintptr_t, size_t)',
  EVP_MAC_final: 'int EVP_MAC_final(uintptr_t, uintptr_t, uintptr_t, size_t)',
  OSSL_PROVIDER_load: 'uintptr_t OSSL_PROVIDER_load(uintptr_t, str)',
  ERR_clear_error: 'void ERR_clear_error()',
}

let library: Libcrypto | 'absent' | undefined

/** libcrypto, or `undefined` where the program does not show the functions of OpenSSL 3. */
export function libcrypto(): Libcrypto | undefined {
  library ??= load() ?? 'absent'
  return library === 'absent' ? undefined : library
}

function load(): Libcrypto | undefined {
  try {
    const entries = Object.entries(prototypes).map(([name, prototype]) => [name, bind(prototype)])
    const loaded = Object.fromEntries(entries) as Libcrypto
    // Naming a provider turns the automatic default off; single DES and Blowfish live in the other one.
    loaded.OSSL_PROVIDER_load(0, 'default')
    loaded.OSSL_PROVIDER_load(0, 'legacy')
    return loaded
  } catch {
    return undefined
  }
}
