/**
 * `solipsec/socket` with Node's own sockets and servers: what is asked for arrives at the kernel, and what may not be
 * asked for is refused with a reason.
 */
import { createSocket } from 'node:dgram'
import { createServer as createHttp, get } from 'node:http'
import { type AddressInfo, createServer, connect as netConnect, type Server, type Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import t from 'tap'
import {
  bind,
  connect,
  listen,
  query,
  queryDescriptor,
  type SocketPolicy,
  secure,
} from '../../../../agent/sockets/client/index.ts'
import { enterNetns } from '../../../../netlink/libc/netns.ts'
import { twoHosts } from '../../../support/namespaces.ts'
import { ownState } from '../../../support/own-state.ts'
import { SocketAgent } from '../../../support/socket-agent.ts'

if (process.geteuid?.() !== 0) t.bailout('needs root')
ownState(t)

const PROTECT: SocketPolicy = { protect: { encryption: 'aes(256)', authentication: 'sha256' } }
const BYPASS: SocketPolicy = { action: 'bypass' }
const PROTECTED = { policy: { protect: { encryption: 'aes-cbc(256)' } }, inherited: false }

const { left, right } = await twoHosts(t)
const { path } = await SocketAgent.start(t, left)
// The test file is a process of its own; its sockets are those of a program on this host.
enterNetns(left.namespace)

const portOf = (server: Server): number => (server.address() as AddressInfo).port

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
}

t.test('servers are protected before they listen', async (t) => {
  for (const server of [createServer(), createHttp(), createTls()]) {
    await listen(server, { address: '0.0.0.0', port: 0 }, PROTECT, { path })
    t.match(await query(server, { path }), PROTECTED)
    const { error } = await right.tcpSend(left.address4, portOf(server), 'in clear', { timeout: 200 })
    t.equal(error, 'timeout')
    await closed(server)
  }
  const server = createServer()
  await listen(server, { address: '::', port: 0 }, PROTECT, { path })
  const { error } = await right.tcpSend(left.address4, portOf(server), 'IPv4', { timeout: 200 })
  t.equal(error, 'ECONNREFUSED', 'IPv6 alone')
  await closed(server)
})

t.test('servers that listen already', async (t) => {
  const server = createHttp((_request, response) => response.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  t.same(await secure(server, PROTECT, { path }), {
    associations: ['ESP aes-cbc 256, hmac-sha256 256'],
    applied: true,
  })
  const { error } = await right.tcpSend(left.address4, portOf(server), 'in clear', { timeout: 200 })
  t.equal(error, 'timeout')
  t.same(await secure(server, { action: 'none' }, { path }), { associations: [], applied: true })
  const body = await new Promise((resolve) =>
    get({ host: '127.0.0.1', port: portOf(server), agent: false }, (response) =>
      response.on('data', resolve),
    ),
  )
  t.equal(String(body), 'hello')
  await closed(server)
  const both = createServer()
  await new Promise<void>((resolve) => both.listen(0, '::', resolve))
  await t.rejects(secure(both, PROTECT, { path }), { code: 'EAFNOSUPPORT', errno: 97 })
  await closed(both)
})

t.test('connections', async (t) => {
  await t.rejects(connect({ host: right.address4, port: 7 }, PROTECT, { path }), {
    code: 'EAGAIN',
    message: /no SAs to the other side/,
  })
  const accepted: Socket[] = []
  const server = createServer((socket) => {
    accepted.push(socket)
    socket.end('hello')
  })
  await listen(server, { address: '0.0.0.0', port: 0 }, BYPASS, { path })
  const socket = await connect({ host: 'localhost', port: portOf(server) }, BYPASS, { path }).catch(() =>
    connect({ host: '127.0.0.1', port: portOf(server) }, BYPASS, { path }),
  )
  t.match(await query(socket, { path }), { policy: BYPASS, inherited: false })
  const data = await new Promise((resolve) => socket.once('data', resolve))
  t.equal(String(data), 'hello')
  socket.destroy()
  await closed(server)
  await t.rejects(connect({ host: '127.0.0.1', port: 1 }, BYPASS, { path }), { code: 'ECONNREFUSED' })
  const plain = createServer()
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  const late = netConnect(portOf(plain), '127.0.0.1')
  await t.rejects(secure(late, PROTECT, { path }), { code: /EBADF|EINVAL/ }, 'not before it is connected')
  await new Promise((resolve) => (late.connecting ? late.once('connect', resolve) : resolve(undefined)))
  await t.rejects(secure(late, PROTECT, { path }), { code: 'EINVAL' }, 'and not after')
  late.destroy()
  await closed(plain)
})

t.test('datagrams', async (t) => {
  const socket = createSocket('udp4')
  await t.rejects(secure(socket, PROTECT, { path }), { code: 'EBADF' }, 'not bound yet')
  await bind(socket, { address: '0.0.0.0', port: 0 }, PROTECT, { path })
  t.match(await query(socket, { path }), PROTECTED)
  const got: string[] = []
  socket.on('message', (message) => got.push(String(message)))
  await right.udpSend(left.address4, socket.address().port, 'in clear', { timeout: 200 })
  t.same(got, [])
  await secure(socket, { request: { ipsr_ah_req: 1, ipsr_esp_req: 1 } }, { path })
  t.match(await query(socket, { path }), { policy: BYPASS })
  await right.udpSend(left.address4, socket.address().port, 'in clear', { timeout: 200 })
  t.same(got, ['in clear'])
  socket.close()
})

t.test('an agent that is not there', async (t) => {
  const server = createServer()
  const place = { address: '127.0.0.1', port: 0 }
  await t.rejects(listen(server, place, PROTECT), { code: 'ENOENT', message: /no agent listens at/ })
  await t.rejects(queryDescriptor(0, { path }), { code: /ENOTSOCK|EAFNOSUPPORT/ })
})
