/**
 * A router between two hosts whose second link takes less than the first: what it says about protected packets is heard,
 * and whoever sends is told what fits.
 */
import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { AES_GCM, AES_SHA256, keyFile, pairOf } from '../../../../vm/support/keys.ts'
import { Station } from '../../../../vm/support/station.ts'

t.setTimeout(120_000)
const NARROW = 1300
/** What a router asks for its neighbours with. */
const LINK_LOCAL = 'fe80::1/64'

ownState(t)
const net = new TestNet(t)
const left = await Station.makeSoftware(t, net)
const right = await Station.makeSoftware(t, net)
const router = await net.host()
await net.wire(left.host, router, ['10.1.0.1/24', 'fd01::1/64'], ['10.1.0.254/24', 'fd01::fe/64', LINK_LOCAL])
await net.wire(
  router,
  right.host,
  ['10.2.0.254/24', 'fd02::fe/64', LINK_LOCAL],
  ['10.2.0.1/24', 'fd02::1/64'],
)
await left.host.ip('route add default via 10.1.0.254', 'route add ::/0 via fd01::fe')
await right.host.ip('route add default via 10.2.0.254', 'route add ::/0 via fd02::fe')
await router.exec('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'])

t.test('behind the router it gets narrow', async (t) => {
  const routes = await router.ip('route show 10.2.0.0/24')
  const device = /dev (\S+)/.exec(routes)?.[1] ?? ''
  await router.ip(`link set ${device} mtu ${NARROW}`)
  await right.host.ip(`link set ${right.host.device} mtu ${NARROW}`)
  t.match(await router.ip(`link show ${device}`), `mtu ${NARROW}`)
})

const cases = [
  {
    title: 'IPv4, ESP',
    ends: ['10.1.0.1', '10.2.0.1'],
    rule: 'encr_algs aes(128) encr_auth_algs sha256',
    sa: AES_SHA256,
  },
  {
    title: 'IPv6, ESP',
    ends: ['fd01::1', 'fd02::1'],
    rule: 'encr_algs aes(128) encr_auth_algs sha256',
    sa: AES_SHA256,
  },
  {
    title: 'IPv4, ESP in UDP',
    ends: ['10.1.0.1', '10.2.0.1'],
    rule: 'encr_algs aes-gcm(128)',
    sa: AES_GCM,
    inUdp: true,
  },
] as const

for (const [n, { title, ends, rule, sa, ...more }] of cases.entries()) {
  t.test(`${title}: a stream that begins with packets that are too long arrives`, async (t) => {
    const [L, R] = ends
    const sas = pairOf({ ...sa, spi: 0x3000 + 16 * n, source: L, destination: R }).map((one, i) =>
      'inUdp' in more ? { ...one, more: `encap udp nat_loc ${ends[i]} nat_rem ${ends[1 - i]}` } : one,
    )
    await left.policy(`{laddr ${L} raddr ${R}} ipsec {${rule}}\n`)
    await right.policy(`{laddr ${R} raddr ${L}} ipsec {${rule}}\n`)
    for (const station of [left, right]) await station.keys(keyFile(sas))
    await right.host.tcpEcho(2000 + n)
    const payload = randomBytes(100_000).toString('base64')
    const { reply, error } = await left.host.tcpSend(R, 2000 + n, payload, { timeout: 10_000 })
    t.equal(error, undefined)
    const digest = (text = '') => createHash('sha256').update(text).digest('hex')
    t.equal(digest(reply), digest(payload), 'both ways')
    // What the kernel cuts for us passes the capture in one piece.
    if ('inUdp' in more) return
    const capture = await left.host.capture()
    await left.host.tcpSend(R, 2000 + n, randomBytes(20_000).toString('base64'))
    const packets = await capture.stop()
    const longest = Math.max(...packets.map(({ payload: { length } }) => length))
    t.ok(longest <= NARROW, `nothing is sent any more that does not fit: ${longest}`)
    t.ok(longest > NARROW - 100, 'but nearly all of it is used')
  })
}
