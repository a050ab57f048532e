/** `test/vm/user-mode/run` seen from outside. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../support/tiers.ts'

const run = (argv: string[], env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync(join(root, 'test', 'vm', 'user-mode', 'run'), argv, {
    encoding: 'utf8',
    maxBuffer: 1 << 25,
    cwd: tmpdir(),
    env: { ...process.env, ...env },
  })
  return { status, stdout, stderr }
}

const check = process.arch === 'x64' ? run(['true']) : { status: 125, stderr: 'not an x86_64' }
const skip = check.status === 125 && `there is no user-mode Linux: ${check.stderr.trim().split('\n').at(-1)}`

t.test('output, error, folder, environment and exit code pass through unchanged', { skip }, async (t) => {
  const file = join(tmpdir(), `solipsec-user-mode-${process.pid}`)
  const script = `
    pwd; echo "$SOLIPSEC_WORD"; id -u; touch ${file} && ls ${file}
    modprobe -a esp4 esp6 ah4 ah6 af_key xfrm_user && grep -c . /proc/net/pfkey
    head -c 3000000 /dev/zero | tr '\\0' x; echo wrong >&2; exit 37`
  const word = `two "words' $x`
  const { status, stdout, stderr } = run(['bash', '-c', script], { SOLIPSEC_WORD: word })
  t.same([status, stderr], [37, 'wrong\n'])
  const lines = [tmpdir(), word, '0', file, '1', 'x'.repeat(3_000_000)]
  t.ok(stdout === lines.join('\n'), stdout.slice(0, 200))
  t.notOk(existsSync(file), 'what is written inside stays inside')
})

t.test('a machine that takes too long, or that breaks, is told by the exit code', { skip }, async (t) => {
  t.match(run(['sleep', '1000'], { SOLIPSEC_VM_TIMEOUT: '4' }), { status: 124, stderr: 'stopped after 4 s' })
  t.match(run(['sh', '-c', 'echo o >/proc/sysrq-trigger; sleep 100']), { status: 125, stderr: /Power/ })
})
