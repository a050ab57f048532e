/** What `solipsec explain` says is what the kernel does with real packets, under ESP, in clear, and in a tunnel. */
import { closeSync, openSync } from 'node:fs'
import t from 'tap'
import { run } from '../../../../../compat/commands/solipsec.ts'
import { enterNetns } from '../../../../../netlink/libc/netns.ts'
import { captureIo } from '../../../../compat/commands/support/capture-io.ts'
import { ConfigurationPlace, espPair, espSa } from '../../../../support/configuration-place.ts'
import { TestNet } from '../../../../support/namespaces.ts'
import { Station } from '../../../support/station.ts'
import { icmp, udp, type Verdict } from '../../../support/traffic.ts'

t.setTimeout(240_000)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, ['10.1.0.1/24', 'fd01::1/64'], ['10.1.0.2/24', 'fd01::2/64'])
const [L, R] = ['10.1.0.1', '10.1.0.2']
const here = new ConfigurationPlace(t, left)
const there = new ConfigurationPlace(t, right)
const home = openSync('/proc/thread-self/ns/net', 'r')
t.teardown(() => closeSync(home))

async function ask(station: Station, question: string) {
  const io = captureIo()
  const where = ['--json', '--netns', station.host.namespace, '--datapath', 'kernel']
  const code = await run(['explain', ...where, ...question.split(' ')], io)
  enterNetns(home)
  if (io.out() === '') throw new Error(io.err())
  const { cases, ...rest } = JSON.parse(io.out())
  return { code, ...cases[0], ...rest }
}

/** What becomes of a packet by the answers of both hosts, as the traffic of the tests tells it. */
async function foretold(question: string): Promise<boolean> {
  const out = await ask(left, `--out ${question}`)
  t.equal(out.code, 0, `sender: ${question}`)
  if (out.departure.kind === 'dropped' || out.departure.kind === 'held') return false
  const spis = (out.departure.associations ?? []).map(({ spi }: { spi: number }) => spi)
  const arrival = await ask(right, `--in ${question}`)
  t.equal(arrival.code, 0, `receiver: ${question}`)
  const found = arrival.arrivals.find(
    ({ associations }: { associations: { spi: number }[] }) =>
      associations.map(({ spi }) => spi).join() === spis.join(),
  )
  return found?.isAccepted ?? false
}

const PROTECT = { encryption: 'aes(128)', authentication: 'sha256' }
const ALL = (local: string, remote: string, more: object): Record<string, unknown> => ({
  local,
  remote,
  ...more,
})

t.test('between two hosts', async (t) => {
  const rules = (local: string, remote: string, near: 'localPort' | 'remotePort') => [
    ALL(local, remote, { protocol: 'udp', [near]: 53, action: 'bypass', direction: 'both' }),
    ALL(local, remote, { protocol: 'udp', [near]: 54, protect: { ah: 'sha256' } }),
    ALL(local, remote, { protocol: 'udp', [near]: 55, protect: [{ ah: 'sha256' }, PROTECT] }),
    ALL(local, remote, { protocol: 'udp', [near]: 56, protect: [{ ah: 'sha512' }, 'bypass'] }),
    ALL(local, remote, { protocol: 'udp', [near]: 57, action: 'drop', direction: 'both' }),
    ALL(local, remote, { protocol: 'udp', protect: PROTECT }),
    ALL(local, remote, { protocol: 'icmp', protect: PROTECT }),
  ]
  await here.apply({ policies: rules(L, R, 'remotePort'), associations: espPair(0x1000, L, R) })
  // The receiver does not ask for all that the sender does: port 56 is dropped there.
  await there.apply({
    policies: rules(R, L, 'localPort').filter(({ protect }) => !Array.isArray(protect)),
    associations: espPair(0x1000, L, R),
  })
  const from = { station: left, address: L }
  const to = { station: right, address: R }
  const packets: [string, () => Verdict][] = [
    ...[53, 54, 55, 56, 57, 58].map((port): [string, () => Verdict] => [
      `${L} ${R} udp 6000 ${port}`,
      () => udp(from, to, { sourcePort: 6000, port }),
    ]),
    [`${L} ${R} icmp 8/0`, () => icmp(from, to, [8, 0])],
    [`${L} ${R} icmp 13/0`, () => icmp(from, to, [13, 0])],
  ]
  const fates: boolean[] = []
  for (const [question, send] of packets) {
    const expected = await foretold(question)
    t.equal(send().delivered, expected, question)
    fates.push(expected)
  }
  t.ok(fates.includes(true) && fates.includes(false), 'some of each')
})

t.test('through a tunnel', async (t) => {
  for (const [station, local, remote, own, other] of [
    [left, L, R, '10.7.0.1', '10.8.0.0/16'],
    [right, R, L, '10.8.0.1', '10.7.0.0/16'],
  ] as const) {
    await station.host.ip(
      `link add tun0 type ipip local ${local} remote ${remote}`,
      'link set tun0 up',
      `address add ${own}/32 dev tun0`,
      `address add 10.9.0.${own === '10.7.0.1' ? 1 : 2}/32 dev tun0`,
      `route add ${other} dev tun0`,
    )
  }
  const inner = (source: string, destination: string) => ({ inner: { source, destination } })
  const associations = [
    espSa(0x2000, L, R, inner('10.7.0.0/16', '10.8.0.0/16')),
    espSa(0x2001, R, L, inner('10.8.0.0/16', '10.7.0.0/16')),
  ]
  const rule = (local: string, remote: string) => ({
    tunnel: { name: 'tun0', mode: 'tunnel' },
    local,
    remote,
    protect: PROTECT,
  })
  await here.apply({ policies: [rule('10.7.0.0/16', '10.8.0.0/16')], associations })
  await there.apply({ policies: [rule('10.8.0.0/16', '10.7.0.0/16')], associations })
  const inside = await ask(left, '10.7.0.1 10.8.0.1 udp 6000 7')
  t.match(inside, {
    code: 0,
    tunnel: 'tun0',
    departure: { kind: 'protected', associations: [{ spi: 0x2000 }] },
  })
  const arriving = await ask(right, '--in --interface tun0 10.7.0.1 10.8.0.1 udp 6000 7')
  t.match(arriving.arrivals, [{ isAccepted: false }, { isAccepted: true, associations: [{ spi: 0x2000 }] }])
  t.equal(arriving.code, 0)
  const from = { station: left, address: '10.7.0.1' }
  const to = { station: right, address: '10.8.0.1' }
  t.ok(udp(from, to, { sourcePort: 6000 }).delivered)
  const beside = await ask(left, '10.9.0.1 10.8.0.1 udp 6000 7')
  t.match(beside, { code: 0, decider: { kind: 'none' }, departure: { kind: 'dropped' } })
  t.notOk(udp({ station: left, address: '10.9.0.1' }, to, { sourcePort: 6000 }).delivered)
})
