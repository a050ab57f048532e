import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { root } from './support/tiers.ts'

t.test('the import rules, the lint rules and the format hold', async (t) => {
  const biome = join(root, 'node_modules', '.bin', 'biome')
  const { status, stdout, stderr } = spawnSync(biome, ['check', '.'], { cwd: root, encoding: 'utf8' })
  t.equal(status, 0, 'biome check', { biome: `${stdout}${stderr}` })
})
