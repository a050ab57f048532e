import { mkdirSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { DataPathChoice } from '../../../../agent/datapath/data-path.ts'
import { type Algorithm, PROTOCOL_AH } from '../../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import { checkPolicy } from '../../../../compat/commands/ipsecconf/read-policy.ts'
import { printAlgorithmFile } from '../../../../compat/solaris/ipsecalgs/file.ts'
import { synchronise, synchronisedFile } from '../../../../compat/solaris/ipsecalgs/synchronised.ts'
import { temporaryFolder } from '../support/temporary.ts'

const RULE = '{raddr 192.0.2.1} ipsec {encr_algs aes encr_auth_algs sha256}\n'

/** Messages about the rule, on a machine where `ipsecalgs -s` found of the table what `kernelHas` says. */
function messages(
  t: Parameters<typeof temporaryFolder>[0],
  kernelHas: (entry: Algorithm) => boolean,
  dataPath: DataPathChoice | undefined,
): string[] {
  const folder = join(temporaryFolder(t), 'run')
  const before = process.env.SOLIPSEC_RUN_DIR
  process.env.SOLIPSEC_RUN_DIR = folder
  t.teardown(() => {
    if (before === undefined) delete process.env.SOLIPSEC_RUN_DIR
    else process.env.SOLIPSEC_RUN_DIR = before
  })
  const table = synchronise(defaultAlgorithmTable, kernelHas)
  mkdirSync(folder)
  writeFileSync(join(folder, 'ipsecalgs'), printAlgorithmFile(synchronisedFile(table, release())))
  const { diagnostics } = checkPolicy({ text: RULE, name: 'policy' }, defaultAlgorithmTable, dataPath)
  return diagnostics.map(({ hint = '' }) => hint)
}

t.test('an algorithm that the kernel lacks is refused, with what has it', async (t) => {
  const noAes = ({ names }: Algorithm) => !names.includes('aes-cbc')
  const [hint, ...more] = messages(t, noAes, 'auto')
  t.match(hint, /^The running kernel has no aes-cbc; .*--datapath software/)
  t.same(more, [])
})

t.test('a kernel without ESP has no say, as the software data path takes its place', async (t) => {
  t.same(
    messages(t, () => false, 'auto'),
    [],
  )
  t.same(
    messages(t, ({ protocol }) => protocol === PROTOCOL_AH, 'auto'),
    [],
  )
  t.equal(messages(t, () => false, 'kernel').length, 2)
})

t.test('nor has any kernel where the software data path was asked for, or nothing is loaded', async (t) => {
  t.same(
    messages(t, () => false, 'software'),
    [],
  )
  t.same(
    messages(t, () => false, undefined),
    [],
  )
})
