import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMANDS, copies } from '../../../packaging/deb/layout.ts'
import { root } from '../../support/tiers.ts'

t.test('the Debian package has the commands that the npm package has', async (t) => {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: object }
  t.same(Object.keys(COMMANDS).sort(), Object.keys(bin).sort())
})

t.test('what goes into it from the sources is there', async (t) => {
  const sources = copies(process.arch, ['solipsec-status.schema.json'])
    .map(([from]) => from)
    .filter((from) => !/^(dist|node_modules)\//.test(from))
  t.same(
    sources.filter((from) => !existsSync(join(root, from))),
    [],
  )
})
