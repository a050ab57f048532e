import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { removeHalfWritten, replaceRuntimeFile } from '../../../agent/runtime/replace-file.ts'

t.test('a file is replaced as a whole, for root alone', async (t) => {
  const path = join(t.testdir(), 'record')
  replaceRuntimeFile(path, 'one')
  replaceRuntimeFile(path, 'two')
  t.equal(readFileSync(path, 'utf8'), 'two')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.notOk(existsSync(`${path}.new`))
})

t.test('what was left half written is in no way, and leads nowhere', async (t) => {
  const folder = t.testdir({ other: 'mine' })
  const path = join(folder, 'record')
  symlinkSync('other', `${path}.new`)
  replaceRuntimeFile(path, 'new')
  t.equal(readFileSync(join(folder, 'other'), 'utf8'), 'mine')
  writeFileSync(`${path}.new`, 'half')
  removeHalfWritten(path)
  t.notOk(existsSync(`${path}.new`))
})

t.test('where it cannot be done, the old one stays, and nothing beside it', async (t) => {
  const path = join(t.testdir(), 'record')
  mkdirSync(path)
  t.throws(() => replaceRuntimeFile(path, 'x'), { code: 'EISDIR' })
  t.notOk(existsSync(`${path}.new`))
})
