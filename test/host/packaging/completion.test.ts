/** Completion, as one who presses the tabulator sees it: bash and zsh at terminals, with commands that print their arguments. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { completions } from '../../../packaging/completion/generate.ts'
import { temporaryFolder } from '../../compat/commands/support/temporary.ts'
import { root } from '../../support/tiers.ts'

/** What is typed before the tabulator, and what the command is called with then. */
const LINES: readonly (readonly [typed: string, called: string])[] = [
  ['svcs ipsec/pol', 'svcs ipsec/policy'],
  ['svcs -s sti', 'svcs -s stime'],
  ['svcprop -p x ipsec/man', 'svcprop -p x ipsec/manual-key'],
  ['svccfg listpr', 'svccfg listprop'],
  ['ipsecconf --netn', 'ipsecconf --netns'],
  ['ipsecconf -Fa a-po', 'ipsecconf -Fa a-policy.conf'],
  ['ipsecconf --datapath soft', 'ipsecconf --datapath software'],
  ['solipsec conv', 'solipsec convert'],
  ['solipsec apply --datapath soft', 'solipsec apply --datapath software'],
  ['solipsec check a-po', 'solipsec check a-policy.conf'],
  ['solipsec check --js', 'solipsec check --json'],
]

const COMMANDS = ['ipsecconf', 'solipsec', 'svcprop', 'svccfg', 'svcs']

/** Types into a shell at a pseudo-terminal of script(1); gives what commands were called with. */
function type(shell: string, cwd: string, setup: string): string[] {
  const stubs = COMMANDS.map((name) => `${name}() { echo "called:<${name} $*>"; }`)
  const lines = [...stubs, setup, ...LINES.map(([typed]) => `${typed}\t`), 'exit']
  const { stdout } = spawnSync('script', ['-qec', shell, '/dev/null'], {
    cwd,
    encoding: 'utf8',
    input: `${lines.join('\n')}\n`,
    env: { PATH: process.env.PATH, HOME: cwd, TERM: 'dumb', LC_ALL: 'C', COLUMNS: '200' },
    timeout: 60_000,
  })
  return [...stdout.matchAll(/^called:<(.*)>/gm)].map(([, words = '']) => words.trim())
}

function place(t: Parameters<typeof temporaryFolder>[0]): string {
  const folder = temporaryFolder(t)
  for (const [path, text] of Object.entries(completions(join(root, 'docs/man')))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  writeFileSync(join(folder, 'a-policy.conf'), '')
  return folder
}

const expected = LINES.map(([, called]) => called)
const lacks = (program: string) =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0 ? false : `${program} is not installed`

t.test('bash', { skip: lacks('script') }, async (t) => {
  const folder = place(t)
  t.same(type('bash --norc --noprofile -i', folder, `. ./bash-completion/completions/svcs`), expected)
})

t.test('zsh', { skip: lacks('zsh') || lacks('script') }, async (t) => {
  const folder = place(t)
  const setup = 'fpath=($PWD/zsh/vendor-completions $fpath); autoload -Uz compinit; compinit -u -d $PWD/dump'
  t.same(type('zsh -f -i', folder, setup), expected)
})
