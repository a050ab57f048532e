import t from 'tap'
import { PROTOCOL_AH, PROTOCOL_ESP } from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { defaultKeyBits } from '../../../agent/model/key-sizes.ts'
import { identify, kernelAlgorithm, kernelAlgorithmOf } from '../../../agent/translate/kernel-algorithms.ts'

t.test('every row of the built-in table has a kernel side, and is found again from it', async (t) => {
  for (const row of defaultAlgorithmTable.algorithms) {
    const kernel = kernelAlgorithmOf(row)
    if (!kernel) return t.fail(`${row.names[0]} has no kernel side`)
    const keyBits = defaultKeyBits(row.keySizes)
    const found = identify(kernel.kind, kernel.name, keyBits + kernel.saltBits, kernel.icvBits)
    t.equal(found?.algorithm, kernel, `row ${row.number}`)
    t.equal(found?.keyBits, keyBits)
    t.equal(found?.standardIcv, true)
  }
})

t.test('truncation is that of RFC 4868', async (t) => {
  t.equal(kernelAlgorithm(PROTOCOL_AH, 5)?.icvBits, 128)
  t.equal(kernelAlgorithm(PROTOCOL_AH, 6)?.icvBits, 192)
  t.equal(kernelAlgorithm(PROTOCOL_AH, 7)?.icvBits, 256)
})

t.test('an SA with a shortened ICV is named, but not taken for the standard one', async (t) => {
  const short = identify('auth', 'hmac(sha256)', 256, 96)
  t.equal(short?.algorithm.number, 5)
  t.equal(short?.standardIcv, false)
})

t.test('an AEAD is told by its ICV', async (t) => {
  t.equal(identify('aead', 'rfc4106(gcm(aes))', 160, 64)?.algorithm.number, 18)
  t.equal(identify('aead', 'rfc4106(gcm(aes))', 288, 128)?.keyBits, 256)
  t.equal(identify('aead', 'rfc4106(gcm(aes))', 160, 104), undefined)
})

t.test('what the table has no number for is not guessed', async (t) => {
  t.equal(identify('crypt', 'cbc(sm4)', 128, 0), undefined)
  t.equal(identify('auth', 'cbc(aes)', 128, 0), undefined)
  t.equal(kernelAlgorithm(PROTOCOL_ESP, 99), undefined)
  t.equal(kernelAlgorithm(PROTOCOL_ESP, 5), undefined)
})

t.test('a row that means something else by a number has no kernel side', async (t) => {
  const row = (number: number, protocol = PROTOCOL_ESP) => {
    const found = defaultAlgorithmTable.algorithms.find((a) => a.protocol === protocol && a.number === number)
    if (!found) throw new Error(`no row ${number}`)
    return found
  }
  t.equal(kernelAlgorithmOf({ ...row(12), mechanism: 'CKM_DES_CBC' }), undefined)
  t.equal(kernelAlgorithmOf({ ...row(5, PROTOCOL_AH), blockOrMacSizes: [12] }), undefined)
  t.equal(kernelAlgorithmOf({ ...row(20), parameters: { iv: 8, icv: 12, salt: 4 } }), undefined)
  t.equal(kernelAlgorithmOf({ ...row(20), parameters: { iv: 8, icv: 16, salt: 3 } }), undefined)
})
