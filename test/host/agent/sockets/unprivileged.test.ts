/** The service for policies of sockets and users without privilege: all that they can ask for, and what they can use up. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { SOCK_DGRAM } from '../../../../netlink/libc/socket.ts'
import { opener, sent } from '../../../support/host-sockets.ts'
import { type Host, twoHosts } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { SocketAgent } from '../../../support/socket-agent.ts'
import { canMakeCgroups, UnitCgroup } from '../../../support/unit-cgroups.ts'

if (process.geteuid?.() !== 0) t.bailout('needs root')
ownState(t)
t.setTimeout(110_000)

/** The system's own, which every user may run. */
const PYTHON = '/usr/bin/python3'
const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups']
/** SAs of one kind alone satisfy it, so that it can be asked for before there are any. */
const PROTECT = { protect: { encryption: 'aes(256)', authentication: 'sha256' } }
const BYPASS = { action: 'bypass' }
const QUERY = { action: 'query' }
const NONE = { action: 'none' }
const SERVICE = { action: 'service' }
/** The binary form. 3des has one key length, and so has HMAC-SHA-1: one kind. */
const TRIPLE = [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 0]
const NEVER = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
const NOTHING = new Array(16).fill(0)
const BINARY_QUERY = [0x3f]
const [EPERM, ENODATA] = [1, 61]

/** Asks about descriptor 3, or a socket of its own where there is none; a list of numbers is a request in the binary form. */
const ASK = `
import json, os, socket, struct, sys
try:
    fd = os.fstat(3) and 3
except OSError:
    fd = socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()
for word in sys.argv[2:]:
    request = json.loads(word)
    binary = isinstance(request, list)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as a:
        a.connect(sys.argv[1])
        socket.send_fds(a, [bytes(request) if binary else word.encode()], [fd])
        answer = a.recv(65536)
    if binary:
        print(json.dumps({"errno": struct.unpack("i", answer[:4])[0], "rest": list(answer[4:])}))
    else:
        print(answer.decode())
`

type Request = object | readonly number[]
interface Told {
  readonly errno: number
  readonly rest?: readonly number[]
  readonly policy?: object
  readonly reason?: string
}

const wordsOf = (agent: SocketAgent, requests: readonly Request[]) => [
  ...[...AS_NOBODY, PYTHON, '-c', ASK, agent.path],
  ...requests.map((one) => JSON.stringify(one)),
]
const answersOf = (out: string): Told[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Told)

/** What nobody is answered about a socket that he was handed. */
function asNobody(agent: SocketAgent, fd: number, ...requests: Request[]): Told[] {
  const { stdout } = spawnSync('setpriv', wordsOf(agent, requests), {
    stdio: ['ignore', 'pipe', 'inherit', fd],
    encoding: 'utf8',
  })
  return answersOf(stdout)
}

async function start(
  t: Parameters<typeof twoHosts>[0],
  host: Host,
  ...words: string[]
): Promise<SocketAgent> {
  const agent = await SocketAgent.start(t, host, ...words)
  // The folder of the test is for root alone; the service's own is not.
  chmodSync(dirname(agent.path), 0o755)
  return agent
}

t.test('protection of his own, asked for, seen and taken away, in both forms', async (t) => {
  const { left, right } = await twoHosts(t)
  const agent = await start(t, left)
  const fd = opener(t, left)(SOCK_DGRAM, left.address4)
  const { policy } = agent.request(QUERY, fd)
  t.match(asNobody(agent, fd, QUERY, PROTECT, QUERY, BYPASS), [
    { errno: 0, policy },
    { errno: 0, associations: ['ESP aes-cbc 256, hmac-sha256 256'] },
    { errno: 0, policy: { protect: { encryption: 'aes-cbc(256)' } } },
    { errno: EPERM, reason: /pass in clear/ },
  ])
  t.equal(sent(fd, right.address4), 'EAGAIN', 'it is protected')
  t.match(asNobody(agent, fd, NONE, QUERY), [{ errno: 0 }, { errno: 0, policy: NONE }])
  t.equal(sent(fd, right.address4), 'sent')
  t.match(asNobody(agent, fd, TRIPLE, BINARY_QUERY, NEVER), [
    { errno: 0 },
    { errno: 0, rest: TRIPLE },
    { errno: EPERM },
  ])
  t.equal(sent(fd, right.address4), 'EAGAIN')
  t.match(asNobody(agent, fd, NOTHING, BINARY_QUERY), [{ errno: 0 }, { errno: 0, rest: NOTHING }])
  t.equal(sent(fd, right.address4), 'sent')
})

t.test('what root had protected stays so', async (t) => {
  const { left, right } = await twoHosts(t)
  const agent = await start(t, left)
  const fd = opener(t, left)(SOCK_DGRAM, left.address4)
  t.match(agent.request(PROTECT, fd), { errno: 0 })
  const theirs = { errno: EPERM, reason: /another user has had this socket protected/ }
  t.match(asNobody(agent, fd, NONE, NOTHING, PROTECT, TRIPLE, BYPASS, NEVER, QUERY), [
    theirs,
    { errno: EPERM },
    theirs,
    { errno: EPERM },
    { errno: EPERM },
    { errno: EPERM },
    { errno: 0, policy: { protect: { encryption: 'aes-cbc(256)' } } },
  ])
  t.equal(sent(fd, right.address4), 'EAGAIN', 'nothing goes in clear')
  t.match(agent.request(BYPASS, fd), { errno: 0 })
  t.match(asNobody(agent, fd, PROTECT, NONE), [{ errno: 0 }, { errno: 0 }], 'what passes in clear is no loss')
  t.match(agent.request(PROTECT, fd), { errno: 0 })
  t.match(agent.request(NONE, fd), { errno: 0 }, 'root may')
  t.equal(sent(fd, right.address4), 'sent')
})

t.test('a policy that the service does not know of', async (t) => {
  const { left, right } = await twoHosts(t)
  const before = await start(t, left)
  const fd = opener(t, left)(SOCK_DGRAM, left.address4)
  t.match(before.request(PROTECT, fd), { errno: 0 })
  await before.stop()
  const agent = await start(t, left)
  t.match(asNobody(agent, fd, QUERY, NONE, NOTHING), [{ policy: NONE }, { errno: 0 }, { errno: 0 }])
  t.equal(sent(fd, right.address4), 'EAGAIN', 'is not touched')
  t.match(agent.request(NONE, fd), { errno: 0 })
  t.equal(sent(fd, right.address4), 'sent', 'but by root')
})

t.test('what the configuration says', async (t) => {
  const { left } = await twoHosts(t)
  const unit = `solipsec-socket-${process.pid}.service`
  const agent = await start(t, left, `unit:${unit}`)
  t.match(asNobody(agent, opener(t, left)(SOCK_DGRAM, left.address4), SERVICE), [{ errno: ENODATA }])
  if (!canMakeCgroups()) return t.comment('there is no tree of cgroups to write to')
  const asUnit = async (name: string, ...requests: Request[]) =>
    answersOf(await new UnitCgroup(t, name).run(t, left, 'setpriv', ...wordsOf(agent, requests)))
  t.match(await asUnit(unit, SERVICE, QUERY, NONE), [
    { errno: 0, associations: ['ESP aes-cbc 256, hmac-sha256 256'] },
    { policy: { protect: { encryption: 'aes-cbc(256)' } } },
    { errno: 0 },
  ])
  t.match(await asUnit('other.service', SERVICE), [{ errno: ENODATA, reason: /nothing for other\.service/ }])
})

t.test('a flood of requests uses up little, and root is served', async (t) => {
  const { left } = await twoHosts(t)
  const agent = await start(t, left)
  const fd = opener(t, left)(SOCK_DGRAM, left.address4)
  const script = `
import json, select, socket, sys, time
path, words = sys.argv[1], [word.encode() for word in sys.argv[2:]]
crowd = []
for i in range(80):
    a = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        a.connect(path)
    except OSError:
        continue
    a.setblocking(False)
    crowd.append(a)
own = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for a in crowd]
sent = refused = 0
end = time.monotonic() + 5
while time.monotonic() < end:
    for i, a in enumerate(crowd):
        try:
            if i % 2:  # the others never read
                while a.recv(65536): pass
        except OSError: pass
        for n in range(20):
            try:
                socket.send_fds(a, [words[(i + n) % len(words)]], [own[i].fileno()] * (1 + n % 3))
                sent += 1
            except OSError:
                refused += 1
                break
    for i, a in enumerate(crowd):
        try:
            a.send(b"")
        except BlockingIOError: pass
        except OSError:
            a.close()
            crowd[i] = a = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                a.connect(path)
            except OSError: pass
            a.setblocking(False)
print(sent, refused)
`
  const memory = (): number => {
    const [, pages] = readFileSync(`/proc/${agent.pid}/statm`, 'latin1').split(' ')
    return Number(pages) * 4096
  }
  t.match(agent.request(PROTECT, fd), { errno: 0 })
  const before = memory()
  const requests = [PROTECT, QUERY, NONE, SERVICE, BYPASS, { padding: 'x'.repeat(4000) }]
  const argv = [...AS_NOBODY, PYTHON, '-c', script, agent.path, ...requests.map((one) => JSON.stringify(one))]
  const child = spawn('setpriv', argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const told = text(child.stdout)
  let isOver = false
  void told.then(() => {
    isOver = true
  })
  let [peak, calls, longest] = [0, 0, 0]
  while (!isOver) {
    const start = performance.now()
    t.match(agent.request(calls % 2 ? QUERY : PROTECT, fd), { errno: 0 })
    longest = Math.max(longest, performance.now() - start)
    peak = Math.max(peak, memory() - before)
    calls++
    await sleep(20)
  }
  const [taken = 0] = (await told).split(' ').map(Number)
  t.comment(
    `${taken} requests; ${calls} of root meanwhile, the longest ${longest.toFixed(0)} ms; ${(peak / 2 ** 20).toFixed(0)} MB more`,
  )
  t.ok(taken > 100, 'it was a flood')
  t.ok(calls > 1)
  t.ok(longest < 2000, `${longest} ms`)
  t.ok(peak < 128 * 2 ** 20, `${peak} bytes`)
})
