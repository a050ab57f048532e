import t from 'tap'
import { FLAG_VALID } from '../../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable as table } from '../../../../agent/model/default-algorithms.ts'
import { fileOf, printAlgorithmFile } from '../../../../compat/solaris/ipsecalgs/file.ts'
import { listFile, listJson, listKernel } from '../../../../compat/solaris/ipsecalgs/listing.ts'
import {
  readSynchronised,
  synchronise,
  synchronisedFile,
  validOnly,
} from '../../../../compat/solaris/ipsecalgs/synchronised.ts'

const kernel = synchronise(table, (entry) => entry.number === 12 || entry.number === 20)

t.test('the file listing', async (t) => {
  const text = listFile(table)
  t.ok(
    text.startsWith(
      'List of algorithms, grouped by IPsec protocol:\n\nProtocol 2/PROTO_IPSEC_AH (execution mode: sync)\n',
    ),
  )
  const sha = [
    'Protocol number: 2',
    'Algorithm number: 5',
    'Algorithm names: hmac-sha256,sha256,sha-256,hmac-sha-256',
    'Mechanism Name: CKM_SHA256_HMAC_GENERAL',
    'Block sizes or MAC sizes: 16',
    'Key sizes: 256',
  ]
  t.ok(text.includes(`\n${sha.map((line) => `\t${line}\n`).join('')}\n`))
  t.ok(text.includes('\tKey sizes: 128-256, increment 64, default 128\n'))
  t.ok(
    text.includes(
      '\tAlgorithm parameters: IV 8, ICV 12, salt 4 bytes\n\tAlgorithm flags: VALID,COUNTER,COMBINED,GCM\n',
    ),
  )
})

t.test('the kernel listing has no names and marks what is missing', async (t) => {
  const text = listKernel(kernel)
  t.ok(text.startsWith('Kernel list of algorithms:\n'))
  t.notMatch(text, /Algorithm names/)
  t.match(text, /Algorithm number: 12\n.*\n.*\n.*\n\tAlgorithm flags: VALID\n/)
  t.match(text, /Algorithm number: 3\n.*\n.*\n.*\n\tAlgorithm flags: INVALID\n/)
  t.match(text, /Algorithm number: 14\n(.*\n){4}\tAlgorithm flags: INVALID,COUNTER,COMBINED,CCM\n/)
})

t.test('listings for programs', async (t) => {
  const plain = JSON.parse(listJson(table, false))
  t.equal(plain.protocols[0].algorithms.length, 7)
  t.same(plain.protocols[0].algorithms[0].names, ['hmac-md5', 'md5'])
  t.notOk('valid' in plain.protocols[0].algorithms[0])
  const { algorithms } = JSON.parse(listJson(kernel, true)).protocols[1]
  const valid = algorithms.filter((entry: { valid: boolean }) => entry.valid)
  t.same(
    valid.map((entry: { number: number }) => entry.number),
    [12, 20],
  )
})

t.test('a synchronised table is kept for one kernel release', async (t) => {
  const text = printAlgorithmFile(synchronisedFile(kernel, '6.1.0-28-amd64'))
  t.same(readSynchronised(text, '6.1.0-28-amd64'), kernel)
  t.equal(readSynchronised(text, '6.1.0-28'), undefined)
  t.equal(readSynchronised(printAlgorithmFile(fileOf(kernel)), '6.1.0-28-amd64'), undefined)
  t.same(
    validOnly(kernel).algorithms.map((entry) => entry.number),
    [12, 20],
  )
  t.ok(validOnly(kernel).algorithms.every((entry) => entry.flags & FLAG_VALID))
})
