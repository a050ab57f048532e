/** Published vectors: each library and each algorithm gives what the standards print. */
import t from 'tap'
import { cipherAlgorithm, macAlgorithm } from '../../../../../agent/datapath/software/crypto/algorithms.ts'
import type { AeadSizes } from '../../../../../agent/datapath/software/crypto/backend.ts'
import { NONCE, scratch } from '../../../../../agent/datapath/software/crypto/scratch.ts'
import { allocateArena } from '../../../../../netlink/libc/arena.ts'
import {
  backends,
  bytesOf,
  type CombinedVector,
  hexOf,
  isLegacy,
  type MacVector,
  readVectors,
} from './support.ts'

interface CipherVector {
  readonly source: string
  readonly algorithm: string
  readonly key: string
  readonly salt?: string
  readonly iv: string
  readonly plaintext: string
  readonly ciphertext: string
}

const arena = allocateArena(4096)
const AAD = 2048

for (const backend of backends) {
  for (const { source, algorithm, key, data, mac } of readVectors<MacVector>('macs.json')) {
    t.test(`${backend.name}: ${algorithm}, ${source}`, async (t) => {
      const keyed = macAlgorithm(algorithm)?.make(backend, bytesOf(key))
      const bytes = bytesOf(data)
      arena.bytes.set(bytes)
      for (const round of ['first', 'second']) {
        keyed?.compute(arena, 0, bytes.length, arena, 1024)
        t.equal(hexOf(arena.bytes.subarray(1024, 1024 + mac.length / 2)), mac, round)
      }
      keyed?.destroy()
    })
  }
  for (const vector of readVectors<CipherVector>('ciphers.json')) {
    const { algorithm, key, salt, iv, plaintext, ciphertext } = vector
    t.test(`${backend.name}: ${algorithm}, ${vector.source}`, async (t) => {
      // Counter mode counts blocks from 1 (RFC 3686 section 4).
      const nonce = salt === undefined ? iv : `${salt}${iv}00000001`
      for (const [direction, from, to] of [
        ['encrypt', plaintext, ciphertext],
        ['decrypt', ciphertext, plaintext],
      ] as const) {
        const cipher = cipherAlgorithm(algorithm)?.make(backend, bytesOf(key), direction)
        if (!cipher && backend.name === 'node' && isLegacy(algorithm)) return
        arena.bytes.set(bytesOf(from))
        scratch().bytes.set(bytesOf(nonce), NONCE)
        cipher?.apply(arena, 0, from.length / 2)
        t.equal(hexOf(arena.bytes.subarray(0, to.length / 2)), to, direction)
        cipher?.destroy()
      }
    })
  }
  for (const vector of readVectors<CombinedVector>('combined.json')) {
    const { cipher, key, nonce, aad, plaintext, ciphertext, tag } = vector
    t.test(`${backend.name}: ${cipher}, ${vector.source}`, async (t) => {
      const sizes: AeadSizes = { nonce: nonce.length / 2, icv: tag.length / 2 }
      const length = plaintext.length / 2
      const end = length + sizes.icv
      scratch().bytes.set(bytesOf(nonce), NONCE)
      arena.bytes.set(bytesOf(aad), AAD)

      arena.bytes.set(bytesOf(plaintext))
      const sealing = backend.aead(cipher, bytesOf(key), sizes, 'encrypt')
      sealing?.seal(arena, AAD, aad.length / 2, arena, 0, length)
      t.equal(hexOf(arena.bytes.subarray(0, end)), ciphertext + tag, 'encrypt')
      sealing?.destroy()

      const opening = backend.aead(cipher, bytesOf(key), sizes, 'decrypt')
      const isGood = opening?.open(arena, AAD, aad.length / 2, arena, 0, length)
      t.ok(isGood, 'the tag is right')
      t.equal(hexOf(arena.bytes.subarray(0, length)), plaintext, 'decrypt')

      for (let bit = 0; bit < 8 * end; bit++) {
        arena.bytes.set(bytesOf(ciphertext + tag))
        arena.view.setUint8(bit >> 3, arena.view.getUint8(bit >> 3) ^ (1 << (bit & 7)))
        if (opening?.open(arena, AAD, aad.length / 2, arena, 0, length) !== false)
          t.fail(`bit ${bit} changed`)
      }
      opening?.destroy()
    })
  }
}
