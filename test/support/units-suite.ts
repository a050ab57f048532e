/**
 * The section `sockets` in force: programs of units ask, and sockets that were not asked for are told of.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { AgentEvent } from '../../agent/daemon/events.ts'
import { defaultAlgorithmTable } from '../../agent/model/default-algorithms.ts'
import { socketsPath } from '../../agent/runtime/agent-sockets.ts'
import { collectStatus } from '../../agent/status/collect.ts'
import type { Station } from '../vm/support/station.ts'
import { AgentProcess } from './agent-process.ts'
import { ConfigurationPlace } from './configuration-place.ts'
import { UnitCgroup } from './unit-cgroups.ts'
import { until } from './until.ts'

const EXAMPLES = fileURLToPath(new URL('../../../docs/examples/', import.meta.url))
const SOLIPSEC = fileURLToPath(new URL('../../../bin/solipsec', import.meta.url))
/** The system's own, which every user may run. */
const PYTHON = '/usr/bin/python3'
const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
/** SAs of one kind alone satisfy it, so that it can be asked for before there are any. */
const PROTECT = { encryption: 'aes(256)', authentication: 'sha256' }
const OTHER = { encryption: 'aes(128)', authentication: 'sha256' }

/** A program in Python: it reads lines with code; answers each with what it has printed, or the error. */
export const UNIT_PROGRAM = `
import json, socket, sys
sys.path.insert(0, ${JSON.stringify(EXAMPLES)})
from secure_socket import secure
path, sockets = sys.argv[1], {}
def ask(name, request={"action": "service"}):
    try:
        return secure(sockets[name], request, path)
    except OSError as error:
        return {"errno": error.errno, "reason": str(error)}
def make(name, kind="udp", address="0.0.0.0", port=0):
    sockets[name] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    sockets[name].bind((address, port))
    return {"port": sockets[name].getsockname()[1]}
def listen(name):
    sockets[name].listen(8)
    return {}
def connect(name, address, port):
    sockets[name].connect((address, port))
    return {"connected": True}
def accept(name):
    sockets[name + " accepted"] = sockets[name].accept()[0]
    return {"accepted": True}
for line in sys.stdin:
    print(json.dumps(eval(line)), flush=True)
`

export interface Said {
  readonly errno?: number
  readonly reason?: string
  readonly port?: number
  readonly connected?: boolean
  readonly accepted?: boolean
  readonly applied?: boolean
  readonly associations?: readonly string[]
  readonly policy?: object
}

/** A program that waits for what it is to do. */
export class UnitProgram {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(child: ChildProcess) {
    this.#child = child
    if (!child.stdout) throw new Error('no output')
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  async says(code: string): Promise<Said> {
    this.#child.stdin?.write(`${code}\n`)
    const { value } = await this.#lines.next()
    return JSON.parse(value ?? '{}') as Said
  }

  async end(): Promise<void> {
    const end = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await end
  }
}

export interface UnitsHost {
  readonly station: Station
  /** Of the station. */
  readonly address: string
  /** The kernel gives handles of processes at the other end of a socket (Linux 6.5). */
  readonly hasHandles: boolean
}

/** Adds the tests to a file's. */
export function unitsSuite(t: Test, { station, address, hasHandles }: UnitsHost): void {
  const place = new ConfigurationPlace(t, station)
  const { host } = station
  const path = station.visit(socketsPath)
  const unit = (name: string) => `solipsec-${name}-${process.pid}.service`
  const [db, clear, plain] = [unit('db'), unit('clear'), unit('plain')]
  const document = (protect: object) => ({
    sockets: [
      { service: db, protect },
      { service: clear, action: 'bypass' },
    ],
  })
  const program = (t: Test, cgroup: UnitCgroup, ...words: string[]) =>
    new UnitProgram(cgroup.start(t, host, ...words, PYTHON, '-B', '-u', '-c', UNIT_PROGRAM, path))
  const open = () => {
    // Folders of a test are for root alone; the service's own is not.
    for (const folder of [dirname(path), dirname(dirname(path))]) chmodSync(folder, 0o755)
  }

  t.test('programs get the policy of their unit', async (t) => {
    const file = place.file(document(PROTECT))
    const agent = await AgentProcess.start(t, station, '--config', file)
    open()
    const server = program(t, new UnitCgroup(t, db))
    await server.says('make("a")')
    const kinds = { associations: ['ESP aes-cbc 256, hmac-sha256 256'], applied: true }
    t.match(await server.says('ask("a")'), kinds)
    t.match(await server.says('ask("a", {"action": "query"})'), {
      policy: { protect: { encryption: 'aes-cbc(256)' } },
    })
    const worker = program(t, new UnitCgroup(t, `${db}/worker`), ...NOBODY)
    await worker.says('make("a")')
    t.match(await worker.says('ask("a")'), kinds, 'below the unit, without privilege')

    const cleric = program(t, new UnitCgroup(t, clear), ...NOBODY)
    await cleric.says('make("a")')
    t.match(await cleric.says('ask("a", {"action": "bypass"})'), { errno: 1 }, 'of its own accord it may not')
    t.match(
      await cleric.says('ask("a")'),
      hasHandles ? { associations: [], applied: true } : { errno: 1, reason: /Linux 6\.5/ },
      'root has said that it may',
    )
    const impostor = program(t, new UnitCgroup(t, `user@1.service/${clear}`), ...NOBODY)
    await impostor.says('make("a")')
    t.match(await impostor.says('ask("a")'), { errno: 61, reason: /nothing for user@1\.service: add it/ })

    const stranger = program(t, new UnitCgroup(t, plain))
    await stranger.says('make("a")')
    t.match(await stranger.says('ask("a")'), { errno: 61, reason: new RegExp(`nothing for ${plain}`) })
    t.match(await stranger.says('ask("a", {"action": "query"})'), { policy: { action: 'none' } })

    place.file(document(OTHER), file.slice(place.folder.length + 1))
    await agent.call('agent.reload')
    await server.says('make("b")')
    t.match(
      await server.says('ask("b")'),
      { associations: ['ESP aes-cbc 128, hmac-sha256 256'] },
      'the new one',
    )
    t.match(
      await server.says('ask("a", {"action": "query"})'),
      { policy: { protect: { encryption: 'aes-cbc(256)' } } },
      'what was secured keeps what it has',
    )
    t.equal(await agent.stop(), 0)
  })

  t.test('solipsec listen without a policy', async (t) => {
    const agent = await AgentProcess.start(t, station, '--config', place.file(document(PROTECT)))
    const words = ['--port', '7009', '--', 'echo', 'listens']
    const env = ['env', `SOLIPSEC_RUN_DIR=${dirname(path)}`]
    const run = (name: string) => new UnitCgroup(t, name).run(t, host, ...env, SOLIPSEC, 'listen', ...words)
    t.equal(await run(db), 'listens\n')
    t.equal(await run(plain), '')
    t.equal(await agent.stop(), 0)
  })

  t.test('sockets that nobody asked for are told of, once', async (t) => {
    const file = place.file(document(PROTECT))
    const agent = await AgentProcess.start(t, station, '--config', file)
    const server = program(t, new UnitCgroup(t, db))
    for (const one of ['make("own", "tcp", port=7100)', 'ask("own")', 'listen("own")']) await server.says(one)
    for (const one of ['make("local", "tcp", "127.0.0.1")', 'listen("local")']) await server.says(one)
    for (const one of ['make("bare", "tcp", port=7101)', 'listen("bare")']) await server.says(one)
    await server.says(`make("udp", "udp", "${address}", 7102)`)
    const cleric = program(t, new UnitCgroup(t, clear))
    await cleric.says('make("a", "udp")')
    const told = () =>
      agent.events
        .filter(({ event }) => event === 'unprotected-socket')
        .map(({ details }: AgentEvent) => `${details?.unit} ${details?.protocol} ${details?.localPort}`)
        .sort()
    await agent.call('agent.reload')
    await until(async () => told().length >= 2)
    t.same(told(), [`${db} tcp 7101`, `${db} udp 7102`])
    await agent.call('agent.reload')
    t.equal(told().length, 2)
    const units = () => station.visit(() => collectStatus(defaultAlgorithmTable)).units
    t.same(units(), [{ unit: db, sockets: 3, unprotected: 2 }])
    await agent.stop('SIGKILL')
    t.equal(units(), undefined, 'nobody looks')

    const next = await AgentProcess.start(t, station, '--config', file)
    await next.event('unprotected-socket')
    await next.event('unprotected-socket')
    await next.call('agent.reload')
    t.same(units(), [{ unit: db, sockets: 3, unprotected: 2 }], 'what the agent before has given is known')
    place.file({}, file.slice(place.folder.length + 1))
    await next.call('agent.reload')
    t.equal(units(), undefined)
    t.equal(await next.stop(), 0)
    await server.end()
    await cleric.end()
  })
}
