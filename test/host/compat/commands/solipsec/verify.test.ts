/** What the software data path protects is found right; what goes past it, or is not what it should be, is found. */
import { chmodSync } from 'node:fs'
import t from 'tap'
import { violations } from '../../../../schemas/support.ts'
import { espPacket, sendPackets, udpPacket } from '../../../../support/frames.ts'
import { ownState } from '../../../../support/own-state.ts'
import { softwarePair } from '../../../../support/software-pair.ts'
import { VerifyProcess } from '../../../../support/verify-process.ts'
import { AES_SHA256, AH_SHA256, keyFile, pairOf } from '../../../../vm/support/keys.ts'
import type { Station } from '../../../../vm/support/station.ts'
import { ping, tcp, udp } from '../../../../vm/support/traffic.ts'

t.setTimeout(240_000)
ownState(t)
const { net, left, right } = await softwarePair(t)
const [L, R] = ['10.1.0.1', '10.1.0.2']

const verify = (station: Station, ...argv: string[]) =>
  VerifyProcess.start(t, station.host.namespace, ...argv)
const from = (address: string) => ({ station: left, address })
const to = (address: string) => ({ station: right, address })

const FAMILIES = [
  { L: '10.1.0.1', R: '10.1.0.2', base: 0x1000 },
  { L: 'fd01::1', R: 'fd01::2', base: 0x2000 },
] as const
const ESP = 'encr_algs aes(128) encr_auth_algs sha256'
const BOTH = `auth_algs sha256 ${ESP}`

async function load(algorithms: string): Promise<void> {
  const rules = (own: 'L' | 'R', other: 'L' | 'R') =>
    FAMILIES.map((ends) => `{laddr ${ends[own]} raddr ${ends[other]}} ipsec {${algorithms}}`).join('\n')
  await left.policy(rules('L', 'R'))
  await right.policy(rules('R', 'L'))
}

const sas = FAMILIES.flatMap((ends) =>
  [AES_SHA256, AH_SHA256].flatMap((transform, n) =>
    pairOf({ ...transform, spi: ends.base + 2 * n, source: ends.L, destination: ends.R }),
  ),
)

/** Packets that arrive on the wire when nobody means to: ARP, and what IPv6 needs. */
const UNASKED = new Set(['clear', 'notOurs'])

for (const algorithms of [ESP, BOTH]) {
  t.test(`protected by ${algorithms}`, async (t) => {
    await load(algorithms)
    for (const station of [left, right]) await station.keys(keyFile(sas))
    const both = [await verify(left), await verify(right)]
    for (const ends of FAMILIES) {
      t.ok(ping(from(ends.L), to(ends.R)).delivered)
      t.ok(udp(from(ends.L), to(ends.R), { payload: Buffer.alloc(4000, 'long') }).delivered)
      t.ok(tcp(to(ends.R), from(ends.L)).delivered)
    }
    for (const one of both) {
      const { code, packets, findings, notLookedAt } = await one.stop()
      t.same([code, findings, notLookedAt], [0, [], 0])
      t.ok((packets.protected ?? 0) >= 12, 'ping, datagram, and a connection, of both families')
      t.ok((packets.fragment ?? 0) >= 2, 'the long datagram is in fragments, the last of which counts')
      const others = Object.keys(packets).filter((name) => !UNASKED.has(name))
      t.same(others.sort(), ['fragment', 'protected'])
      for (const line of one.out.trimEnd().split('\n'))
        t.same(violations('solipsec-verify.schema.json', line), [])
    }
  })
}

t.test('ESP in UDP, sent in bursts', async (t) => {
  const { host } = right
  await load(ESP)
  const ends = [L, R]
  for (const [i, station] of [left, right].entries()) {
    const more = `encap udp nat_loc ${ends[i]} nat_rem ${ends[1 - i]}`
    await station.keys(keyFile(pairOf({ ...AES_SHA256, spi: 0x3000, source: L, destination: R, more })))
  }
  await host.tcpEcho(7)
  const both = [await verify(left), await verify(right)]
  const payload = 'a lot of text '.repeat(40_000)
  t.ok((await left.host.tcpSend(R, 7, payload)).reply === payload)
  for (const one of both) {
    const { code, packets, findings } = await one.stop()
    t.same([code, findings], [0, []])
    t.ok((packets.protected ?? 0) >= 800, 'each packet of the wire counts')
  }
})

t.test('rules and SAs that change while packets flow are no false alarm', async (t) => {
  const both = [await verify(left), await verify(right, '--continuous')]
  for (const [round, algorithms] of [ESP, BOTH, '', ESP].entries()) {
    if (algorithms === '') for (const station of [left, right]) await station.policy('')
    else await load(algorithms)
    const moved = sas.map((sa) => ({ ...sa, spi: sa.spi + 0x100 * round }))
    for (const station of [left, right]) await station.keys(keyFile(moved))
    t.ok(udp(from(L), to(R)).delivered, algorithms)
    t.ok(ping(from('fd01::1'), to('fd01::2')).delivered, algorithms)
  }
  for (const one of both) {
    const { code, findings, packets } = await one.stop()
    t.same([code, findings], [0, []])
    t.ok((packets.protected ?? 0) >= 8)
    t.ok((packets.clear ?? 0) >= 3)
  }
})

t.test('a data path that was killed is found again', async (t) => {
  const one = await verify(left)
  left.endService('SIGKILL')
  await one.until(() => left.serviceId !== undefined)
  t.equal((await left.ipsecconf(['-l'])).code, 0, 'it answers')
  t.ok(udp(from(L), to(R)).delivered)
  const { code, packets } = await one.stop()
  t.equal(code, 0)
  t.ok((packets.protected ?? 0) >= 1)
})

t.test('what was made wrong on purpose, as it arrives', async (t) => {
  const one = await verify(left, '--continuous')
  const known = sas[1]?.spi ?? 0
  const wrong = [espPacket(R, L, 0x1301), espPacket(R, L, 0x9999), udpPacket(R, L, 9)]
  t.equal(known, 0x1001)
  sendPackets(right, wrong)
  await one.until(() => one.out.split('\n').length > 4)
  const { code, packets, findings, told } = await one.stop('SIGTERM')
  t.equal(code, 1)
  t.match(packets, { wrongIcv: 1, unknownSa: 1, arrivedInClear: 1 })
  t.same(told.map(({ category }) => category).sort(), ['arrivedInClear', 'unknownSa', 'wrongIcv'])
  t.match(
    findings.find(({ category }) => category === 'arrivedInClear'),
    {
      way: 'in',
      source: R,
      destination: L,
      protocol: 17,
      destinationPort: 9,
      seen: 'in clear',
      asked: 'ESP',
    },
  )
})

t.test('arrival in clear alone is a warning', async (t) => {
  const one = await verify(left)
  sendPackets(right, [udpPacket(R, L, 9), udpPacket(R, L, 9)])
  const { code, packets, findings } = await one.stop()
  t.equal(code, 0)
  t.match(packets, { arrivedInClear: 2 })
  t.match(findings, [{ count: 2 }])
})

t.test('a leak: the packet socket of a program passes by all rules', async (t) => {
  const both = [await verify(left), await verify(right)]
  sendPackets(left, [udpPacket(L, R, 9), udpPacket(L, R, 9), udpPacket(L, R, 10)])
  const [sender, receiver] = await Promise.all(both.map((one) => one.stop()))
  t.equal(sender?.code, 1)
  t.match(sender?.packets, { leak: 3 })
  t.match(sender?.findings, [
    {
      category: 'leak',
      way: 'out',
      source: L,
      destination: R,
      count: 2,
      asked: 'ESP',
      rule: { text: /^\{laddr/ },
    },
    { destinationPort: 10, count: 1 },
  ])
  t.equal(receiver?.code, 0)
  t.match(receiver?.packets, { arrivedInClear: 3 })
})

t.test('a leak: rules of another program, behind those that steer, send packets another way', async (t) => {
  const chain = 'add chain inet other late { type route hook output priority 301; }'
  const script = `add table inet other; ${chain}; add rule inet other late meta mark set 0`
  const one = await verify(left)
  t.equal((await left.host.exec('nft', [script])).status, 0)
  t.notOk(udp(from(L), to(R)).delivered)
  t.notOk(ping(from('fd01::1'), to('fd01::2')).delivered)
  await left.host.exec('nft', ['delete table inet other'])
  const { code, packets } = await one.stop()
  t.equal(code, 1)
  t.match(packets, { leak: 2 })
})

t.test('the device behind which packets are protected is none to look at', async (t) => {
  const refused = await VerifyProcess.run(t, left.host.namespace, ['-i', 'solipsec0'])
  t.match(refused, { code: 1, err: /in clear: the software data path is behind it/ })
})

t.test('for people: what is wrong, the summary, and no key', async (t) => {
  const running = VerifyProcess.run(t, left.host.namespace, ['-t', '2'])
  const sending = setInterval(() => sendPackets(left, [udpPacket(L, R, 9)]), 50)
  const { code, out, err } = await running
  clearInterval(sending)
  t.equal(code, 1)
  t.match(err, /^Looking at eth0 for 2 seconds: \d+ policies and 8 SAs, on the software data path\n$/)
  t.match(
    out,
    /^LEAK {2}10\.1\.0\.1:40000 -> 10\.1\.0\.2:9 UDP, out by eth0\n {2}seen: {3}in clear\n {2}asked: {2}ESP\n/,
  )
  t.match(out, /\nPACKETS\n[\s\S]*\d {2}LEAK: went out[\s\S]*\nWRONG: /)
})

t.test('a flood is looked at as far as the time allows, and the rest is counted', async (t) => {
  const one = await verify(left, '--continuous', '--cpu', '5')
  const batch = Array.from({ length: 500 }, (_, n) => udpPacket(L, R, 1 + (n % 3), 200))
  const [begun, used] = [performance.now(), one.processorTime]
  let sent = 0
  while (performance.now() - begun < 3000) {
    sendPackets(left, batch)
    sent += batch.length
    // Its turn, for one who has only one processor.
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const share = (one.processorTime - used) / ((performance.now() - begun) / 1000)
  const { code, packets, notLookedAt, findings } = await one.stop()
  t.equal(code, 1)
  t.ok(share < 0.15, `it used ${(100 * share).toFixed(1)}% of a processor`)
  const looked = Object.values(packets).reduce((sum, count) => sum + count, 0)
  t.ok(looked > 100 && notLookedAt > 0, `${looked} looked at, ${notLookedAt} not`)
  const strangers = looked + notLookedAt - sent
  t.ok(strangers >= 0 && strangers < 50, `${strangers} more than the ${sent} that were sent`)
  t.equal(findings.length, 3)
  t.comment(`${sent} packets in 3 s, ${looked} looked at, ${(100 * share).toFixed(1)}% of a processor`)
})

t.test('no policy, no packets, and what is refused', async (t) => {
  await left.policy('')
  const { namespace } = left.host
  const quiet = await VerifyProcess.run(t, namespace, ['-t', '0.2'])
  t.equal(quiet.code, 0)
  t.match(quiet.err, 'NOTE: no policy is loaded, so nothing has to be protected')
  t.match(quiet.out, /No packet was seen on eth0\.\n$/)
  t.match(await VerifyProcess.run(t, namespace, ['-i', 'eth9']), {
    code: 1,
    err: /no interface eth9; there are: lo, eth0/,
  })
  t.match(await VerifyProcess.run(t, namespace, ['-i', 'lo']), { code: 1, err: /nothing is protected there/ })
  const nowhere = await net.host()
  t.match(await VerifyProcess.run(t, nowhere.namespace, []), {
    code: 1,
    err: /leads to a network; choose one with -i/,
  })
  chmodSync(process.env.SOLIPSEC_RUN_DIR ?? '', 0o755)
  const stranger = await VerifyProcess.run(t, namespace, [], 65_534)
  t.match(stranger, { code: 1, out: '', err: /CAP_|privilege|permission/i })
  t.notMatch(stranger.err, /internal error|\n +at /)
})
