import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Backend } from '../../../../../agent/datapath/software/crypto/backend.ts'
import { NOT_EXTENDED } from '../../../../../agent/datapath/software/crypto/esp-transform.ts'
import {
  espTransform,
  UnsupportedAlgorithmError,
} from '../../../../../agent/datapath/software/crypto/keying.ts'
import { nodeBackend } from '../../../../../agent/datapath/software/crypto/node.ts'
import { opensslBackend } from '../../../../../agent/datapath/software/crypto/openssl.ts'
import { allocateArena } from '../../../../../netlink/libc/arena.ts'
import { espSamples, type Sample } from './samples.ts'

const openssl = opensslBackend()
/** What `node:crypto` has only with the legacy provider. */
const legacy = /blowfish/
const ESP = 100

t.ok(openssl, "Node's OpenSSL can be reached")
if (openssl) {
  for (const sample of espSamples) {
    const others = legacy.test(sample.title) ? [openssl] : [openssl, nodeBackend]
    t.test(`${sample.title}: what one backend seals, each opens`, async (t) => roundTrip(t, sample, others))
  }
}

function roundTrip(t: Test, sample: Sample, backends: readonly Backend[]): void {
  const packet = allocateArena(8192)
  for (const from of backends) {
    for (const to of backends) {
      const sealing = espTransform(sample.attributes, 'encrypt', from)
      const opening = espTransform(sample.attributes, 'decrypt', to)
      const { ivLength, icvLength, blockSize } = sealing
      const property = fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 1500 }),
        fc.option(fc.nat(0xffffffff), { nil: NOT_EXTENDED }),
        fc.nat(),
        (data, high, flip) => {
          const aligned = Math.ceil(data.length / Math.max(4, blockSize)) * Math.max(4, blockSize)
          const icvAt = ESP + 8 + ivLength + aligned
          const end = icvAt + icvLength
          packet.bytes.fill(0xee)
          packet.bytes.fill(0, ESP, icvAt)
          packet.bytes.set(data, ESP + 8 + ivLength)
          const clear = packet.bytes.slice(ESP + 8 + ivLength, icvAt)
          sealing.seal(packet, ESP, icvAt, high)
          const sealed = packet.bytes.slice()
          const isGood = opening.open(packet, ESP, icvAt, high)
          const opened = packet.bytes.slice(ESP + 8 + ivLength, icvAt)
          const outside = [...packet.bytes.slice(0, ESP), ...packet.bytes.slice(end)].every((b) => b === 0xee)
          const header = packet.bytes.slice(ESP, ESP + 8).every((byte) => byte === 0)
          if (!isGood || !outside || !header || Buffer.compare(opened, clear) !== 0) return false
          if (icvLength === 0) return true
          // Any bit of it changed, and it is refused.
          packet.bytes.set(sealed)
          const at = ESP + (flip % (end - ESP))
          packet.bytes[at] = (packet.bytes[at] ?? 0) ^ (1 << (flip & 7))
          return !opening.open(packet, ESP, icvAt, high)
        },
      )
      t.doesNotThrow(() => fc.assert(property, { numRuns: 20, seed: 3 }), `${from.name} to ${to.name}`)
      sealing.destroy()
      opening.destroy()
    }
  }
}

t.test('both libraries make the same bytes', async (t) => {
  if (!openssl) return
  for (const { title, attributes } of espSamples.filter((sample) => !legacy.test(sample.title))) {
    const results = [openssl, nodeBackend].map((backend) => {
      const packet = allocateArena(4096)
      packet.bytes.forEach((_, i) => {
        packet.bytes[i] = i
      })
      const transform = espTransform(attributes, 'encrypt', backend)
      const icvAt = ESP + 8 + transform.ivLength + 64
      transform.seal(packet, ESP, icvAt, 7)
      transform.destroy()
      return Buffer.from(packet.bytes.subarray(0, icvAt + transform.icvLength)).toString('hex')
    })
    t.equal(results[0], results[1], title)
  }
})

t.test('the upper half of an extended number is authenticated', async (t) => {
  for (const { title, attributes } of espSamples) {
    if (!openssl) return
    const packet = allocateArena(4096)
    const sealing = espTransform(attributes, 'encrypt', openssl)
    if (sealing.icvLength === 0) continue
    const opening = espTransform(attributes, 'decrypt', openssl)
    const icvAt = ESP + 8 + sealing.ivLength + 64
    sealing.seal(packet, ESP, icvAt, 1)
    const sealed = packet.bytes.slice()
    for (const wrong of [0, 2, NOT_EXTENDED]) {
      t.notOk(opening.open(packet, ESP, icvAt, wrong), `${title}: ${wrong}`)
      packet.bytes.set(sealed)
    }
  }
})

t.test('what cannot be had is said by name', async (t) => {
  const key = new Uint8Array(64)
  const backend = openssl ?? nodeBackend
  for (const attributes of [
    { alg_crypt: { alg_name: 'cbc(twofish)', alg_key_len: 128, alg_key: key } },
    { alg_crypt: { alg_name: 'cbc(aes)', alg_key_len: 136, alg_key: key } },
    { alg_crypt: { alg_name: 'cbc(des)', alg_key_len: 128, alg_key: key } },
    { alg_crypt: { alg_name: 'ecb(cipher_null)', alg_key_len: 8, alg_key: key } },
    { alg_crypt: { alg_name: 'rfc3686(ctr(aes))', alg_key_len: 24, alg_key: key } },
    { alg_aead: { alg_name: 'rfc4106(gcm(aes))', alg_key_len: 160, alg_key: key, alg_icv_len: 32 } },
    {
      alg_aead: {
        alg_name: 'rfc7539esp(chacha20,poly1305)',
        alg_key_len: 288,
        alg_key: key,
        alg_icv_len: 64,
      },
    },
    { alg_auth_trunc: { alg_name: 'hmac(sha256)', alg_key_len: 256, alg_key: key, alg_trunc_len: 264 } },
    { alg_auth_trunc: { alg_name: 'xcbc(aes)', alg_key_len: 256, alg_key: key, alg_trunc_len: 96 } },
  ]) {
    t.throws(() => espTransform(attributes, 'encrypt', backend), UnsupportedAlgorithmError)
  }
})
