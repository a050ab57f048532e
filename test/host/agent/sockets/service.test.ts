/**
 * The service for policies of sockets, with real sockets and this kernel's XFRM: who may ask for what, what is refused,
 * and what the kernel makes of it. There is no ESP here, so what is protected does not pass.
 */
import { spawnSync } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { sendParcel } from '../../../../netlink/libc/descriptors.ts'
import { netnsCookie, openNetns, withNetns } from '../../../../netlink/libc/netns.ts'
import { close, listen, SOCK_DGRAM, SOL_SOCKET, setSockOpt } from '../../../../netlink/libc/socket.ts'
import { opener, sent } from '../../../support/host-sockets.ts'
import { twoHosts } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { type Answer, receive, SocketAgent } from '../../../support/socket-agent.ts'
import { accept, bound, connect, pause, SOCK_STREAM, trySend } from '../../../vm/support/sockets.ts'

if (process.geteuid?.() !== 0) t.bailout('needs root')
ownState(t)
t.setTimeout(110_000)

const IPSECCONF = fileURLToPath(new URL('../../../../../bin/ipsecconf', import.meta.url))
const SO_LINGER = 13
/** SAs of one kind alone satisfy it, so that it can be asked for before there are any. */
const PROTECT = { protect: { encryption: 'aes(256)', authentication: 'sha256' } }
const BYPASS = { action: 'bypass' }
const QUERY = { action: 'query' }
const NONE = { action: 'none' }

const outcome = ({ errno, code = 'done', reason }: Answer): string =>
  errno === 0 || reason ? code : 'no reason'

t.test('policies, in clear and protected, of both families', async (t) => {
  const { left, right } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const socket = opener(t, left)
  for (const [own, other] of [
    [left.address4, right.address4],
    [left.address6, right.address6],
  ] as const) {
    const fd = socket(SOCK_DGRAM, own)
    t.match(agent.request(QUERY, fd), { errno: 0, policy: { action: 'none' } })
    t.match(agent.request(PROTECT, fd), { errno: 0, associations: ['ESP aes-cbc 256, hmac-sha256 256'] })
    t.equal(sent(fd, other), 'EAGAIN', 'no SA, no packet')
    t.match(agent.request(QUERY, fd), {
      policy: { protect: { encryption: 'aes-cbc(256)', authentication: 'hmac-sha256(256..)' } },
    })
    t.match(agent.request(BYPASS, fd), { errno: 0, associations: [] })
    t.equal(sent(fd, other), 'sent')
    t.match(agent.request(QUERY, fd), { policy: BYPASS, request: { ipsr_ah_req: 1, ipsr_esp_req: 1 } })
    t.match(agent.request(PROTECT, fd), { errno: 0 })
    t.match(agent.request(NONE, fd), { errno: 0 })
    t.equal(sent(fd, other), 'sent', 'its own policy is gone')
    t.match(agent.request(QUERY, fd), { policy: NONE })
  }
  const { stdout } = await left.exec('ip', ['xfrm', 'policy'])
  t.equal(stdout, '', 'nothing is left in the kernel')
})

t.test('the binary form', async (t) => {
  const { left, right } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const fd = opener(t, left)(SOCK_DGRAM, left.address4)
  const ask = (bytes: readonly number[]) => [...(agent.ask(Uint8Array.from(bytes), [fd]) ?? [])]
  const number = (bytes: readonly number[]) => bytes[0]
  // 3des has one key length, and so has HMAC-SHA-1: one kind.
  const triple = [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 0]
  t.same(ask(triple), [0, 0, 0, 0])
  t.equal(sent(fd, right.address4), 'EAGAIN')
  t.same(ask([0x3f]), [0, 0, 0, 0, ...triple])
  const never = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  t.same(ask(never), [0, 0, 0, 0])
  t.equal(sent(fd, right.address4), 'sent')
  t.same(ask(new Array(16).fill(0)), [0, 0, 0, 0])
  t.equal(number(ask([...never, 0])), 22, 'too long')
  t.equal(number(ask(never.slice(1))), 22, 'too short')
  t.equal(number(ask([3, ...never.slice(1)])), 22, 'never and required')
  t.equal(number(ask([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0])), 22, 'no such algorithm')
  t.equal(number(ask([2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])), 89, 'a tunnel, but to whom?')
})

t.test('what is refused', async (t) => {
  const { left, right } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const socket = opener(t, left)
  const elsewhere = opener(t, right)
  const fd = socket(SOCK_DGRAM, left.address4)
  const refused = (request: object, ...descriptors: number[]) =>
    outcome(agent.request(request, ...descriptors))
  t.equal(refused(BYPASS), 'EBADF', 'no descriptor')
  t.equal(refused(BYPASS, fd, fd), 'EINVAL', 'two')
  t.equal(refused(BYPASS, openSync('/dev/null', 'r')), 'ENOTSOCK')
  t.equal(refused(BYPASS, agent.open()), 'EAFNOSUPPORT', 'a UNIX socket')
  t.equal(refused(BYPASS, elsewhere(SOCK_DGRAM, right.address4)), 'EXDEV', 'of another namespace')
  t.equal(refused(QUERY, elsewhere(SOCK_DGRAM, right.address4)), 'EXDEV')
  t.equal(refused({ protect: { encryption: 'any' } }, fd), 'EAGAIN', 'no SAs, and many kinds would do')
  t.equal(refused({ ...PROTECT, selfEncapsulation: true }, fd), 'EDESTADDRREQ')
  t.equal(refused({ ...PROTECT, peer: right.address6 }, fd), 'EINVAL', 'a peer of another family')
  t.equal(refused({ ...PROTECT, padding: 'x'.repeat(5000) }, fd), 'EMSGSIZE')
  t.equal(refused({ protect: { encryption: 'rot13' } }, fd), 'EINVAL')
  const before = performance.now()
  t.equal(refused({ protect: { encryption: 'any' }, wait: 0.6 }, fd), 'EAGAIN', 'waited in vain')
  t.ok(performance.now() - before >= 600)
})

t.test('too late: a connection keeps the policy that it has', async (t) => {
  const { left } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const socket = opener(t, left)
  const listener = socket(SOCK_STREAM, '127.0.0.1', 8000)
  listen(listener, 8)
  t.equal(outcome(agent.request(BYPASS, listener)), 'done', 'listens, without connections')
  const client = socket(SOCK_STREAM, '127.0.0.1')
  connect(client, '127.0.0.1', 8000)
  t.equal(outcome(agent.request(PROTECT, listener)), 'EINVAL', 'one waits')
  const child = accept(listener)
  if (child === undefined) return t.fail('no connection')
  t.teardown(() => close(child))
  for (const one of [client, child]) {
    for (const request of [PROTECT, BYPASS, NONE]) t.equal(outcome(agent.request(request, one)), 'EINVAL')
  }
  t.match(agent.request(QUERY, child), { policy: BYPASS, inherited: true })
  t.match(agent.request(QUERY, client), { policy: NONE })
  const { stdout } = await left.exec('ip', ['xfrm', 'policy'])
  t.equal(stdout.match(/socket (in|out)/g)?.length, 4, 'the kernel gave the child both policies')
})

t.test('loopback: nothing to protect, as on Solaris', async (t) => {
  const { left } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  for (const own of ['127.0.0.1', '::1']) {
    const fd = opener(t, left)(SOCK_DGRAM, own)
    t.match(agent.request(PROTECT, fd), { errno: 0, applied: false })
    t.equal(sent(fd, own), 'sent')
    t.match(agent.request(QUERY, fd), { policy: { protect: {} } })
  }
})

t.test('the tunable: the rules of the host come first', async (t) => {
  const { left } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left, 'override')
  const fd = opener(t, left)(SOCK_DGRAM, left.address4)
  t.equal(outcome(agent.request(PROTECT, fd)), 'EACCES')
  t.equal(outcome(agent.request(BYPASS, fd)), 'EACCES')
  t.equal(outcome(agent.request(NONE, fd)), 'done')
})

t.test('sockets and kinds of SAs are forgotten when they are gone', async (t) => {
  const { left } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left, '50')
  const socket = opener({ teardown: () => {} }, left)
  const fds = [SOCK_DGRAM, SOCK_STREAM].flatMap((type) =>
    [left.address4, left.address6].map((own) => socket(type, own)),
  )
  for (const fd of fds) t.equal(outcome(agent.request(PROTECT, fd)), 'done')
  t.equal(await agent.sockets(), 4)
  const folder = `netns-${withNetns(left.namespace, netnsCookie)}`
  const isKept = () =>
    readFileSync(`${process.env.SOLIPSEC_RUN_DIR}/${folder}/policy.json`, 'utf8').includes('"encrBits":256')
  t.ok(isKept())
  for (const fd of fds) close(fd)
  for (let i = 0; i < 200 && (await agent.sockets()) > 0; i++) pause(10)
  t.equal(await agent.sockets(), 0)
  for (let i = 0; i < 400 && isKept(); i++) pause(10)
  t.notOk(isKept(), 'SAs of the kind need no number of their own any more')
})

t.test('floods, and clients that stall, keep nobody else from being served', async (t) => {
  const { left } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const fd = opener(t, left)(SOCK_DGRAM, left.address4)
  const descriptors = () => Number(spawnSync('sh', ['-c', `ls /proc/${agent.pid}/fd | wc -l`]).stdout)
  const before = descriptors()
  const asks = new TextEncoder().encode(JSON.stringify(QUERY))
  const stalled = Array.from({ length: 20 }, () => agent.open())
  for (const one of stalled) agentFlood(one, asks, fd)
  t.equal(outcome(agent.request(QUERY, fd)), 'done')
  t.equal(outcome(agent.request(PROTECT, fd)), 'done')
  for (const one of stalled) close(one)
  // Descriptors that are not asked for are closed, wrong requests or right.
  for (let i = 0; i < 300; i++) agent.ask(asks, [fd, fd, fd, fd])
  for (let i = 0; i < 100 && descriptors() > before + 2; i++) pause(10)
  t.ok(descriptors() <= before + 2, `${descriptors()} descriptors, ${before} before`)
  const crowd = Array.from({ length: 600 }, () => agent.open())
  t.equal(receive(crowd[599] ?? 0), undefined, 'beyond the limit it hangs up')
  for (const one of crowd) close(one)
  for (let i = 0; i < 100; i++) {
    try {
      t.equal(outcome(agent.request(QUERY, fd)), 'done', 'served again')
      break
    } catch {
      pause(20)
    }
  }
})

t.test('a socket that takes long to close keeps nobody waiting', async (t) => {
  const { left, right } = await twoHosts(t)
  const agent = await SocketAgent.start(t, left)
  const socket = opener(t, left)
  const listener = opener(t, right)(SOCK_STREAM, right.address4, 7)
  listen(listener, 8)
  const netns = openNetns(left.namespace)
  t.teardown(() => close(netns))
  const lingering = withNetns(netns, () => bound(SOCK_STREAM, 0, left.address4))
  connect(lingering, right.address4, 7)
  for (let i = 0; i < 200 && !trySend(lingering, new Uint8Array(1)); i++) pause(10)
  await right.ip(`link set ${right.device} down`)
  // What it has sent will never be acknowledged, and it waits for that for ten minutes.
  while (trySend(lingering, new Uint8Array(65536)));
  setSockOpt(lingering, SOL_SOCKET, SO_LINGER, new Uint8Array(Int32Array.of(1, 600).buffer))
  const connection = agent.open()
  sendParcel(connection, new TextEncoder().encode(JSON.stringify(QUERY)), [lingering])
  // The agent's descriptor is the last one: its close waits, but not this one.
  close(lingering)
  t.ok(receive(connection))
  t.equal(outcome(agent.request(QUERY, socket(SOCK_DGRAM, left.address4))), 'done')
  close(connection)
  // Node would wait for the thread that closes.
  await agent.kill()
})

/** Requests, answers to which are never read, until no more are taken. */
function agentFlood(connection: number, bytes: Uint8Array, fd: number): void {
  for (let i = 0; i < 2000; i++) {
    try {
      sendParcel(connection, bytes, [fd])
    } catch {
      return
    }
  }
}

t.test('the software data path sees no sockets: refused', async (t) => {
  const { left } = await twoHosts(t)
  const ipsecconf = (...words: string[]) =>
    spawnSync(IPSECCONF, ['--netns', left.namespace, '--datapath', 'software', '-q', ...words], {
      input: '{rport 9} ipsec {encr_algs aes encr_auth_algs sha256}\n',
      encoding: 'utf8',
    })
  const { status, stderr } = ipsecconf('-a', '-')
  t.equal(status, 0, stderr)
  t.teardown(() => ipsecconf('-F'))
  const agent = await SocketAgent.start(t, left)
  const fd = opener(t, left)(SOCK_DGRAM, left.address4)
  for (const request of [PROTECT, BYPASS]) t.equal(outcome(agent.request(request, fd)), 'EOPNOTSUPP')
  t.equal(outcome(agent.request(NONE, fd)), 'done')
})
