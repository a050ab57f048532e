import { spawnSync } from 'node:child_process'
import t from 'tap'
import { twoHosts } from '../../support/namespaces.ts'

t.test('two hosts exchange TCP, UDP and ICMP of both families, and the capture has all of it', async (t) => {
  const { left, right } = await twoHosts(t)
  await right.tcpEcho(7)
  await right.udpEcho(7)
  const wire = await left.capture()
  for (const address of [right.address4, right.address6]) {
    t.same(await left.tcpSend(address, 7, 'stream'), { reply: 'stream' }, `TCP to ${address}`)
    t.same(
      await left.udpSend(address, 7, 'datagram', { fromPort: 4000 }),
      { reply: 'datagram' },
      `UDP to ${address}`,
    )
    t.ok(await left.ping(address), `ping ${address}`)
  }
  t.same(
    await right.received(7),
    ['stream', 'datagram', 'stream', 'datagram'],
    'the services tell what they got',
  )
  const packets = await wire.stop()
  const seen = (family: number, protocol: number) =>
    packets.some((packet) => packet.family === family && packet.protocol === protocol)
  for (const [family, icmp] of [
    [4, 1],
    [6, 58],
  ] as const)
    for (const protocol of [6, 17, icmp])
      t.ok(seen(family, protocol), `IPv${family} protocol ${protocol} captured`)
  const [from4000] = packets.filter(
    ({ protocol, payload }) => protocol === 17 && payload.readUInt16BE() === 4000,
  )
  t.match(from4000, { source: left.address4, destination: right.address4 })
  t.equal(from4000?.payload.subarray(8).toString(), 'datagram')
})

t.test('what gets no answer is told as such', async (t) => {
  const { left, right } = await twoHosts(t)
  t.same(await left.tcpSend(right.address4, 9, 'x'), { error: 'ECONNREFUSED' })
  t.same(await left.udpSend(right.address6, 9, 'x'), { error: 'ECONNREFUSED' })
  await right.udpEcho(7)
  await right.exec(
    'nft',
    ['-f', '-'],
    'table inet t { chain i { type filter hook input priority 0; policy drop; }; }',
  )
  t.same(await left.udpSend(right.address4, 7, 'x', { timeout: 300 }), { error: 'timeout' })
  t.notOk(await left.ping(right.address4, { timeout: 1000 }))
  t.same(await right.received(7), [])
})

t.test('a namespace is gone after its test', async (t) => {
  let name = ''
  await t.test('inner', async (t) => {
    const { left } = await twoHosts(t)
    name = left.namespace
    t.match(spawnSync('ip', ['netns']).stdout.toString(), name)
    t.match(await left.exec('sh', ['-c', 'cat; echo no >&2; exit 3'], 'in'), {
      stdout: 'in',
      stderr: 'no\n',
      status: 3,
    })
    await t.rejects(left.ip('address add nonsense dev lo'), /nonsense|address/i)
  })
  t.notMatch(spawnSync('ip', ['netns']).stdout.toString(), name)
})
