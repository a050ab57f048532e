import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Algorithm } from '../../../../agent/model/algorithm.ts'
import type { EditResult } from '../../../../compat/solaris/ipsecalgs/edit.ts'
import {
  addAlgorithm,
  addProtocol,
  removeAlgorithm,
  removeProtocol,
  setMode,
} from '../../../../compat/solaris/ipsecalgs/edit.ts'
import type { AlgorithmFile } from '../../../../compat/solaris/ipsecalgs/file.ts'
import {
  fileOf,
  parseAlgorithmFile,
  printAlgorithmFile,
  tableOf,
} from '../../../../compat/solaris/ipsecalgs/file.ts'
import { algorithm, algorithmTable } from './arbitrary.ts'

const TEXT = `# Start pkg
PROTO|2|AH|sync
ALG|2|5|sha,hash|M|256|16
PROTO|3|ESP|sync
ALG|3|12|aes|M|128|16
# End pkg
`
const { file: FILE = { lines: [] } } = parseAlgorithmFile(TEXT, 'f')

const entry: Algorithm = {
  protocol: 3,
  number: 22,
  names: ['camellia'],
  mechanism: 'CKM_X',
  keySizes: { kind: 'list', sizes: [128] },
  blockOrMacSizes: [16],
  flags: 0,
}

function text(result: EditResult): string {
  return 'error' in result ? result.error : printAlgorithmFile(result.file)
}

t.test('an algorithm is added behind the packages, the rest stays as written', async (t) => {
  t.equal(text(addAlgorithm(FILE, entry)), `${TEXT}ALG|3|22|camellia|CKM_X|128|16\n`)
})

t.test('what exists is not added twice', async (t) => {
  t.equal(text(addAlgorithm(FILE, { ...entry, number: 12 })), 'algorithm-exists')
  t.equal(text(addAlgorithm(FILE, { ...entry, names: ['new', 'AES'] })), 'algorithm-exists')
  t.equal(text(addAlgorithm(FILE, { ...entry, protocol: 4 })), 'unknown-protocol')
  t.equal(text(addProtocol(FILE, { number: 3, name: 'X', mode: 'sync' })), 'protocol-exists')
  t.equal(text(addProtocol(FILE, { number: 4, name: 'ESP', mode: 'sync' })), 'protocol-exists')
})

t.test('force replaces the number, but never takes the name of another', async (t) => {
  const replaced = text(addAlgorithm(FILE, { ...entry, number: 12 }, true))
  t.equal(replaced, TEXT.replace('ALG|3|12|aes|M|128|16', 'ALG|3|12|camellia|CKM_X|128|16'))
  t.equal(text(addAlgorithm(FILE, { ...entry, names: ['aes'] }, true)), 'algorithm-exists')
  t.equal(text(addAlgorithm(FILE, entry, true)), text(addAlgorithm(FILE, entry)), 'without one it adds')
})

t.test('removal by number, by any name, by protocol', async (t) => {
  const without = TEXT.replace('ALG|2|5|sha,hash|M|256|16\n', '')
  t.equal(text(removeAlgorithm(FILE, 2, 5)), without)
  t.equal(text(removeAlgorithm(FILE, 2, 'HASH')), without)
  t.equal(text(removeAlgorithm(FILE, 2, 'aes')), 'unknown-algorithm')
  t.equal(text(removeAlgorithm(FILE, 2, 12)), 'unknown-algorithm')
  t.equal(text(removeAlgorithm(FILE, 9, 12)), 'unknown-protocol')
  t.equal(text(removeProtocol(FILE, 3)), TEXT.replace(/^.*\|3\|.*\n/gm, ''))
  t.equal(text(removeProtocol(FILE, 9)), 'unknown-protocol')
})

t.test('the mode of a protocol is set', async (t) => {
  t.equal(text(setMode(FILE, 3, 'async')), TEXT.replace('ESP|sync', 'ESP|async'))
  t.equal(text(setMode(FILE, 9, 'async')), 'unknown-protocol')
})

t.test('adding and then removing gives the file back', async () => {
  fc.assert(
    fc.property(algorithmTable, algorithm(0), (table, template) => {
      const file: AlgorithmFile = fileOf(table)
      for (const { number } of table.protocols) {
        const added = addAlgorithm(file, { ...template, protocol: number, names: ['a-new-one'] })
        if ('error' in added) {
          const taken = table.algorithms.some((a) => a.protocol === number && a.number === template.number)
          assert.equal(added.error, taken ? 'algorithm-exists' : undefined)
          continue
        }
        assert.equal(tableOf(added.file).algorithms.length, table.algorithms.length + 1)
        assert.deepEqual(removeAlgorithm(added.file, number, 'a-new-one'), { file })
      }
    }),
  )
})
