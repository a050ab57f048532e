/** The agent among users who do not mean well: what they can see, what they can ask for, and what they can use up. */
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Agent } from '../../../../agent/daemon/agent.ts'
import { code } from '../../../../agent/daemon/control/protocol.ts'
import { controlMethods } from '../../../../compat/commands/solipsec/agent/methods.ts'
import { AgentProcess } from '../../../support/agent-process.ts'
import { deletion, find, meddle, spisOf } from '../../../support/agent-world.ts'
import { ConfigurationPlace, espPair } from '../../../support/configuration-place.ts'
import { ownState } from '../../../support/own-state.ts'
import { softwarePair } from '../../../support/software-pair.ts'
import { keyOf } from '../../../vm/support/keys.ts'

t.setTimeout(240_000)
ownState(t)
const { left } = await softwarePair(t, ['10.1.0.1/24'], ['10.1.0.2/24'])
const [L, R] = ['10.1.0.1', '10.1.0.2']
const here = new ConfigurationPlace(t, left)
const runDirectory = process.env.SOLIPSEC_RUN_DIR ?? ''

const DOCUMENT = {
  policies: [{ local: L, remote: R, protect: { encryption: 'aes(128)', authentication: 'sha256' } }],
  associations: espPair(0x1000, L, R),
}
/** Keys as they may be shown: any eight bytes of one. */
const KEYS = [0x1000, 0x1001].flatMap((spi) => [keyOf(spi, 'cipher', 128), keyOf(spi, 'integrity', 256)])
const PIECES = KEYS.flatMap((key) => [key.subarray(0, 8), key.subarray(-8)])

function hasKey(shown: string | Buffer): boolean {
  const bytes = Buffer.from(shown)
  const lower = bytes.toString('latin1').toLowerCase()
  return PIECES.some((piece) => bytes.includes(piece) || lower.includes(piece.toString('hex')))
}

const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups']

/** Runs a program of Node as nobody. */
function asNobody(script: string, ...argv: string[]) {
  return spawn('setpriv', [...AS_NOBODY, process.execPath, '-e', script, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

const file = here.file(DOCUMENT)
const agent = await AgentProcess.start(t, left, '--config', file)
const memory = (): number => {
  const [, pages] = readFileSync(`/proc/${agent.pid}/statm`, 'latin1').split(' ')
  return Number(pages) * 4096
}

t.test('its process shows no key, leaves no memory in a core, and opens to no debugger', async (t) => {
  for (const name of ['cmdline', 'environ', 'comm', 'status']) {
    t.notOk(hasKey(readFileSync(`/proc/${agent.pid}/${name}`)), name)
  }
  t.notOk(hasKey(spawnSync('ps', ['-eo', 'args', 'e']).stdout ?? ''), 'ps')
  t.equal(readFileSync(`/proc/${agent.pid}/coredump_filter`, 'latin1').trim(), '00000000')
  agent.signal('SIGUSR1')
  await agent.settle()
  await sleep(100)
  t.notMatch(agent.err, /debugger/i)
  t.match(await agent.status(), { state: 'online' })
})

t.test('nothing that it tells has a key in it', async (t) => {
  const good = JSON.stringify(DOCUMENT, undefined, 1)
  const key = keyOf(0x1000, 'cipher', 128).toString('hex')
  for (const bad of [
    good.slice(0, good.indexOf(key) + 20),
    good.replace(key, `${key}zz`),
    good.replace(`"${key}"`, key),
    good.replace('"key"', `"${key}"`),
    good.replace('"aes"', `"${key}"`),
  ]) {
    writeFileSync(file, bad, { mode: 0o600 })
    await t.rejects(agent.call('agent.reload'))
    t.notOk(hasKey(JSON.stringify(await agent.status())), 'status')
  }
  writeFileSync(file, good, { mode: 0o600 })
  await agent.call('agent.reload')
  t.notOk(hasKey(agent.err), 'log')
  t.notOk(hasKey(JSON.stringify(agent.notified)), 'events')
})

t.test('files are for root alone', async (t) => {
  t.equal(statSync(left.folder).mode & 0o777, 0o700)
  for (const name of readdirSync(left.folder)) {
    const { mode, uid } = statSync(join(left.folder, name))
    t.equal(mode & 0o077, 0, name)
    t.equal(uid, 0, name)
  }
  t.equal(statSync(agent.path).mode & 0o007, 0, 'the control socket')
  const seen = spawnSync('setpriv', [...AS_NOBODY, 'sh', '-c', `cat "$0"/* 2>&1; ls "$0" 2>&1`, left.folder])
  t.match(String(seen.stdout), /Permission denied/)
  t.notOk(hasKey(seen.stdout))
})

t.test('whoever is not root may make no call that changes something, whatever is in it', async (t) => {
  for (const path of [dirname(runDirectory), runDirectory]) chmodSync(path, 0o755)
  chmodSync(agent.path, 0o666)
  const methods = Object.entries(controlMethods({} as Agent))
  const params = [
    {},
    { command: 'ipsecconf', argv: ['-F'] },
    { command: 'ipseckey', argv: ['dump'] },
    { command: 'ipseckey', argv: ['-p', 'save', 'all'] },
    { command: 'ipsecconf', argv: ['-l', '--netns', '/proc/1/ns/net'] },
    { command: '__proto__', argv: ['-l'] },
    { command: 'ipsecconf', argv: Array(5000).fill('-l') },
    { command: 'ipsecconf', argv: ['-l'.padEnd(30_000, 'n')] },
    { command: 7, argv: { length: 1 } },
  ]
  const calls = methods.flatMap(([method, { access }]) =>
    params.map((one) => ({ method, access, params: one })),
  )
  const script = `
    const { createConnection } = require('node:net')
    const socket = createConnection(process.argv[1])
    process.stdin.pipe(socket)
    socket.pipe(process.stdout)
  `
  const child = asNobody(script, agent.path)
  const requests = calls.map(({ method, params }, id) =>
    JSON.stringify({ jsonrpc: '2.0', id, method, params }),
  )
  const answers = new Map<number, { error?: { code: number }; result?: unknown }>()
  const all = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      t.notOk(hasKey(line))
      const answer = JSON.parse(line)
      answers.set(answer.id, answer)
      if (answers.size === calls.length) resolve()
    })
  })
  child.stdin.write(`${requests.join('\n')}\n`)
  await all
  child.kill()
  for (const [id, { method, access }] of calls.entries()) {
    if (access === 'change') t.equal(answers.get(id)?.error?.code, code.NOT_ALLOWED, method)
  }
  t.match(await agent.settle(), { rules: 1, associations: 2, drifts: 0 })
})

t.test('a flood of requests uses up little, and others are served', async (t) => {
  const script = `
    const { createConnection } = require('node:net')
    const line = '{"jsonrpc":"2.0","id":1,"method":"agent.status"}\\n'
    const show = '{"jsonrpc":"2.0","id":1,"method":"command.show","params":{"command":"ipsecconf","argv":["-l"]}}\\n'
    const big = Buffer.from((line.repeat(500) + show).repeat(4))
    let sent = 0
    for (let i = 0; i < 64; i++) {
      const socket = createConnection(process.argv[1])
      socket.on('error', () => {})
      if (i % 2) socket.resume() // the others never read
      const push = (error) => { if (!error && socket.writable) { sent++; socket.write(big, (e) => setImmediate(push, e)) } }
      push()
    }
    setTimeout(() => { process.stdout.write(String(sent)); process.exit() }, 5000)
  `
  const before = memory()
  const child = asNobody(script, agent.path)
  const sent = text(child.stdout)
  let isOver = false
  void sent.then(() => {
    isOver = true
  })
  let [peak, calls] = [0, 0]
  let longest = 0
  while (!isOver) {
    const start = performance.now()
    t.match(await agent.status(), { state: 'online' })
    longest = Math.max(longest, performance.now() - start)
    peak = Math.max(peak, memory() - before)
    calls++
    await sleep(20)
  }
  t.comment(
    `${await sent} bursts of 2000 requests; ${calls} calls of root meanwhile, the longest ${longest.toFixed(0)} ms; ${(peak / 2 ** 20).toFixed(0)} MB more`,
  )
  t.ok(calls > 1)
  t.ok(longest < 2000, `the longest took ${longest} ms`)
  t.ok(peak < 256 * 2 ** 20, `${peak} bytes`)
  t.match(await agent.settle(), { rules: 1, drifts: 0 })
})

t.test('keys are wiped when they are needed no more', async (t) => {
  t.not(keysInMemory(agent.pid), 0, 'it has them while there are SAs to look after')
  meddle(left, (connection) => connection.send(deletion(find(left, 0x1000))))
  await agent.event('drift-mended')
  meddle(left, (connection) => connection.send({ name: 'FLUSHSA', body: { proto: 0 }, attributes: {} }))
  await agent.event('drift-mended')
  t.same(spisOf(left), [0x1000, 0x1001], 'it has needed them')
  await here.apply({ policies: [], associations: [] })
  await agent.settle()
  t.match(await agent.status(), { associations: 0 })
  // It is told of the end of SAs by and by, with their keys.
  for (let i = 0; keysInMemory(agent.pid) > 0 && i < 20; i++) await sleep(50)
  t.equal(keysInMemory(agent.pid), 0, `of ${KEYS.length} keys`)
  t.equal(await agent.stop(), 0)
})

/** Looks through all of a process's memory. The text of a file, where keys are digits, is JavaScript's: nobody can wipe it. */
function keysInMemory(pid: number): number {
  const script = `
import sys, re
pid, keys = sys.argv[1], [bytes.fromhex(key) for key in sys.argv[2:]]
found = set()
with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as mem:
    for line in maps:
        m = re.match(r'([0-9a-f]+)-([0-9a-f]+) rw', line)
        if not m: continue
        start, end = (int(x, 16) for x in m.groups())
        try:
            mem.seek(start)
            part = mem.read(end - start)
            found.update(key for key in keys if key in part)
        except (OSError, ValueError, OverflowError): pass
print(len(found))
`
  const argv = ['-c', script, String(pid), ...KEYS.map((key) => key.toString('hex'))]
  return Number(spawnSync('python3', argv).stdout)
}

t.test('a run directory that others can write to, or that is no folder, is not used', async (t) => {
  const other = join(here.folder, 'other')
  const victim = join(here.folder, 'victim')
  mkdirSync(victim)
  const refused = async () => {
    process.env.SOLIPSEC_RUN_DIR = other
    try {
      return await left.ipsecconf(['-l'])
    } finally {
      process.env.SOLIPSEC_RUN_DIR = runDirectory
    }
  }
  mkdirSync(other, { mode: 0o755 })
  chmodSync(other, 0o777)
  t.match(
    await refused(),
    { code: 1, err: /has to be a folder that belongs to the user/ },
    'anybody may write',
  )
  chmodSync(other, 0o755)
  const name = left.folder.slice(left.folder.lastIndexOf('/') + 1)
  symlinkSync(victim, join(other, name))
  t.match(await refused(), { code: 1, err: /has to be a folder/ }, 'a link for the folder')
  rmSync(join(other, name))
  mkdirSync(join(other, name), { mode: 0o700 })
  const lock = join(other, name, 'lock')
  symlinkSync(join(victim, 'lock'), lock)
  t.match(await refused(), { code: 1, err: /ELOOP|symbolic/i }, 'a link for the lock')
  rmSync(lock)
  const precious = join(victim, 'precious')
  writeFileSync(precious, 'precious')
  for (const one of ['policy.pending.new', 'changes.new', 'associations.json.new']) {
    symlinkSync(precious, join(other, name, one))
  }
  process.env.SOLIPSEC_RUN_DIR = other
  await left.policy('')
  process.env.SOLIPSEC_RUN_DIR = runDirectory
  t.equal(readFileSync(precious, 'latin1'), 'precious', 'links for state files lead nowhere')
  t.same(readdirSync(victim), ['precious'])
  rmSync(other, { recursive: true })
  symlinkSync(victim, other)
  t.match(await refused(), { code: 1, err: /has to be a folder/ }, 'a link for all of it')
})
