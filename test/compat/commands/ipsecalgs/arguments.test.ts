import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { interpret, optionTable } from '../../../../compat/commands/ipsecalgs/arguments.ts'
import { getopt } from '../../../../compat/commands/support/getopt.ts'
import { addAlgorithm } from '../../../../compat/solaris/ipsecalgs/edit.ts'
import { fileOf, parseAlgorithmFile, printAlgorithmFile } from '../../../../compat/solaris/ipsecalgs/file.ts'

const options = [...optionTable.short.replaceAll(':', '')].map((letter) => `-${letter}`)
const words = fc.constantFrom(
  ...options,
  '--json',
  '--dry-run',
  '3',
  '128',
  '128,192',
  '128-256',
  '64',
  'x',
  'sync',
)

t.test('any command line is understood or refused, without an exception', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 5, arbitrary: words }, fc.string()), { maxLength: 20 }),
      (argv) => {
        const { options, operands } = getopt(argv, optionTable)
        const result = interpret(options, operands)
        assert.equal(Object.keys(result).length, 1)
      },
    ),
  )
})

t.test('what the command line can add, the file can hold', async () => {
  const table = { protocols: [{ number: 3, name: 'ESP', mode: 'sync' as const }], algorithms: [] }
  const value = fc.oneof(
    fc.constantFrom('0', '8', '8,16', '128-256', '64', 'x', 'x,y', 'CKM_X', '-', '23', 'any', ' ', '|', '#'),
    fc.string(),
  )
  const base = ['-a', '-p', '3', '-N', '9', '-n', 'x', '-m', 'M', '-k', '8', '-b', '8']
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...'nNmkKibIMSF'), value), { maxLength: 3 }), (changes) => {
      const argv = [...base, ...changes.flatMap(([name, text]) => [`-${name}`, text])]
      const result = interpret(getopt(argv, optionTable).options, [])
      if (!('request' in result) || result.request.edit?.kind !== 'add-algorithm') return
      const added = addAlgorithm(fileOf(table), { protocol: 3, ...result.request.edit.algorithm })
      assert.ok('file' in added)
      const { file, diagnostics } = parseAlgorithmFile(printAlgorithmFile(added.file), 'f')
      assert.deepEqual(diagnostics, [])
      assert.deepEqual(file, added.file)
    }),
  )
})
