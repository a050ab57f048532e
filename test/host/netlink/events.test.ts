import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { consistently } from '../../../netlink/socket/consistent.ts'
import { EventQueue, Subscription } from '../../../netlink/socket/events.ts'
import { NETLINK_XFRM } from '../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../netlink/socket/socket.ts'
import { group } from '../../../netlink/xfrm/constants.ts'
import { makeNetns, skip } from './namespace.ts'
import { dumpPolicies, flushPolicies, getSpdInfo, policyNumber, policyWriter } from './policy-bytes.ts'

const groups = [group.POLICY]
const moduleUrl = (name: string) =>
  JSON.stringify(new URL(`../../../netlink/${name}.js`, import.meta.url).href)

function openSocket(t: Parameters<typeof makeNetns>[0], netns: string): NetlinkSocket {
  const socket = NetlinkSocket.open(NETLINK_XFRM, { netns })
  t.teardown(() => socket.close())
  return socket
}

t.test('events come on the event loop, with the port of who made them', { skip }, async (t) => {
  const netns = makeNetns(t)
  const socket = openSocket(t, netns)
  const seen: { number: number; portId: number; type: number }[] = []
  const all = new Promise<void>((resolve, reject) => {
    const subscription = Subscription.open(
      NETLINK_XFRM,
      { netns, groups },
      {
        event: ({ payload, portId, type }) => {
          seen.push({ number: policyNumber(payload), portId, type })
          if (seen.length === 1000) resolve()
        },
        overrun: () => reject(new Error('overrun')),
      },
    )
    t.teardown(() => subscription.close())
  })
  socket.batchEncoded(1000, policyWriter())
  await all
  t.strictSame(
    seen.map(({ number }) => number),
    Array.from({ length: 1000 }, (_, i) => i),
  )
  t.ok(seen.every(({ portId, type }) => portId === socket.portId && type === 19))
})

t.test('lost events are reported, stale ones thrown away, new ones delivered', { skip }, async (t) => {
  const netns = makeNetns(t)
  const socket = openSocket(t, netns)
  let overruns = 0
  let afterwards: number[] = []
  let wake = () => {}
  const subscription = Subscription.open(
    NETLINK_XFRM,
    { netns, groups, receiveBuffer: 8192 },
    {
      event: ({ payload }) => {
        afterwards.push(policyNumber(payload))
        wake()
      },
      overrun: () => {
        overruns++
        afterwards = []
        wake()
      },
    },
  )
  t.teardown(() => subscription.close())
  const next = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  let woken = next()
  socket.batchEncoded(1000, policyWriter())
  await woken
  t.equal(overruns, 1)
  t.strictSame(afterwards, [], 'nothing older than the loss')
  const [reply] = socket.request(getSpdInfo)
  t.equal(reply?.payload[12] === 1000 % 256, true, 'the truth is in the table')
  woken = next()
  socket.batchEncoded(1, (memory, at) => policyWriter()(memory, at, 70_000))
  await woken
  t.equal(overruns, 1)
  t.strictSame(afterwards, [70_000])
})

t.test('after closing, in the middle of a flood, no event comes', { skip }, async (t) => {
  const netns = makeNetns(t)
  const socket = openSocket(t, netns)
  let events = 0
  const closed = new Promise<void>((resolve) => {
    const subscription = Subscription.open(
      NETLINK_XFRM,
      { netns, groups },
      {
        event: () => {
          if (++events !== 10) return
          subscription.close()
          subscription.close()
          resolve()
        },
        overrun: () => {},
      },
    )
  })
  socket.batchEncoded(500, policyWriter())
  await closed
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(events, 10)
})

t.test('a subscription keeps the process alive until it is closed', { skip }, async (t) => {
  const run = (ending: string) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { Subscription } from ${moduleUrl('socket/events')}
         const none = { event() {}, overrun() {} }
         const subscription = Subscription.open(6, { groups: [4] }, none)
         ${ending}`,
      ],
      { encoding: 'utf8', timeout: 2000 },
    )
  t.equal(run('subscription.close()').status, 0)
  t.equal(run('subscription.unref()').status, 0)
  t.equal(run('').signal, 'SIGTERM', 'else it waits')
})

t.test('an error of the handler is an uncaught exception, not a silence', { skip }, async (t) => {
  const netns = makeNetns(t)
  const script = `
    import { Subscription } from ${moduleUrl('socket/events')}
    import { NetlinkSocket } from ${moduleUrl('socket/socket')}
    const netns = ${JSON.stringify(netns)}
    Subscription.open(6, { netns, groups: [4] }, { event() { throw new Error('in the handler') }, overrun() {} })
    NetlinkSocket.open(6, { netns }).request({ type: 39, payload: Uint8Array.of(2, 2, 2, 0) })`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 5000,
  })
  t.equal(status, 1)
  t.match(stderr, /Error: in the handler/)
})

t.test('a read that was disturbed is done again', { skip }, async (t) => {
  const netns = makeNetns(t)
  const [ours, theirs] = [openSocket(t, netns), openSocket(t, netns)]
  ours.batchEncoded(2000, policyWriter())
  const events = EventQueue.open(NETLINK_XFRM, { netns, groups })
  t.teardown(() => events.close())
  let reads = 0
  const add = (number: number) => theirs.batchEncoded(1, (memory, at) => policyWriter()(memory, at, number))
  const read = (disturbed: (read: number) => boolean) => {
    const numbers: number[] = []
    reads++
    ours.dump(dumpPolicies, ({ payload }) => {
      if (numbers.length === 50 && disturbed(reads)) add(100_000 + reads)
      numbers.push(policyNumber(payload))
    })
    return numbers
  }
  const quiet = consistently(events, () => read(() => false))
  t.equal(reads, 1)
  t.equal(quiet.length, 2000)
  reads = 0
  const result = consistently(events, () => read((n) => n < 3))
  t.equal(reads, 3)
  t.equal(result.length, 2002)
  t.throws(() => consistently(events, () => read(() => true), { attempts: 4 }), {
    code: 'ERR_NETLINK_INCONSISTENT_DUMP',
  })
  t.equal(reads, 7)
  reads = 0
  consistently(events, () => read((n) => n < 3), { isChange: () => false })
  t.equal(reads, 1, 'unless the events do not matter')
})

t.test('a read that lost events was disturbed', { skip }, async (t) => {
  const netns = makeNetns(t)
  const socket = openSocket(t, netns)
  const events = EventQueue.open(NETLINK_XFRM, { netns, groups, receiveBuffer: 8192 })
  t.teardown(() => events.close())
  let reads = 0
  const read = () => {
    if (++reads === 1) socket.batchEncoded(500, policyWriter())
  }
  consistently(events, read, { isChange: () => false })
  t.equal(reads, 2)
})

/**
 * Moves each of 500 policies from one place to another, for ever, in bursts: takes one out, puts it in again,
 * at the other end of the kernel's list. At every moment at most one of them is missing; a dump during a burst
 * misses many.
 */
const mover = (netns: string) => `
  import { NetlinkSocket } from ${moduleUrl('socket/socket')}
  const socket = NetlinkSocket.open(6, { netns: ${JSON.stringify(netns)} })
  const message = (type, length, number, set) => {
    const payload = new Uint8Array(length)
    const view = new DataView(payload.buffer)
    view.setUint32(0, 0x0a000000 + number)
    payload[40] = 2
    payload[42] = 32
    set(payload, view)
    return { type, payload }
  }
  const del = (n) => message(20, 64, n, (payload) => { payload[60] = 1 })
  const add = (n) => message(19, 168, n, (payload, view) => {
    for (let i = 0; i < 4; i++) view.setBigUint64(56 + 8 * i, 0xffffffffffffffffn, true)
    payload[160] = 1
  })
  const numbers = Array.from({ length: 500 }, (_, i) => i)
  socket.batch(numbers.map(add))
  console.log('ready')
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    if (socket.batch(numbers.flatMap((n) => [del(n), add(n)])).failures.length > 0) process.exit(1)
    Atomics.wait(sleeper, 0, 0, 12)
  }`

t.test('a consistent read beside a process that changes the table', { skip }, async (t) => {
  const netns = makeNetns(t)
  const child = spawn(process.execPath, ['--input-type=module', '-e', mover(netns)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill()
    await ended
  })
  await once(child.stdout, 'data')
  const socket = openSocket(t, netns)
  const events = EventQueue.open(NETLINK_XFRM, { netns, groups })
  t.teardown(() => events.close())
  let reads = 0
  const read = () => {
    reads++
    const numbers: number[] = []
    socket.dump(dumpPolicies, ({ payload }) => numbers.push(policyNumber(payload)))
    return numbers
  }
  const settle = () => socket.request(getSpdInfo)
  let torn = 0
  const rounds = 200
  for (let i = 0; i < rounds; i++) {
    const numbers = consistently(events, read, { attempts: 1000, settle })
    if (numbers.length < 499 || new Set(numbers).size !== numbers.length) torn++
  }
  t.equal(torn, 0, 'at most one policy is missing, none is there twice')
  t.ok(reads > rounds, `${reads} reads for ${rounds} results: some were disturbed`)
  t.equal(child.exitCode, null, 'the other process is still at it')
  socket.request(flushPolicies)
})
