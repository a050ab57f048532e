/**
 * Programs of others that ask for policies of their sockets: in Python, of any user, and by `solipsec listen`.
 */
import { spawnSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { twoHosts } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { SocketAgent } from '../../../support/socket-agent.ts'

if (process.geteuid?.() !== 0) t.bailout('needs root')
ownState(t)
t.setTimeout(110_000)

const EXAMPLE = fileURLToPath(new URL('../../../../../docs/examples/secure_socket.py', import.meta.url))
/** The system's own, which every user may run. */
const PYTHON = '/usr/bin/python3'
const SOLIPSEC = fileURLToPath(new URL('../../../../../bin/solipsec', import.meta.url))
/** SAs of one kind alone satisfy it, so that it can be asked for before there are any. */
const PROTECT = { protect: { encryption: 'aes(256)', authentication: 'sha256' } }
const BYPASS = { action: 'bypass' }

t.test('a socket for both families: neither is forgotten', async (t) => {
  const { left, right } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const code = `
import json, socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
def ask(q):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as a:
        a.connect(sys.argv[1])
        socket.send_fds(a, [json.dumps(q).encode()], [s.fileno()])
        return json.loads(a.recv(65536)).get("code", "done")
def sent(to):
    try:
        s.sendto(b"x", (to, 9))
        return "sent"
    except OSError as e:
        return socket.errno.errorcode[e.errno]
protect = {"protect": {"encryption": "aes(256)", "authentication": "sha256"}}
print(ask(protect), ask({"action": "bypass"}))
print(ask({**protect, "peer": "${right.address4}"}), ask({**protect, "peer": "${right.address6}"}))
print(sent("${right.address6}"), sent("::ffff:${right.address4}"))
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.connect(("::ffff:${right.address4}", 9))
print(ask(protect), sent("::ffff:${right.address4}"))
`
  const { stdout, stderr } = await left.exec(PYTHON, ['-c', code, agent.path])
  t.equal(stderr, '')
  t.same(stdout.trim().split('\n'), [
    'EAFNOSUPPORT EAFNOSUPPORT',
    'EAFNOSUPPORT done',
    'EAGAIN ENETUNREACH',
    'done EAGAIN',
  ])
})

t.test('privilege', async (t) => {
  const { left } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const code = `
import json, socket, sys
def ask(q):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as a:
            a.connect(sys.argv[1])
            socket.send_fds(a, [json.dumps(q).encode()], [s.fileno()])
            return json.loads(a.recv(65536)).get("code", "done")
print(ask({"action": "bypass"}), ask({"protect": {"encryption": "aes(256)", "authentication": "sha256"}}))
`
  const asUser = async (...words: string[]): Promise<string> => {
    const { stdout, stderr } = await left.exec('setpriv', [
      ...['--reuid', '65534', '--regid', '65534', '--clear-groups', ...words],
      ...[PYTHON, '-c', code, agent.path],
    ])
    return stderr || stdout.trim()
  }
  // The folder of the test is for root alone; the service's own is not.
  spawnSync('chmod', ['755', new URL('.', `file://${agent.path}`).pathname])
  t.equal(await asUser(), 'EPERM done')
  t.equal(statSync(agent.path).mode & 0o777, 0o666)
  t.equal(
    await asUser('unshare', '--user', '--map-root-user'),
    'EPERM done',
    'root of a user namespace of its own is nobody here',
  )
  const capable = await asUser('--inh-caps', '+net_admin', '--ambient-caps', '+net_admin')
  t.equal(capable, 'done done', 'CAP_NET_ADMIN will do')
})

t.test('the example in Python', async (t) => {
  const { left, right } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const code = `
import socket, sys
sys.path.insert(0, sys.argv[1])
from secure_socket import secure
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(secure(s, {"protect": {"encryption": "aes(256)", "authentication": "sha256"}}, sys.argv[2])["applied"])
for wrong in [{"protect": {"encryption": "rot13"}}, {"protect": {"encryption": "any"}}]:
    try:
        secure(s, wrong, sys.argv[2])
    except OSError as e:
        print(e.errno)
try:
    s.sendto(b"x", ("${right.address4}", 9))
except BlockingIOError:
    print("kept")
`
  const folder = new URL('.', `file://${EXAMPLE}`).pathname
  const { stdout, stderr } = await left.exec(PYTHON, ['-B', '-c', code, folder, agent.path])
  t.equal(stderr, '')
  t.same(stdout.trim().split('\n'), ['True', '22', '11', 'kept'])
})

t.test('solipsec listen', async (t) => {
  const { left, right } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const folder = new URL('.', `file://${agent.path}`).pathname
  const run = (...words: string[]) =>
    left.exec('env', [`SOLIPSEC_RUN_DIR=${folder}`, SOLIPSEC, 'listen', ...words])
  const code = `
import os, signal, socket, sys
s = socket.socket(fileno=3)
print(os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"] == str(os.getpid()), os.environ.get("LISTEN_FDNAMES"))
print(s.getsockname(), s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), sorted(map(int, os.listdir("/proc/self/fd")))[:4])
print(sys.argv[1:])
`
  const program = ['--', PYTHON, '-c', code, '--flag', 'word']
  const protect = JSON.stringify(PROTECT)
  const listening = await run('--policy', protect, '--port', '7007', '--name', 'echo', ...program)
  t.same(listening, {
    stdout: "1 True echo\n('0.0.0.0', 7007) 1 [0, 1, 2, 3]\n['--flag', 'word']\n",
    stderr: '',
    status: 0,
  })
  const datagrams = await run(
    '--policy',
    protect,
    '--address',
    left.address6,
    '--port',
    '0',
    '--udp',
    ...program,
  )
  t.match(datagrams.stdout, `1 True None\n('${left.address6}'`)
  const refused = await run('--policy', '{"protect": {"encryption": "any"}}', '--port', '7007', '--', 'true')
  t.match(refused, { status: 1, stderr: /EAGAIN: there are no SAs yet/ })
  const absent = await run('--policy', JSON.stringify(BYPASS), '--port', '7007', '--', 'no-such-program')
  t.match(absent, { status: 1, stderr: /no-such-program: no such file/ })
  const taken = await run('--policy', '{}', '--port', '7007', '--', 'true')
  t.match(taken, { status: 1, stderr: /EINVAL/ })
  const end = `${folder}/end`
  const untilEnd = ['sh', '-c', `while [ ! -e ${end} ]; do sleep 0.1; done`]
  const server = run('--policy', protect, '--port', '7008', '--', ...untilEnd)
  const speak = () => right.tcpSend(left.address4, 7008, 'in clear', { timeout: 300 })
  let heard = await speak()
  // It takes its time to start.
  for (let i = 0; i < 600 && heard.error === 'ECONNREFUSED'; i++) {
    await sleep(50)
    heard = await speak()
  }
  t.equal(heard.error, 'timeout', 'who does not protect is not heard')
  writeFileSync(end, '')
  t.match(await server, { status: 0, stderr: '' })
})
