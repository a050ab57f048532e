/**
 * What the second implementation adds to `@noble` of its own, against published vectors: a mistake that both
 * implementations share would be seen by neither.
 */
import t from 'tap'
import { bytesOf, type CombinedVector, hexOf, type MacVector, readVectors } from '../vectors/support.ts'
import { ccmDecrypt, ccmEncrypt } from './ccm.ts'
import { icvOf, macShapes } from './macs.ts'

t.test('AES-CCM', async (t) => {
  const vectors = readVectors<CombinedVector>('combined.json').filter(({ cipher }) => cipher.endsWith('-CCM'))
  t.ok(vectors.length > 0)
  for (const { source, key, nonce, aad, plaintext, ciphertext, tag } of vectors) {
    const length = tag.length / 2
    const sealed = ccmEncrypt(bytesOf(key), bytesOf(nonce), bytesOf(aad), bytesOf(plaintext), length)
    t.equal(hexOf(sealed), ciphertext + tag, source)
    const opened = ccmDecrypt(bytesOf(key), bytesOf(nonce), bytesOf(aad), sealed, length)
    t.equal(opened && hexOf(opened), plaintext, source)
    sealed[0] = (sealed[0] ?? 0) ^ 1
    t.equal(ccmDecrypt(bytesOf(key), bytesOf(nonce), bytesOf(aad), sealed, length), undefined, source)
  }
})

t.test('integrity algorithms', async (t) => {
  for (const { source, algorithm, key, data, mac } of readVectors<MacVector>('macs.json')) {
    const shape = macShapes.find(({ name }) => name === algorithm)
    if (!shape) throw new Error(algorithm)
    const icv = icvOf({ ...shape, key: bytesOf(key), icvLength: mac.length / 2 }, bytesOf(data))
    t.equal(hexOf(icv), mac, `${algorithm}, ${source}`)
  }
})
