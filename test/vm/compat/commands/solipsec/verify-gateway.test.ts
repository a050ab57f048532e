/** Gateways: what they pass on through tunnels, by rules of ours and by policies of others, on both data paths. */
import t, { type Test } from 'tap'
import type { DataPathKind } from '../../../../../agent/datapath/data-path.ts'
import { sendPackets, udpPacket } from '../../../../support/frames.ts'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { VerifyProcess } from '../../../../support/verify-process.ts'
import { AES_SHA256, keyFile, pairOf } from '../../../support/keys.ts'
import { Station } from '../../../support/station.ts'
import { ping, tcp, udp } from '../../../support/traffic.ts'

t.setTimeout(500_000)
ownState(t)

const ESP = 'encr_algs aes(128) encr_auth_algs sha256'
const NETWORKS = ['10.1.0.0/24', '10.2.0.0/24'] as const
const ENDS = ['192.0.2.1', '192.0.2.2'] as const

/** A client behind a gateway, and the other gateway, which is the server, too. */
async function network(kind: DataPathKind) {
  const net = new TestNet(t)
  const [client, kernel] = await Station.make(t, net, 2)
  const [other] = await Station.make(t, net, 1)
  const gateway = kind === 'kernel' ? kernel : await Station.makeSoftware(t, net)
  await net.wire(gateway.host, other.host, ['192.0.2.1/24'], ['192.0.2.2/24', '10.2.0.1/24'])
  await net.wire(client.host, gateway.host, ['10.1.0.2/24'], ['10.1.0.1/24'])
  await client.host.ip('route add default via 10.1.0.1')
  gateway.sysctl('ipv4/ip_forward', 1)
  return { client, gateway, other }
}

type Net = Awaited<ReturnType<typeof network>>

async function talk(t: Test, { client, gateway, other }: Net): Promise<void> {
  const [a, b] = [
    { station: client, address: '10.1.0.2', onTheWay: [gateway] },
    { station: other, address: '10.2.0.1', onTheWay: [gateway] },
  ]
  t.ok(ping(a, b).delivered)
  t.ok(udp(a, b, { payload: Buffer.alloc(4000, 'long') }).delivered)
  t.ok(tcp(b, a, { port: 8 }).delivered)
}

const verify = (...stations: Station[]) =>
  Promise.all(stations.map(({ host }) => VerifyProcess.start(t, host.namespace)))

for (const kind of ['kernel', 'software'] as const) {
  t.test(`a rule about a tunnel interface, ${kind}`, async (t) => {
    const net = await network(kind)
    for (const [own, { host }] of [net.gateway, net.other].entries()) {
      await host.ip(
        `link add tun0 type ipip local ${ENDS[own]} remote ${ENDS[1 - own]}`,
        'link set tun0 addrgenmode none',
        'link set tun0 up',
        `route add ${NETWORKS[1 - own]} dev tun0`,
      )
    }
    const rule = (own: number) =>
      `{tunnel tun0 negotiate tunnel laddr ${NETWORKS[own]} raddr ${NETWORKS[1 - own]}} ipsec {${ESP}}`
    const [source, destination] = ENDS
    const inner = { source: NETWORKS[0], destination: NETWORKS[1] }
    for (const [own, station] of [net.gateway, net.other].entries()) {
      await station.policy(rule(own))
      await station.keys(keyFile(pairOf({ ...AES_SHA256, spi: 0x2000, source, destination, inner })))
    }
    const both = await verify(net.gateway, net.other)
    await talk(t, net)
    for (const [n, one] of both.entries()) {
      const { code, packets, findings } = await one.stop()
      t.same([code, findings], [0, []])
      t.ok((packets.protected ?? 0) >= 6)
      t.equal((packets.clear ?? 0) >= 6, n === 0, 'in clear only towards the client')
    }
    const [leaking] = await verify(net.gateway)
    // The tunnel's own packets, as they are where nothing protects them.
    const packet = udpPacket(ENDS[0], ENDS[1], 9)
    packet[9] = 4
    sendPackets(net.gateway, [packet])
    const { code, packets } = (await leaking?.stop()) ?? {}
    t.equal(code, 1)
    t.match(packets, { leak: 1 })
  })
}

t.test('policies of another program, for networks', async (t) => {
  const net = await network('kernel')
  const key = `0x${'ab'.repeat(20)}`
  for (const [own, { host }] of [net.gateway, net.other].entries()) {
    const tmpl = (from: number) =>
      `tmpl src ${ENDS[from]} dst ${ENDS[1 - from]} proto esp reqid 9 mode tunnel`
    const policy = (from: number, direction: string) =>
      `xfrm policy add src ${NETWORKS[from]} dst ${NETWORKS[1 - from]} dir ${direction} ${tmpl(from)}`
    await host.ip(
      ...[0, 1].map(
        (from) =>
          `xfrm state add src ${ENDS[from]} dst ${ENDS[1 - from]} proto esp spi ${0x7001 + from} mode tunnel reqid 9 ` +
          `replay-window 64 aead rfc4106(gcm(aes)) ${key} 128`,
      ),
      policy(own, 'out'),
      policy(1 - own, 'in'),
      policy(1 - own, 'fwd'),
      `route add ${NETWORKS[1 - own]} via ${ENDS[1 - own]}`,
    )
  }
  const both = await verify(net.gateway, net.other)
  await talk(t, net)
  for (const one of both) {
    const { code, packets, findings } = await one.stop()
    t.same([code, findings], [0, []])
    t.ok((packets.protected ?? 0) >= 6)
    t.ok((packets.echo ?? 0) >= 3)
  }
  const [leaking] = await verify(net.gateway)
  sendPackets(net.gateway, [udpPacket('10.1.0.2', '10.2.0.1', 9)])
  const { code, findings } = (await leaking?.stop()) ?? {}
  t.equal(code, 1)
  t.match(findings, [{ category: 'leak', isPassing: true, asked: 'ESP in tunnel mode with reqid 9' }])
})
