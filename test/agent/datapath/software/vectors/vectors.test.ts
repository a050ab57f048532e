/** Published vectors: each library and each algorithm gives what the standards print. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { cipherAlgorithm, macAlgorithm } from '../../../../../agent/datapath/software/crypto/algorithms.ts'
import { nodeBackend } from '../../../../../agent/datapath/software/crypto/node.ts'
import { opensslBackend } from '../../../../../agent/datapath/software/crypto/openssl.ts'
import { NONCE, scratch } from '../../../../../agent/datapath/software/crypto/scratch.ts'
import { allocateArena } from '../../../../../netlink/libc/arena.ts'

/** The sources: the built test lies in `dist/`. */
const HERE = new URL('../../../../../../test/agent/datapath/software/vectors/', import.meta.url)

interface MacVector {
  readonly source: string
  readonly algorithm: string
  readonly key: string
  readonly data: string
  readonly mac: string
}

interface CipherVector {
  readonly source: string
  readonly algorithm: string
  readonly key: string
  readonly salt?: string
  readonly iv: string
  readonly plaintext: string
  readonly ciphertext: string
}

const read = <V>(file: string) => JSON.parse(readFileSync(new URL(file, HERE), 'utf8')) as readonly V[]
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
const openssl = opensslBackend()
const backends = openssl ? [openssl, nodeBackend] : [nodeBackend]
const arena = allocateArena(4096)

for (const backend of backends) {
  for (const { source, algorithm, key, data, mac } of read<MacVector>('macs.json')) {
    t.test(`${backend.name}: ${algorithm}, ${source}`, async (t) => {
      const keyed = macAlgorithm(algorithm)?.make(backend, bytesOf(key))
      const bytes = bytesOf(data)
      arena.bytes.set(bytes)
      for (const round of ['first', 'second']) {
        keyed?.compute(arena, 0, bytes.length, arena, 1024)
        t.equal(Buffer.from(arena.bytes.subarray(1024, 1024 + mac.length / 2)).toString('hex'), mac, round)
      }
      keyed?.destroy()
    })
  }
  for (const vector of read<CipherVector>('ciphers.json')) {
    t.test(`${backend.name}: ${vector.algorithm}, ${vector.source}`, async (t) => {
      const { algorithm, key, salt, iv, plaintext, ciphertext } = vector
      // Counter mode counts blocks from 1 (RFC 3686 section 4).
      const nonce = salt === undefined ? iv : `${salt}${iv}00000001`
      for (const [direction, from, to] of [
        ['encrypt', plaintext, ciphertext],
        ['decrypt', ciphertext, plaintext],
      ] as const) {
        const cipher = cipherAlgorithm(algorithm)?.make(backend, bytesOf(key), direction)
        arena.bytes.set(bytesOf(from))
        scratch().bytes.set(bytesOf(nonce), NONCE)
        cipher?.apply(arena, 0, from.length / 2)
        t.equal(Buffer.from(arena.bytes.subarray(0, to.length / 2)).toString('hex'), to, direction)
        cipher?.destroy()
      }
    })
  }
}
