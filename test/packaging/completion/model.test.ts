import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CHOICES, type CompletedOption, readCommand } from '../../../packaging/completion/model.ts'
import { root } from '../../support/tiers.ts'

const folder = join(root, 'docs/man')
const options = readdirSync(folder)
  .filter((file) => /\.[18]\.md$/.test(file))
  .flatMap((file) => readCommand(file, readFileSync(join(folder, file), 'utf8')).options)

/** What the pages take one option's argument for. */
function kindsOf(option: string): (CompletedOption['argument'] | undefined)[] {
  return [...new Set(options.filter(({ name }) => name === option).map(({ argument }) => argument))]
}

t.test('an argument is what the option is about, whatever the page calls it', async (t) => {
  t.same(kindsOf('--netns'), ['netns'])
  t.same(kindsOf('--datapath'), ['datapath'])
  t.same(kindsOf('--kind'), ['other'])
  t.same(kindsOf('--name'), ['other'])
  t.same(kindsOf('--config'), ['file'])
  t.same(kindsOf('--json'), [undefined])
})

t.test('what an argument can be', async (t) => {
  t.match(CHOICES.service.split(' '), ['ipsec/ipsecalgs', 'ipsec/policy', 'ipsec/manual-key', 'ipsec/agent'])
  t.equal(CHOICES.datapath, 'auto kernel software')
  t.match(CHOICES.column, /^ctid desc fmri .* svc$/)
})
