/** ICMP, IGMP and PIM in clear, as the tunables say, with packets; and what tunables make of new SAs of tunnels. */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ownState } from '../../support/own-state.ts'
import { check } from '../support/check.ts'
import { MARKER, raw } from '../support/traffic.ts'
import { ESP, INET, INET6, TwoStations } from '../support/two-stations.ts'

t.setTimeout(600_000)
ownState(t)

const two = await TwoStations.make(t)
const { left, right } = two
const NDD = fileURLToPath(new URL('../../../../bin/ndd', import.meta.url))

async function set(device: string, name: string, value: number): Promise<void> {
  const { status, stderr } = await left.host.exec(process.execPath, [
    NDD,
    '-set',
    device,
    name,
    String(value),
  ])
  if (status !== 0) throw new Error(`ndd: ${stderr}`)
}

const IGMP = 2
const PIM = 103
/** A report of a group, and a PIM message: for the kernel they are just their protocol. */
const message = () => Buffer.concat([Buffer.from([0x16, 0, 0, 0, 224, 1, 1, 1]), randomBytes(MARKER)])

function arrives(protocol: number): string {
  const from = two.end(right, INET.R)
  const { delivered, refusals } = raw(from, two.end(left, INET.L), protocol, message())
  return delivered ? 'accepted' : refusals.length > 0 ? 'refused' : 'lost'
}

const probes = (expected: { icmp: string; igmp: string; pim: string }) =>
  ({
    'echo reply': [() => two.inIcmp(INET, [0, 0]), expected.icmp],
    'fragmentation needed': [() => two.inIcmp(INET, [3, 4]), expected.icmp],
    'packet too big, IPv6': [() => two.inIcmp(INET6, [2, 0]), expected.icmp],
    'echo request': [() => two.inIcmp(INET, [8, 0]), 'refused'],
    IGMP: [() => arrives(IGMP), expected.igmp],
    PIM: [() => arrives(PIM), expected.pim],
  }) as const

t.test('each switch by itself', async (t) => {
  await left.policy(`{} ipsec {${ESP}}`)
  check(t, 'as at first', probes({ icmp: 'accepted', igmp: 'accepted', pim: 'accepted' }))
  await set('/dev/ip', 'icmp_accept_clear_messages', 0)
  check(t, 'no ICMP', probes({ icmp: 'refused', igmp: 'accepted', pim: 'accepted' }))
  await set('/dev/ip', 'igmp_accept_clear_messages', 0)
  check(t, 'nor IGMP', probes({ icmp: 'refused', igmp: 'refused', pim: 'accepted' }))
  await set('/dev/ip', 'icmp_accept_clear_messages', 1)
  await set('/dev/ip', 'pim_accept_clear_messages', 0)
  check(t, 'ICMP alone', probes({ icmp: 'accepted', igmp: 'refused', pim: 'refused' }))
  await left.policy('')
})

t.test('ECN and DF of tunnels that are added from then on', async (t) => {
  const tunnel = (spi: number) =>
    `add esp spi ${spi} src ${INET.L} dst ${INET.R} isrc 10.3.0.0/16 idst 10.4.0.0/16 ` +
    `encr_alg aes encrkey ${'1f'.repeat(16)} auth_alg sha256 authkey ${'2e'.repeat(32)}\n`
  const flags = async () => {
    const text = await left.host.ip('xfrm state list')
    return [
      ...text.matchAll(
        /spi 0x0000(\w+).*?\n(?:(?!src )[^\n]*\n)*?\s+replay-window \d+ (?:seq \S+ )?(flag [^\n]*)?/g,
      ),
    ].map(([, spi, words = '']) => [spi, /noecn/.test(words), /nopmtudisc/.test(words)])
  }
  await left.keys(tunnel(0x1111))
  await set('/dev/ipsectun', 'ipsectun_ecn', 0)
  await set('/dev/ipsectun', 'ipsectun_dfbit', 0)
  t.same(await flags(), [['1111', false, false]], 'those that are there stay as they are')
  await left.keys(tunnel(0x2222))
  t.same(await flags(), [['2222', true, true]])
})
