/** Who is in a network namespace, as far as one can see: whoever cannot be seen may be in it. */
import { execFileSync, spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import t from 'tap'

const MODULE = new URL('../../../../agent/runtime/namespace-use.js', import.meta.url).href
const ASK = `import(${JSON.stringify(MODULE)}).then((m) => console.log(m.isNamespaceInUse('nobody-is-called-so')))`
const FIRST = 'pid:[4026531836]'
const isContainer = readlinkSync('/proc/self/ns/pid') !== FIRST

const ask = (...before: string[]): string => {
  const [command = '', ...args] = [...before, process.execPath, '-e', ASK]
  return execFileSync(command, args, { encoding: 'utf8' }).trim()
}

t.test('alone in it', { skip: isContainer && 'in a container nobody knows' }, async (t) => {
  t.equal(ask('unshare', '--net'), 'false')
})

t.test('a process of another user, with and without the right to look at it', async (t) => {
  const args = ['--net', 'setpriv', '--reuid', '65534', '--clear-groups', 'sleep', '60']
  const other = spawn('unshare', args, { stdio: 'ignore' })
  t.teardown(() => other.kill())
  const namespace = () => readlinkSync(`/proc/${other.pid}/ns/net`)
  while (namespace() === readlinkSync('/proc/self/ns/net')) await new Promise((done) => setTimeout(done, 5))
  const enter = ['nsenter', '-t', String(other.pid), '--net']
  t.equal(ask(...enter), 'true')
  const blind = ['setpriv', '--bounding-set', '-sys_ptrace', '--inh-caps', '-sys_ptrace']
  t.equal(ask(...enter, ...blind), 'true')
})

t.test('in another PID namespace, from where not all processes are seen', async (t) => {
  t.equal(ask('unshare', '--net', '--pid', '--fork', '--mount-proc'), 'true')
})
