import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import {
  fileOf,
  parseAlgorithmFile,
  printAlgorithmFile,
  tableOf,
} from '../../../../compat/solaris/ipsecalgs/file.ts'
import { algorithmTable } from './arbitrary.ts'

const DELIVERED = `#
# ident "@(#)ipsecalgs"
# Start SUNWcs
PROTO|2|PROTO_IPSEC_AH|sync

ALG|2|0|none,any|-|0|0
alg|2|2|hmac-md5,md5|CKM_MD5_HMAC_GENERAL|128|12
PROTO|3|PROTO_IPSEC_ESP|async
ALG|3|11|null|-|0|0
ALG|3|12|aes-cbc,aes|CKM_AES_CBC|128/128-256,64|16
ALG|3|20|aes-gcm,aes-gcm16|CKM_AES_GCM|128/128-256,64|16|8,16,4|23
# End SUNWcs
`

t.test('a delivered file is read', async (t) => {
  const { file, diagnostics } = parseAlgorithmFile(DELIVERED, 'ipsecalgs')
  t.same(diagnostics, [])
  if (!file) return t.fail('refused')
  t.equal(printAlgorithmFile(file), DELIVERED, 'and comes back as it was')
  const { protocols, algorithms } = tableOf(file)
  t.same(protocols[1], { number: 3, name: 'PROTO_IPSEC_ESP', mode: 'async' })
  t.same(algorithms, [
    {
      protocol: 2,
      number: 2,
      names: ['hmac-md5', 'md5'],
      mechanism: 'CKM_MD5_HMAC_GENERAL',
      keySizes: { kind: 'list', sizes: [128] },
      blockOrMacSizes: [12],
      flags: 0,
    },
    {
      protocol: 3,
      number: 11,
      names: ['null'],
      mechanism: '',
      keySizes: { kind: 'list', sizes: [] },
      blockOrMacSizes: [],
      flags: 0,
    },
    {
      protocol: 3,
      number: 12,
      names: ['aes-cbc', 'aes'],
      mechanism: 'CKM_AES_CBC',
      keySizes: { kind: 'range', default: 128, min: 128, max: 256, step: 64 },
      blockOrMacSizes: [16],
      flags: 0,
    },
    {
      protocol: 3,
      number: 20,
      names: ['aes-gcm', 'aes-gcm16'],
      mechanism: 'CKM_AES_GCM',
      keySizes: { kind: 'range', default: 128, min: 128, max: 256, step: 64 },
      blockOrMacSizes: [16],
      parameters: { iv: 8, icv: 16, salt: 4 },
      flags: 23,
    },
  ])
})

t.test('ways to write key sizes', async (t) => {
  const sizesOf = (text: string) => {
    const { file } = parseAlgorithmFile(`PROTO|3|ESP|sync\nALG|3|12|b|-|${text}|`, 'f')
    return file && tableOf(file).algorithms[0]?.keySizes
  }
  t.same(sizesOf('128,256'), { kind: 'list', sizes: [128, 256] })
  t.same(sizesOf('256/128,256'), { kind: 'list', sizes: [256, 128] })
  t.same(sizesOf('192/128-256,64'), { kind: 'range', default: 192, min: 128, max: 256, step: 64 })
  t.same(sizesOf('128-256,64'), { kind: 'range', default: 128, min: 128, max: 256, step: 64 })
  t.same(sizesOf('0'), { kind: 'list', sizes: [] })
  t.equal(sizesOf('64/128,256'), undefined)
})

t.test('flags do not leak from one line to the next', async (t) => {
  const text = 'PROTO|3|ESP|sync\nALG|3|20|a|M|128|16|8,16,4|23\nALG|3|12|b|M|128|16\n'
  const { file } = parseAlgorithmFile(text, 'f')
  t.same(file && tableOf(file).algorithms.map((entry) => entry.flags), [23, 0])
})

t.test('every table is written and read back unchanged', async () => {
  fc.assert(
    fc.property(algorithmTable, (table) => {
      const { file, diagnostics } = parseAlgorithmFile(printAlgorithmFile(fileOf(table)), 'f')
      assert.deepEqual(diagnostics, [])
      assert.deepEqual(file && tableOf(file), table)
    }),
  )
})

t.test('the built-in table survives too', async (t) => {
  const { file } = parseAlgorithmFile(printAlgorithmFile(fileOf(defaultAlgorithmTable, ['x'])), 'f')
  t.same(file && tableOf(file), defaultAlgorithmTable)
})

t.test('any text is read or refused, without an exception', async () => {
  const fragment = fc.constantFrom(
    'ALG',
    'PROTO',
    '|',
    '3',
    ',',
    '/',
    '-',
    '128',
    'aes',
    '\n',
    '#',
    ' ',
    'sync',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(fragment).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (text) => {
      const { file, diagnostics } = parseAlgorithmFile(text, 'f')
      assert.equal(file === undefined, diagnostics.length > 0)
      if (file && text !== '')
        assert.equal(printAlgorithmFile(file), text.endsWith('\n') ? text : `${text}\n`)
    }),
  )
})

t.test('one corrupt line refuses the file; all of them are reported', async (t) => {
  const lines: [text: string, message: RegExp, column: number][] = [
    ['PROTO|3|ESP|sync', /^$/, 0],
    ['whatever', /Corrupt line 2: of no known kind/, 1],
    ['PROTO|4|X', /wrong number of fields/, 1],
    ['PROTO|256|X|sync', /Invalid protocol number\./, 7],
    ['PROTO|5|X|fast', /Invalid execution mode\./, 11],
    ['PROTO|3|Y|sync', /protocol exists already/, 1],
    ['ALG|3|1|a|M|128', /wrong number of fields/, 1],
    ['ALG|9|1|a|M|128|8', /no PROTO line for protocol 9/, 1],
    ['ALG|3|x|a|M|128|8', /Invalid algorithm number\./, 7],
    ['ALG|3|1|any|M|128|8', /Invalid algorithm name/, 9],
    ['ALG|3|1|a,12|M|128|8', /12 would be read as the number/, 9],
    ['ALG|3|1|a||128,|8', /Invalid key size value\./, 12],
    ['ALG|3|1|a|M|128/256-128,64|8', /min >= max/, 13],
    ['ALG|3|1|a|M|128/128-256,60|8', /increment not consistent/, 13],
    ['ALG|3|1|a|M|130/128-256,64|8', /Default key size not consistent/, 13],
    ['ALG|3|1|a|M|128|999', /block\/MAC lengths/, 17],
    ['ALG|3|1|a|M|128|8|8,8|1', /parameters/, 19],
    ['ALG|3|1|a|M|128|8||HUGE', /Invalid flag: HUGE/, 20],
    [`#${'x'.repeat(1100)}`, /too long/, 1],
    ['ALG|3|2|a,b|M|128|8', /^$/, 0],
    ['ALG|3|2|c|M|128|8', /algorithm exists already/, 1],
    ['ALG|3|3|B|M|128|8', /algorithm exists already/, 1],
  ]
  const { file, diagnostics } = parseAlgorithmFile(lines.map(([text]) => text).join('\n'), '/x')
  t.equal(file, undefined)
  const bad = lines.flatMap(([text, message, column], index) =>
    column === 0 ? [] : [{ text, message, column, line: index + 1 }],
  )
  t.equal(diagnostics.length, bad.length)
  bad.forEach(({ text, message, column, line }, index) => {
    const found = diagnostics[index]
    t.match(found?.message ?? '', message, text)
    t.equal(found?.span.line, line, text)
    t.equal(found?.span.column, column, text)
    t.equal(found?.source, text)
    t.equal(found?.file, '/x')
  })
})
