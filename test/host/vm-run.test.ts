import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../support/tiers.ts'

/** `test/vm/run` seen from outside: what goes in and comes out of the machine. */

const run = (args: string[], options: { input?: Buffer; cwd?: string; env?: Record<string, string> } = {}) =>
  spawnSync(join(root, 'test', 'vm', 'run'), args, {
    maxBuffer: 1 << 25,
    ...options,
    env: { ...process.env, ...options.env },
  })

const check = run(['--check'])
const native = process.env.SOLIPSEC_VM === 'native' && 'SOLIPSEC_VM=native: there is no machine'
const skip = check.status === 0 ? native : check.stderr.toString().trim()

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

t.test(
  'input, output, error, folder, environment and exit code pass through unchanged',
  { skip },
  async (t) => {
    const input = randomBytes(3_000_000)
    const file = join(tmpdir(), `solipsec-vm-run-${process.pid}`)
    const script = `
    tee >(sha256sum >&2) | { cat; head -c 7000000 /dev/zero; }
    pwd >&2; echo "$SOLIPSEC_WORD" >&2; uname -n >&2; id -u >&2; touch ${file} && ls ${file} >&2
    cat /sys/class/net/lo/flags >&2
    exit 37`
    const env = { SOLIPSEC_WORD: `two "words' $x` }
    const { status, stdout, stderr } = run(['--', 'bash', '-c', script], { input, env, cwd: tmpdir() })
    t.equal(status, 37, 'exit code')
    t.equal(stdout.length, 10_000_000, 'length of a large output')
    t.ok(stdout.subarray(0, input.length).equals(input), 'bytes of a large input and output')
    t.equal(stdout.subarray(input.length).findIndex(Boolean), -1)
    const lines = [`${sha256(input)}  -`, tmpdir(), env.SOLIPSEC_WORD, 'solipsec-vm', '0', file, '0x9']
    t.same(stderr.toString().trim().split('\n').sort(), lines.sort(), 'standard error has nothing else')
    t.notOk(existsSync(file), 'what is written inside stays inside')
  },
)

t.test('a machine that takes too long, or that breaks, is told by the exit code', { skip }, async (t) => {
  const late = run(['sleep', '1000'], { env: { SOLIPSEC_VM_TIMEOUT: '3' } })
  t.match(
    { status: late.status, stderr: late.stderr.toString() },
    { status: 124, stderr: /stopped after 3 s/ },
  )
  const panic = run(['sh', '-c', 'echo c >/proc/sysrq-trigger'])
  t.equal(panic.status, 125)
  t.match(panic.stderr.toString(), /panic/i, 'the kernel log tells why')
})
