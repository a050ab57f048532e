import { spawnSync } from 'node:child_process'
import t from 'tap'
import { root } from '../support/tiers.ts'

const vagrant = (...args: string[]) => spawnSync('vagrant', args, { cwd: root, encoding: 'utf8' })

// Vagrant is not installed for the sake of this one question.
const skip = vagrant('--version').status === 0 ? false : 'vagrant is not installed'

t.test('vagrant takes the Vagrantfile', { skip }, async (t) => {
  const { status, stdout, stderr } = vagrant('validate', '--ignore-provider')
  t.equal(status, 0, 'vagrant validate', { vagrant: `${stdout}${stderr}` })
})
