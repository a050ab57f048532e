import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keep, kept } from '../../../agent/runtime/kept-file.ts'

t.test('what is kept goes with who keeps it', async (t) => {
  const path = join(t.testdir(), 'kept.json')
  t.equal(kept(path), undefined)
  keep(path, { a: 1 })
  t.same(kept(path), { a: 1 })
  t.equal(statSync(path).mode & 0o777, 0o600)
  // No process has this number: it is beyond what Linux allows.
  writeFileSync(path, readFileSync(path, 'utf8').replace(String(process.pid), String(2 ** 30)))
  t.equal(kept(path), undefined, 'it was killed')
  writeFileSync(path, '{')
  t.equal(kept(path), undefined)
  keep(path, undefined)
  t.notOk(existsSync(path))
  keep(path, undefined)
})
