import t from 'tap'
import {
  algorithmByName,
  algorithmByNumber,
  FLAG_COMBINED,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable as table } from '../../../agent/model/default-algorithms.ts'
import { acceptsKeyBits, allKeyBits, defaultKeyBits, keySizeBounds } from '../../../agent/model/key-sizes.ts'

t.test('names find their rows in any case, in their own protocol only', async (t) => {
  const numberOf = (protocol: number, name: string) => algorithmByName(table, protocol, name)?.number
  for (const name of ['hmac-sha256', 'SHA256', 'sha-256', 'Hmac-Sha-256'])
    t.equal(numberOf(PROTOCOL_AH, name), 5)
  t.equal(numberOf(PROTOCOL_AH, 'sha'), 3)
  t.equal(numberOf(PROTOCOL_ESP, '3DES'), 3)
  t.equal(numberOf(PROTOCOL_ESP, 'aes'), 12)
  t.equal(numberOf(PROTOCOL_ESP, 'aes-gcm16'), 20)
  t.equal(numberOf(PROTOCOL_ESP, 'aes-ccm'), 16)
  t.equal(numberOf(PROTOCOL_ESP, 'chacha20-poly1305'), 28)
  t.equal(numberOf(PROTOCOL_ESP, 'sha256'), undefined)
  t.equal(numberOf(PROTOCOL_AH, 'any'), undefined)
})

t.test('numbers and names are unique within a protocol', async (t) => {
  for (const { number } of table.protocols) {
    const rows = table.algorithms.filter((row) => row.protocol === number)
    const names = rows.flatMap((row) => row.names)
    t.equal(new Set(rows.map((row) => row.number)).size, rows.length)
    t.equal(new Set(names).size, names.length)
  }
  t.equal(table.algorithms.length, 5 + 11 + 5)
})

t.test('parity bits of DES and 3DES are counted', async (t) => {
  const des = algorithmByNumber(table, PROTOCOL_ESP, 2)
  const triple = algorithmByNumber(table, PROTOCOL_ESP, 3)
  t.same(des?.keySizes, { kind: 'list', sizes: [64] })
  t.same(triple?.keySizes, { kind: 'list', sizes: [192] })
})

t.test('combined modes have the parameters of their RFC', async (t) => {
  const gcm = algorithmByNumber(table, PROTOCOL_ESP, 19)
  t.same(gcm?.parameters, { iv: 8, icv: 12, salt: 4 })
  t.equal(gcm?.flags, 23)
  t.equal(algorithmByNumber(table, PROTOCOL_ESP, 14)?.flags, 15)
  const ctr = algorithmByNumber(table, PROTOCOL_ESP, 13)
  t.equal((ctr?.flags ?? FLAG_COMBINED) & FLAG_COMBINED, 0, 'counter mode needs an authentication beside it')
})

t.test('key sizes', async (t) => {
  const aes = algorithmByName(table, PROTOCOL_ESP, 'aes')?.keySizes ?? { kind: 'list', sizes: [] }
  t.same(allKeyBits(aes), [128, 192, 256])
  t.equal(defaultKeyBits(aes), 128)
  t.same(keySizeBounds(aes), { min: 128, max: 256 })
  t.ok(acceptsKeyBits(aes, 192))
  for (const bits of [0, 64, 160, 320]) t.notOk(acceptsKeyBits(aes, bits))
  const none = algorithmByName(table, PROTOCOL_ESP, 'null')?.keySizes ?? aes
  t.equal(defaultKeyBits(none), 0)
  t.same(keySizeBounds(none), { min: 0, max: 0 })
  t.ok(acceptsKeyBits(none, 0))
  t.notOk(acceptsKeyBits(none, 8))
  t.same(keySizeBounds({ kind: 'list', sizes: [128, 64, 96] }), { min: 64, max: 128 })
  t.same(allKeyBits({ kind: 'range', default: 8, min: 8, max: 9, step: 0 }), [8, 9])
})
