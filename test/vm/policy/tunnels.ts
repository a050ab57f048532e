/**
 * Tunnel rules: two gateways with a tunnel interface, and a host behind each.
 *
 * @module
 */
import t from 'tap'
import type { DataPathKind } from '../../../agent/datapath/data-path.ts'
import { TestNet } from '../../support/namespaces.ts'
import { check } from '../support/check.ts'
import { AES_SHA256, keyFile, pairOf, type TestSa } from '../support/keys.ts'
import { Station } from '../support/station.ts'
import { type End, ping, tcp, udp, type Verdict } from '../support/traffic.ts'
import { ESP } from '../support/two-stations.ts'
import { kindsOf, Wiretap } from '../support/wiretap.ts'

/** What a router asks for its neighbours with. */
const LINK_LOCAL = 'fe80::1/64'

/** @param gateway who carries the packets of the first gateway; the second one's kernel does itself */
export async function proveTunnels(gateway: DataPathKind): Promise<void> {
  t.setTimeout(600_000)
  const net = new TestNet(t)
  const [h1, kernel, g2, h2] = await Station.make(t, net, 4)
  const g1 = gateway === 'kernel' ? kernel : await Station.makeSoftware(t, net)
  await net.wire(g1.host, g2.host, ['192.0.2.1/24', '2001:db8::1/64'], ['192.0.2.2/24', '2001:db8::2/64'])
  await net.wire(
    h1.host,
    g1.host,
    ['10.1.0.2/24', '10.3.0.2/24', 'fd01::2/64'],
    ['10.1.0.1/24', '10.3.0.1/24', 'fd01::1/64', LINK_LOCAL],
  )
  await net.wire(h2.host, g2.host, ['10.2.0.2/24', 'fd02::2/64'], ['10.2.0.1/24', 'fd02::1/64', LINK_LOCAL])
  for (const [host, number] of [
    [h1, 1],
    [h2, 2],
  ] as const) {
    await host.host.ip(`route add default via 10.${number}.0.1`, `route add ::/0 via fd0${number}::1`)
  }
  for (const gateway of [g1, g2]) {
    gateway.sysctl('ipv4/ip_forward', 1)
    gateway.sysctl('ipv6/conf/all/forwarding', 1)
  }
  const wire = Wiretap.open(t, { station: g1 }, { station: g2 })

  /** A tunnel interface at each gateway, and the routes to the other side's network through it. */
  async function addTunnel(name: string, link: string, family: 4 | 6): Promise<void> {
    const outer = family === 4 ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1', '2001:db8::2']
    for (const [gateway, own, other] of [
      [g1, 1, 2],
      [g2, 2, 1],
    ] as const) {
      await gateway.host.ip(
        `link add ${name} ${link} local ${outer[own - 1]} remote ${outer[other - 1]}`,
        `link set ${name} addrgenmode none`,
        `link set ${name} up`,
      )
    }
  }

  async function routeThrough(name: string, inner: 4 | 6): Promise<void> {
    for (const [gateway, own, other] of [
      [g1, 1, 2],
      [g2, 2, 1],
    ] as const) {
      await gateway.host.ip(
        ...(inner === 4
          ? [
              `addr add 10.9.0.${own} peer 10.9.0.${other} dev ${name}`,
              `route add 10.${other}.0.0/24 dev ${name}`,
            ]
          : [`route add fd0${other}::/64 dev ${name}`]),
      )
    }
  }

  /** Rules for the traffic between the two networks, at both gateways. */
  async function loadTunnelRules(name: string, inner: 4 | 6): Promise<void> {
    const networks = inner === 4 ? ['10.1.0.0/24', '10.2.0.0/24'] : ['fd01::/64', 'fd02::/64']
    const rule = (own: number, other: number) =>
      `{tunnel ${name} negotiate tunnel laddr ${networks[own]} raddr ${networks[other]}} ipsec {${ESP}}`
    await g1.policy(rule(0, 1))
    await g2.policy(rule(1, 0))
  }

  function tunnelSas(inner: 4 | 6, outer: 4 | 6): TestSa[] {
    const [source, destination] = outer === 4 ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1', '2001:db8::2']
    const networks = inner === 4 ? ['10.1.0.0/24', '10.2.0.0/24'] : ['fd01::/64', 'fd02::/64']
    const [from = '', to = ''] = networks
    return pairOf({
      ...AES_SHA256,
      spi: 0x2000,
      source: source ?? '',
      destination: destination ?? '',
      inner: { source: from, destination: to },
    })
  }

  async function loadKeys(sas: readonly TestSa[]): Promise<void> {
    for (const gateway of [g1, g2]) await gateway.keys(keyFile(sas))
  }

  const at = (station: Station, address: string): End => ({ station, address, onTheWay: [g1, g2] })

  type Probe = (from: End, to: End) => Verdict

  /** What became of a packet, and what was between the gateways. */
  function via(probe: Probe, from: End, to: End): string {
    wire.take()
    const { delivered, refusals } = probe(from, to)
    const word = delivered ? 'delivered' : refusals.length > 0 ? 'refused' : 'lost'
    return `${word} ${kindsOf(wire.take())}`.trim()
  }

  await addTunnel('ip.tun0', 'type ipip', 4)
  await routeThrough('ip.tun0', 4)

  t.test('negotiate tunnel', async (t) => {
    await loadTunnelRules('ip.tun0', 4)
    await loadKeys(tunnelSas(4, 4))
    const [a, b] = [at(h1, '10.1.0.2'), at(h2, '10.2.0.2')]
    check(t, 'between the networks', {
      'forwarded, UDP': [() => via(udp, a, b), 'delivered esp'],
      'forwarded, TCP': [() => via(tcp, a, b), 'delivered esp'],
      'forwarded, ICMP': [() => via(ping, a, b), 'delivered esp'],
      'forwarded, the other way': [() => via(tcp, b, a), 'delivered esp'],
      'from the gateway': [() => via(tcp, at(g1, '10.1.0.1'), b), 'delivered esp'],
      'to the gateway': [() => via(tcp, a, at(g2, '10.2.0.1')), 'delivered esp'],
      'to the gateway, ICMP': [() => via(ping, a, at(g2, '10.2.0.1')), 'delivered esp'],
    })
    check(t, 'what no rule is about', {
      'from another network': [() => via(udp, at(h1, '10.3.0.2'), b), 'refused'],
      'between the ends of the tunnel': [() => via(udp, at(g1, '10.9.0.1'), at(g2, '10.9.0.2')), 'refused'],
      'ICMP between them': [() => via(ping, at(g1, '10.9.0.1'), at(g2, '10.9.0.2')), 'refused'],
      'beside the tunnel': [() => via(udp, at(g1, '192.0.2.1'), at(g2, '192.0.2.2')), 'delivered udp'],
    })
    wire.take()
    await h2.host.exec('ping', ['-n', '-c', '1', '-W', '1', '-t', '2', '10.1.0.2'])
    t.equal(
      kindsOf(wire.take()),
      'esp',
      'the far gateway says in clear nothing about a packet that died there',
    )
  })

  t.test('negotiate tunnel, against a peer without policy', async (t) => {
    await g2.policy('')
    const [a, b] = [at(h1, '10.1.0.2'), at(h2, '10.2.0.2')]
    check(t, 'plain IP in IP is refused', {
      UDP: [() => via(udp, b, a), 'refused ipip'],
      ICMP: [() => via(ping, b, a), 'refused ipip'],
      'to the gateway': [() => via(udp, b, at(g1, '10.1.0.1')), 'refused ipip'],
    })
  })

  t.test('negotiate transport', async (t) => {
    const rule = `{tunnel ip.tun0 negotiate transport} ipsec {${ESP}}`
    for (const gateway of [g1, g2]) await gateway.policy(rule)
    const [source, destination] = ['192.0.2.1', '192.0.2.2']
    await loadKeys(pairOf({ ...AES_SHA256, spi: 0x2010, source, destination, more: 'proto 4' }))
    const [a, b] = [at(h1, '10.1.0.2'), at(h2, '10.2.0.2')]
    check(t, 'everything through the tunnel is protected', {
      // Of a connection that was ended, a last packet may still come: nothing in clear is looked for right after it.
      'forwarded, TCP': [() => via(tcp, a, b), 'delivered esp'],
      'between its ends': [() => via(tcp, at(g1, '10.9.0.1'), at(g2, '10.9.0.2')), 'delivered esp'],
      'forwarded, UDP': [() => via(udp, a, b), 'delivered esp'],
      'forwarded, ICMP': [() => via(ping, a, b), 'delivered esp'],
      'beside the tunnel': [() => via(udp, at(g1, source), at(g2, destination)), 'delivered udp'],
    })
    await g2.policy('')
    check(t, 'plain IP in IP is refused', { UDP: [() => via(udp, b, a), 'refused ipip'] })
  })

  t.test('IPv6 through tunnels of every kind', async (t) => {
    const kinds = [
      { name: 'gre.tun0', link: 'type gre', inner: 6, outer: 4, clear: 'gre' },
      { name: 'ip6.tun0', link: 'type ip6tnl mode any encaplimit none', inner: 6, outer: 6, clear: 'ipv6' },
    ] as const
    const [a, b] = [at(h1, 'fd01::2'), at(h2, 'fd02::2')]
    for (const { name, link, inner, outer, clear } of kinds) {
      for (const gateway of [g1, g2]) await gateway.policy('')
      await addTunnel(name, link, outer)
      await routeThrough(name, inner)
      await loadTunnelRules(name, inner)
      await loadKeys(tunnelSas(inner, outer))
      check(t, name, {
        'forwarded, UDP': [() => via(udp, a, b), 'delivered esp'],
        'forwarded, TCP': [() => via(tcp, a, b), 'delivered esp'],
        'forwarded, ICMP': [() => via(ping, a, b), 'delivered esp'],
        'from the gateway': [() => via(tcp, at(g1, 'fd01::1'), b), 'delivered esp'],
        'to the gateway': [() => via(ping, a, at(g2, 'fd02::1')), 'delivered esp'],
      })
      await g2.policy('')
      check(t, `${name}, peer without policy`, { UDP: [() => via(udp, b, a), `refused ${clear}`] })
      for (const gateway of [g1, g2]) {
        await gateway.policy('')
        await gateway.host.ip(`link delete ${name}`)
      }
    }
  })

  t.test('sit interfaces, which take clear packets in unasked, are refused', async (t) => {
    await addTunnel('sit.tun0', 'type sit', 4)
    for (const mode of ['tunnel', 'transport']) {
      const rule = `{tunnel sit.tun0 negotiate ${mode}} ipsec {${ESP}}\n`
      const { code, err } = await g1.ipsecconf(['-q', '-a', '-'], rule)
      t.equal(code, 1)
      t.match(err, /sit.tun0 is a sit interface/)
    }
    const { out } = await g1.ipsecconf(['-l'])
    t.notMatch(out, 'sit.tun0')
  })
}
