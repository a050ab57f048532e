import { spawnSync } from 'node:child_process'
import t from 'tap'
import {
  AF_NETLINK,
  MSG_DONTWAIT,
  MSG_PEEK,
  recvFrom,
  send,
  setSockOptInt,
} from '../../../netlink/libc/socket.ts'
import { Batch, fromMessages } from '../../../netlink/socket/batch.ts'
import { Channel } from '../../../netlink/socket/channel.ts'
import { formatMessage, parseMessages } from '../../../netlink/socket/message.ts'
import { NETLINK_XFRM } from '../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../netlink/socket/socket.ts'
import { xfrmDialect } from '../../../netlink/xfrm/dialect.ts'
import { makeNetns, skip } from './namespace.ts'
import { dumpPolicies, flushPolicies, getSpdInfo, policyNumber, policyWriter } from './policy-bytes.ts'

function open(t: Parameters<typeof makeNetns>[0]): NetlinkSocket {
  const socket = NetlinkSocket.open(NETLINK_XFRM, { netns: makeNetns(t), dialect: xfrmDialect })
  t.teardown(() => socket.close())
  return socket
}

function dumpNumbers(socket: NetlinkSocket): number[] {
  const numbers: number[] = []
  socket.dump(dumpPolicies, ({ payload }) => numbers.push(policyNumber(payload)))
  return numbers
}

t.test('a request and its reply', { skip }, async (t) => {
  const socket = open(t)
  const replies = socket.request(getSpdInfo)
  t.equal(replies.length, 1)
  t.match(replies[0], { type: 36, portId: socket.portId })
  t.strictSame([...(replies[0]?.payload.subarray(4, 8) ?? [])], [28, 0, 1, 0], 'its first attribute')
  t.strictSame(socket.request(flushPolicies), [], 'or an ACK alone')
})

t.test('the kernel points at the attribute', { skip }, async (t) => {
  const socket = open(t)
  const payload = new Uint8Array(176)
  payload.set([2], 40)
  payload.set([1], 160)
  payload.set([6, 0, 21, 0], 168)
  t.throws(() => socket.request({ type: 19, payload }), {
    code: 'ERR_NETLINK_ERANGE',
    operation: 'XFRM_MSG_NEWPOLICY',
    extack: 'Attribute failed policy validation',
    offset: 184,
    field: /^XFRMA_MARK/,
  })
})

t.test('20,000 policies in a batch, one of them bad', { skip }, async (t) => {
  const socket = open(t)
  const bad = 12_345
  const result = socket.batchEncoded(
    20_000,
    policyWriter((index) => index === bad),
  )
  t.equal(result.sent, 20_000)
  t.equal(result.applied, 19_999)
  t.equal(result.failures.length, 1)
  t.match(result.failures[0], {
    index: bad,
    error: { code: 'ERR_NETLINK_EINVAL', index: bad, extack: 'Invalid policy direction' },
  })
  const there = new Set(dumpNumbers(socket))
  t.equal(there.size, 19_999)
  t.notOk(there.has(bad))
})

t.test('a batch that stops at an error says how far it came', { skip }, async (t) => {
  const socket = open(t)
  const result = socket.batchEncoded(
    1000,
    policyWriter((index) => index === 300 || index === 310),
    {
      stopOnError: true,
    },
  )
  t.ok(result.sent > 310 && result.sent < 1000, `${result.sent} sent`)
  t.strictSame(
    result.failures.map(({ index }) => index),
    [300, 310],
    'the rest of the chunk was tried',
  )
  t.equal(result.applied, result.sent - 2)
  const there = dumpNumbers(socket)
  const expected = Array.from({ length: result.sent }, (_, i) => i).filter((i) => i !== 300 && i !== 310)
  t.strictSame(
    there.sort((a, b) => a - b),
    expected,
  )
})

t.test('every message of a batch may fail', { skip }, async (t) => {
  const socket = open(t)
  const { applied, failures } = socket.batchEncoded(
    1000,
    policyWriter(() => true),
  )
  t.equal(applied, 0)
  t.strictSame(
    failures.map(({ index }) => index),
    Array.from({ length: 1000 }, (_, i) => i),
  )
})

t.test('a batch of messages, with replies', { skip }, async (t) => {
  const socket = open(t)
  const replies: number[] = []
  const messages = Array.from({ length: 300 }, () => getSpdInfo)
  const { applied } = socket.batch(messages, { onReply: (index) => replies.push(index) })
  t.equal(applied, 300)
  t.strictSame(
    replies,
    Array.from({ length: 300 }, (_, i) => i),
  )
  t.strictSame(socket.batch([]), { sent: 0, applied: 0, failures: [] })
  t.throws(() => socket.batch([{ type: 37, payload: new Uint8Array(200_000) }]), RangeError)
  t.throws(() => socket.batchEncoded(1, (_memory, at) => at + 8), RangeError, 'shorter than a header')
})

t.test('a dump of 100,000 policies is whole, and needs one buffer', { skip }, async (t) => {
  const socket = open(t)
  t.equal(socket.batchEncoded(100_000, policyWriter()).applied, 100_000)
  const seen = new Uint8Array(100_000)
  const before = process.memoryUsage().arrayBuffers
  let entries = 0
  let most = 0
  socket.dump(dumpPolicies, ({ payload }) => {
    const number = policyNumber(payload)
    seen[number] = (seen[number] ?? 0) + 1
    if (entries++ % 10_000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  })
  t.equal(entries, 100_000)
  t.ok(
    seen.every((times) => times === 1),
    'each once',
  )
  t.ok(most < 4 * 1024 * 1024, `${most} bytes of buffers for 17 MB of policies`)
})

t.test('an error in the visitor comes out, and the socket is as before', { skip }, async (t) => {
  const socket = open(t)
  socket.batchEncoded(1000, policyWriter())
  let visits = 0
  const visit = () => {
    visits++
    throw new Error('enough')
  }
  t.throws(() => socket.dump(dumpPolicies, visit), { message: 'enough' })
  t.equal(visits, 1)
  t.equal(dumpNumbers(socket).length, 1000)
  t.throws(() => socket.dump(dumpPolicies, () => socket.request(getSpdInfo)), /from within a callback/)
  t.equal(socket.request(getSpdInfo).length, 1)
})

t.test('a dump that is refused', { skip }, async (t) => {
  const socket = open(t)
  t.throws(() => socket.dump({ type: 41, payload: new Uint8Array(0) }, () => {}), { code: /^ERR_NETLINK_E/ })
  t.equal(socket.request(getSpdInfo).length, 1)
})

t.test('answers to earlier requests are passed over', { skip }, async (t) => {
  const channel = Channel.open(NETLINK_XFRM, { netns: makeNetns(t) })
  t.teardown(() => channel.close())
  channel.send(formatMessage({ ...getSpdInfo, flags: 5 }, 4711), 'stale')
  const replies: number[] = []
  const options = { onReply: (_index: number, reply: { sequence: number }) => replies.push(reply.sequence) }
  const result = new Batch(channel, {}, options, () => 1).run(fromMessages([getSpdInfo, getSpdInfo]))
  t.equal(result.applied, 2)
  t.strictSame(replies, [1, 2])
})

t.test('what another process sends is not taken for the kernel', { skip }, async (t) => {
  const NETLINK_USERSOCK = 2
  const [ours, theirs] = [Channel.open(NETLINK_USERSOCK), Channel.open(NETLINK_USERSOCK)]
  t.teardown(() => {
    ours.close()
    theirs.close()
  })
  const address = new Uint8Array(12)
  new Uint16Array(address.buffer)[0] = AF_NETLINK
  new Uint32Array(address.buffer)[1] = ours.portId
  const peek = () => recvFrom(ours.fd, new Uint8Array(64), MSG_PEEK | MSG_DONTWAIT, null, null)
  send(theirs.fd, formatMessage({ type: 19, payload: new Uint8Array(4) }), 0, address)
  t.equal(peek(), 20, 'it has arrived')
  t.equal(ours.receive(false).kind, 'empty', 'but is not handed out')
  t.equal(peek(), -11, 'and gone')
})

t.test('a datagram larger than the buffer comes whole', { skip }, async (t) => {
  const channel = Channel.open(NETLINK_XFRM, { netns: makeNetns(t) })
  t.teardown(() => channel.close())
  // Without CAP_ACK the kernel echoes the whole of a request that it refuses.
  setSockOptInt(channel.fd, 270, 10, 0)
  const payload = new Uint8Array(200_000).fill(7)
  channel.send(formatMessage({ type: 99, flags: 5, payload }, 3), 'large')
  const received = channel.receive(true)
  t.equal(received.kind, 'datagram')
  if (received.kind !== 'datagram') return
  const [answer] = parseMessages(received.bytes)
  t.equal(answer?.payload.length, 4 + 16 + 200_000)
  t.ok(answer?.payload.subarray(20).every((byte) => byte === 7))
})

t.test('nobody may do none of this', { skip }, async (t) => {
  const socketUrl = new URL('../../../netlink/socket/socket.js', import.meta.url).href
  const eventsUrl = new URL('../../../netlink/socket/events.js', import.meta.url).href
  const script = `
    import { NetlinkSocket } from ${JSON.stringify(socketUrl)}
    import { EventQueue } from ${JSON.stringify(eventsUrl)}
    process.setuid(65534)
    const tell = (call) => { try { call() } catch (error) { console.log(error.name, error.code, error.hint) } }
    tell(() => NetlinkSocket.open(6).request({ type: 37, payload: new Uint8Array(4) }))
    tell(() => EventQueue.open(6, { groups: [4] }))
    tell(() => NetlinkSocket.open(99))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  const [request, group, protocol] = stdout.split('\n')
  t.match(request, /^NetlinkError ERR_NETLINK_EPERM .*CAP_NET_ADMIN/)
  t.match(group, /^NetlinkError ERR_NETLINK_EPERM .*CAP_NET_ADMIN/)
  t.match(protocol, /^NetlinkError ERR_NETLINK_EPROTONOSUPPORT .*kernel lacks/)
})
