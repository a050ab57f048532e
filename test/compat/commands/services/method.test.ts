import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type ServiceName, serviceNamed } from '../../../../compat/commands/services/catalogue.ts'
import { type MethodName, readMark } from '../../../../compat/commands/services/mark.ts'
import { type MethodContext, runMethod } from '../../../../compat/commands/services/method.ts'
import { logFile } from '../../../../compat/commands/services/places.ts'
import { SystemdError } from '../../../../compat/commands/services/systemd.ts'
import { captureIo } from '../support/capture-io.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { NOON } from './fake-world.ts'

/** A host whose commands say what they are told to. */
function host(t: Test) {
  const folder = temporaryFolder(t)
  const places = { configuration: join(folder, 'etc'), run: join(folder, 'run'), log: join(folder, 'log') }
  mkdirSync(places.log)
  const calls: string[] = []
  const answers = new Map<string, { code: number; out?: string; err?: string }>()
  const run = (
    name: ServiceName,
    method: MethodName,
    more: Partial<MethodContext> = {},
    env: Record<string, string> = {},
  ) =>
    runMethod(serviceNamed(name), method, {
      places,
      now: () => NOON,
      io: captureIo({ env }),
      state: join(folder, 'state'),
      command: async (line, io) => {
        calls.push(line.join(' '))
        const { code, out = '', err = '' } = answers.get(line.join(' ')) ?? { code: 0 }
        io.stdout.write(out)
        io.stderr.write(err)
        return code
      },
      ...more,
    })
  const mark = (name: ServiceName) => readMark(places, serviceNamed(name))
  const log = (name: ServiceName) => readFileSync(logFile(places, serviceNamed(name)), 'utf8')
  return { folder, calls, answers, run, mark, log }
}

t.test('what each method runs', async (t) => {
  const { calls, run } = host(t)
  for (const name of ['ipsecalgs', 'policy', 'manual-key', 'agent'] as const) {
    for (const method of ['start', 'refresh', 'stop'] as const) {
      if (name !== 'agent' || method !== 'refresh') t.equal(await run(name, method), 0)
    }
  }
  t.same(calls, [
    'ipsecalgs -s',
    'ipsecalgs -s',
    'ipsecconf -Fa /etc/inet/ipsecinit.conf',
    'ipsecconf -Fa /etc/inet/ipsecinit.conf',
    'ipsecconf -q -F',
    'ipseckey -f /etc/inet/secret/ipseckeys',
    'ipseckey -f /etc/inet/secret/ipseckeys',
    'ipseckey flush',
  ])
})

t.test('a failure is in the log and in a mark, and goes with the next success', async (t) => {
  const { folder, answers, run, mark, log } = host(t)
  const line = 'ipsecconf -Fa /etc/inet/ipsecinit.conf'
  answers.set(line, { code: 95, err: 'FILE:3:1: error: no\nService x fatal error.\n' })
  const umask = process.umask(0o077)
  t.teardown(() => process.umask(umask))
  t.equal(await run('policy', 'refresh'), 95)
  t.same(mark('policy'), {
    state: 'maintenance',
    cause: 'refresh',
    status: 95,
    at: NOON,
    lines: ['FILE:3:1: error: no'],
  })
  t.equal(
    log('policy'),
    `[ Nov 21 12:00:00 Executing refresh method ("${line}"). ]
FILE:3:1: error: no
Service x fatal error.
[ Nov 21 12:00:00 Method "refresh" exited with status 95. ]
`,
  )
  t.equal(statSync(join(folder, 'run')).mode & 0o777, 0o755, 'everybody may ask why')
  t.equal(statSync(join(folder, 'run', 'policy.json')).mode & 0o777, 0o644)
  answers.delete(line)
  t.equal(await run('policy', 'start'), 0)
  t.equal(mark('policy'), undefined)
})

t.test('a restart takes nothing away in between, and neither does one who cannot know', async (t) => {
  const { calls, run } = host(t)
  t.equal(await run('policy', 'stop', { isRestart: () => true }), 0)
  t.same(calls, [])
  const unknown = () => {
    throw new SystemdError('no bus')
  }
  t.equal(await run('policy', 'stop', { isRestart: unknown }), 95)
  t.same(calls, [])
  t.equal(await run('policy', 'stop', { isRestart: () => false }), 0)
  t.same(calls, ['ipsecconf -q -F'])
})

t.test('a file that somebody chose has to be there; the usual one may be missing', async (t) => {
  const { folder, calls, run, mark } = host(t)
  const file = join(folder, 'mine')
  t.equal(await run('policy', 'start', {}, { CONFIG_FILE: file }), 95)
  t.match(mark('policy')?.lines, [`${file}: no such file (config/config_file)`])
  t.same(calls, [])
})

t.test('at boot, the last good policy takes the place of a bad one', async (t) => {
  const { folder, calls, answers, run, mark } = host(t)
  const file = join(folder, 'mine')
  const env = { CONFIG_FILE: file }
  writeFileSync(file, 'good')
  t.equal(await run('policy', 'start', {}, env), 0)
  const kept = join(folder, 'state', 'services', 'policy.last')
  t.equal(readFileSync(kept, 'utf8'), 'good')
  writeFileSync(file, 'bad')
  answers.set(`ipsecconf -Fa ${file}`, { code: 95, err: 'bad\n' })
  calls.length = 0
  t.equal(await run('policy', 'start', {}, env), 95, 'it failed all the same')
  t.same(calls, [`ipsecconf -Fa ${file}`, 'ipsecconf', `ipsecconf -q -Fa ${kept}`])
  t.match(mark('policy')?.lines, ['bad', /last loaded without error was loaded instead/])
  t.equal(readFileSync(kept, 'utf8'), 'good')

  calls.length = 0
  answers.set('ipsecconf', { code: 0, out: '#INDEX 1\n' })
  await run('policy', 'start', {}, env)
  t.same(calls, [`ipsecconf -Fa ${file}`, 'ipsecconf'], 'what is loaded stays')
  calls.length = 0
  await run('policy', 'refresh', {}, env)
  t.same(calls, [`ipsecconf -Fa ${file}`])
})

t.test('the agent is told only of a file without errors', async (t) => {
  const { answers, run } = host(t)
  const hung: unknown[] = []
  const kill = process.kill
  t.teardown(() => {
    process.kill = kill
  })
  process.kill = (...args) => {
    hung.push(args)
    return true
  }
  const env = { MAINPID: '4711', CONFIG_FILE: '/etc/mine.json' }
  t.equal(await run('agent', 'refresh', {}, env), 0)
  t.same(hung, [[4711, 'SIGHUP']])
  t.equal(await run('agent', 'refresh', {}, { ...env, MAINPID: '1' }), 95)
  answers.set('solipsec check /etc/mine.json', { code: 1, err: 'bad\n' })
  t.equal(await run('agent', 'refresh', {}, env), 1)
  t.equal(hung.length, 1)
  let seen: NodeJS.ProcessEnv | undefined
  const command: MethodContext['command'] = async (_, io) => {
    seen = io.env
    return 0
  }
  t.equal(await run('agent', 'refresh', { command }, { ...env, CREDENTIALS_DIRECTORY: '/run/x' }), 0)
  t.match(seen, { MAINPID: '4711' })
  t.notOk(Object.hasOwn(seen ?? {}, 'CREDENTIALS_DIRECTORY'), 'systemd keeps them from who reloads')
})
