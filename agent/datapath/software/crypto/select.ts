/**
 * Which library does the cryptography.
 *
 * @module
 */
import type { Backend } from './backend.ts'
import { nodeBackend } from './node.ts'
import { opensslBackend } from './openssl.ts'

let chosen: Backend | undefined

/** OpenSSL's own functions where they can be reached, else `node:crypto`. */
export function cryptoBackend(): Backend {
  chosen ??= opensslBackend() ?? nodeBackend
  return chosen
}
