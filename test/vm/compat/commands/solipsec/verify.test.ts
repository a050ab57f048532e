/** The kernel's ESP and AH, seen by one who does not believe it: transport, tunnel, ESP in UDP, leaks by its back doors. */
import t from 'tap'
import { memoryOf } from '../../../../../netlink/codec/memory.ts'
import { close, send, setSockOpt } from '../../../../../netlink/libc/socket.ts'
import { dir } from '../../../../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../../../../netlink/xfrm/defaults.ts'
import { userpolicy_info } from '../../../../../netlink/xfrm/structs.ts'
import { espPacket, sendPackets, udpPacket } from '../../../../support/frames.ts'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { VerifyProcess } from '../../../../support/verify-process.ts'
import { AES_SHA256, AH_SHA256, keyFile, pairOf, type TestSa } from '../../../support/keys.ts'
import { bound, SOCK_DGRAM, sockaddr } from '../../../support/sockets.ts'
import { Station } from '../../../support/station.ts'
import { ping, tcp, udp } from '../../../support/traffic.ts'

t.setTimeout(500_000)
ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, ['10.1.0.1/24', 'fd01::1/64'], ['10.1.0.2/24', 'fd01::2/64'])
const [L, R] = ['10.1.0.1', '10.1.0.2']
const SOL_IP = 0
const IP_XFRM_POLICY = 17

const start = (...argv: string[]) =>
  Promise.all([left, right].map((station) => VerifyProcess.start(t, station.host.namespace, ...argv)))
const from = (address: string) => ({ station: left, address })
const to = (address: string) => ({ station: right, address })

const FAMILIES = [
  { L: '10.1.0.1', R: '10.1.0.2', base: 0x1000 },
  { L: 'fd01::1', R: 'fd01::2', base: 0x2000 },
] as const
const ESP = 'encr_algs aes(128) encr_auth_algs sha256'
const BOTH = `auth_algs sha256 ${ESP}`
const GCM = { protocol: 'esp', cipher: { name: 'aes-gcm', bits: 128, salt: 32 } } as const

async function load(algorithms: string): Promise<void> {
  const rules = (own: 'L' | 'R', other: 'L' | 'R') =>
    FAMILIES.map((ends) => `{laddr ${ends[own]} raddr ${ends[other]}} ipsec {${algorithms}}`).join('\n')
  await left.policy(rules('L', 'R'))
  await right.policy(rules('R', 'L'))
}

const keys = async (sas: readonly TestSa[]) => {
  for (const station of [left, right]) await station.keys(keyFile(sas))
}

const sas = FAMILIES.flatMap((ends) =>
  [AES_SHA256, AH_SHA256, GCM].flatMap((transform, n) =>
    pairOf({ ...transform, spi: ends.base + 2 * n, source: ends.L, destination: ends.R }),
  ),
)
const MUCH = 'a lot of text '.repeat(8000)

await right.host.tcpEcho(7)

for (const algorithms of [ESP, BOTH, 'encr_algs aes-gcm(128)']) {
  t.test(`transport mode: ${algorithms}`, async (t) => {
    await load(algorithms)
    await keys(sas)
    const both = await start()
    for (const ends of FAMILIES) {
      t.ok(ping(from(ends.L), to(ends.R)).delivered)
      t.ok(udp(from(ends.L), to(ends.R), { payload: Buffer.alloc(4000, 'long') }).delivered)
      const { reply } = await left.host.tcpSend(ends.R, 7, MUCH, { timeout: 60_000 })
      t.ok(reply === MUCH)
    }
    for (const one of both) {
      const { code, packets, findings, notLookedAt } = await one.stop()
      t.same([code, findings, notLookedAt], [0, [], 0])
      t.ok((packets.protected ?? 0) > 100, `${packets.protected} protected`)
      t.ok((packets.fragment ?? 0) >= 2)
      t.same([packets.echo, packets.unasked], [undefined, undefined])
    }
  })
}

t.test('ESP in UDP', async (t) => {
  await load(ESP)
  const ends = [L, R]
  for (const [i, station] of [left, right].entries()) {
    const more = `encap udp nat_loc ${ends[i]} nat_rem ${ends[1 - i]}`
    await station.keys(keyFile(pairOf({ ...AES_SHA256, spi: 0x3000, source: L, destination: R, more })))
  }
  const both = await start()
  t.ok(udp(from(L), to(R)).delivered)
  t.ok((await left.host.tcpSend(R, 7, MUCH, { timeout: 60_000 })).reply === MUCH)
  for (const one of both) {
    const { code, packets, findings } = await one.stop()
    t.same([code, findings], [0, []])
    t.ok((packets.protected ?? 0) > 100)
  }
})

t.test('rules and SAs that change while packets flow are no false alarm', async (t) => {
  await load(ESP)
  await keys(sas)
  const both = await start()
  for (const [round, algorithms] of [ESP, BOTH, '', ESP].entries()) {
    if (algorithms === '') for (const station of [left, right]) await station.policy('')
    else await load(algorithms)
    await keys(sas.map((sa) => ({ ...sa, spi: sa.spi + 0x100 * round })))
    t.ok(udp(from(L), to(R)).delivered, algorithms)
    t.ok(tcp(from('fd01::1'), to('fd01::2'), { port: 8 }).delivered, algorithms)
  }
  for (const one of both) {
    const { code, findings, packets } = await one.stop()
    t.same([code, findings], [0, []])
    t.ok((packets.protected ?? 0) >= 8)
    t.ok((packets.clear ?? 0) >= 5)
  }
})

t.test('what was made wrong on purpose, and a packet socket that passes by all rules', async (t) => {
  await load(ESP)
  await keys(sas)
  const both = await start()
  sendPackets(right, [espPacket(R, L, 0x1001), espPacket(R, L, 0x9999), udpPacket(R, L, 9)])
  const [victim, culprit] = await Promise.all(both.map((one) => one.stop()))
  t.equal(victim?.code, 1)
  t.match(victim?.packets, { wrongIcv: 1, unknownSa: 1, arrivedInClear: 1 })
  t.equal(culprit?.code, 1)
  t.match(culprit?.packets, { wrongIcv: 1, unknownSa: 1, leak: 1 })
})

t.test('a leak: the socket of a program has a policy of its own', async (t) => {
  const both = await start()
  const fd = left.visit(() => bound(SOCK_DGRAM, 0, L, 0))
  t.teardown(() => close(fd))
  const info = new Uint8Array(userpolicy_info.size)
  userpolicy_info.set(memoryOf(info), 0, { ...defaultPolicy(), dir: dir.OUT })
  setSockOpt(fd, SOL_IP, IP_XFRM_POLICY, info)
  send(fd, Buffer.from('in clear'), 0, sockaddr(R, 4711))
  const [sender, receiver] = await Promise.all(both.map((one) => one.stop()))
  t.equal(sender?.code, 1)
  t.match(sender?.findings, [
    { category: 'leak', destinationPort: 4711, seen: 'in clear', asked: 'ESP', count: 1 },
  ])
  t.equal(receiver?.code, 0)
  t.match(receiver?.packets, { arrivedInClear: 1 })
})

t.test('a tunnel of another program, of both families', async (t) => {
  await left.policy('')
  await right.policy('')
  await keys([])
  for (const station of [left, right]) await station.host.ip('xfrm policy flush', 'xfrm state flush')
  const key = `0x${'ab'.repeat(20)}`
  const lines = (own: string, other: string, spi: number) => {
    const state = (source: string, destination: string, number: number) =>
      `xfrm state add src ${source} dst ${destination} proto esp spi ${number} mode tunnel reqid 77 ` +
      `replay-window 64 aead rfc4106(gcm(aes)) ${key} 128`
    const policy = (source: string, destination: string, direction: string) =>
      `xfrm policy add src ${source} dst ${destination} dir ${direction} ` +
      `tmpl src ${source} dst ${destination} proto esp reqid 77 mode tunnel`
    const spis = own < other ? [spi, spi + 1] : [spi + 1, spi]
    return [
      state(own, other, spis[0] ?? 0),
      state(other, own, spis[1] ?? 0),
      policy(own, other, 'out'),
      policy(other, own, 'in'),
    ]
  }
  // Neighbours are looked for beside the tunnel.
  const discovery = ['out', 'in'].map(
    (direction) => `xfrm policy add src ::/0 dst ::/0 proto ipv6-icmp dir ${direction}`,
  )
  for (const [station, own, other] of [
    [left, 'L', 'R'],
    [right, 'R', 'L'],
  ] as const) {
    await station.host.ip(...discovery, ...FAMILIES.flatMap((ends) => lines(ends[own], ends[other], 0x7000)))
  }
  const both = await start()
  for (const ends of FAMILIES) {
    t.ok(udp(from(ends.L), to(ends.R)).delivered)
    t.ok((await left.host.tcpSend(ends.R, 7, MUCH, { timeout: 60_000 })).reply === MUCH)
  }
  t.ok(ping(from(L), to(R)).delivered)
  for (const one of both) {
    const { code, packets, findings } = await one.stop()
    t.same([code, findings], [0, []])
    t.ok((packets.protected ?? 0) > 100)
    t.ok((packets.echo ?? 0) > 10, `${packets.echo} shown once more`)
  }
  const again = await start()
  sendPackets(left, [udpPacket(L, R, 9)])
  const [sender, receiver] = await Promise.all(again.map((one) => one.stop()))
  t.match(sender?.findings, [{ category: 'leak', asked: 'ESP in tunnel mode with reqid 77' }])
  t.ok(['arrivedInClear', 'notChecked'].includes(receiver?.findings[0]?.category ?? ''))
})
