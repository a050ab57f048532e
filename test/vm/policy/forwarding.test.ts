/**
 * A host that forwards: its rules are about its own packets, not about those that pass through.
 */
import t from 'tap'
import { TestNet } from '../../support/namespaces.ts'
import { check } from '../support/check.ts'
import { Station } from '../support/station.ts'
import { type End, ping, tcp, udp, type Verdict } from '../support/traffic.ts'
import { ESP } from '../support/two-stations.ts'

t.setTimeout(600_000)

/** What a router asks for its neighbours with. */
const LINK_LOCAL = 'fe80::1/64'

const net = new TestNet(t)
const [h1, gateway, h2] = await Station.make(t, net, 4)
await net.wire(
  h1.host,
  gateway.host,
  ['10.1.0.2/24', 'fd01::2/64'],
  ['10.1.0.1/24', 'fd01::1/64', LINK_LOCAL],
)
await net.wire(
  h2.host,
  gateway.host,
  ['10.2.0.2/24', 'fd02::2/64'],
  ['10.2.0.1/24', 'fd02::1/64', LINK_LOCAL],
)
await h1.host.ip('route add default via 10.1.0.1', 'route add ::/0 via fd01::1')
await h2.host.ip('route add default via 10.2.0.1', 'route add ::/0 via fd02::1')
gateway.sysctl('ipv4/ip_forward', 1)
gateway.sysctl('ipv6/conf/all/forwarding', 1)

const at = (station: Station, address: string): End => ({ station, address })
const FAMILIES = {
  IPv4: {
    a: at(h1, '10.1.0.2'),
    own: at(gateway, '10.1.0.1'),
    b: at(h2, '10.2.0.2'),
    near: at(gateway, '10.2.0.1'),
  },
  IPv6: {
    a: at(h1, 'fd01::2'),
    own: at(gateway, 'fd01::1'),
    b: at(h2, 'fd02::2'),
    near: at(gateway, 'fd02::1'),
  },
}
const word = ({ delivered }: Verdict) => (delivered ? 'delivered' : 'refused')

function checkPassing(t: Parameters<typeof check>[0], rule: string): void {
  for (const [family, { a, b }] of Object.entries(FAMILIES)) {
    check(t, `${rule}: passing through, ${family}`, {
      UDP: [() => word(udp(a, b)), 'delivered'],
      TCP: [() => word(tcp(a, b)), 'delivered'],
      ICMP: [() => word(ping(a, b)), 'delivered'],
      back: [() => word(tcp(b, a)), 'delivered'],
    })
  }
}

for (const rule of [`{} ipsec {${ESP}}`, '{dir both} drop {}']) {
  t.test(`${rule} is about the host's own packets alone`, async (t) => {
    await gateway.policy(rule)
    checkPassing(t, rule)
    for (const [family, { a, own, b, near }] of Object.entries(FAMILIES)) {
      check(t, `${rule}: its own, ${family}`, {
        'UDP out': [() => word(udp(near, b)), 'refused'],
        'TCP out': [() => word(tcp(near, b)), 'refused'],
        'UDP in': [() => word(udp(a, own)), 'refused'],
        'TCP in': [() => word(tcp(a, own)), 'refused'],
        'ICMP in': [() => word(ping(a, own)), 'refused'],
      })
    }
  })
}

t.test('forwarding that is turned off later leaves nothing behind', async (t) => {
  const tables = async () => (await gateway.host.exec('nft', ['list', 'ruleset'])).stdout
  t.match(await tables(), 'meta mark set')
  gateway.sysctl('ipv4/ip_forward', 0)
  gateway.sysctl('ipv6/conf/all/forwarding', 0)
  await gateway.policy(`{} ipsec {${ESP}}`)
  t.notMatch(await tables(), 'meta mark set')
  const { a, own } = FAMILIES.IPv4
  check(t, 'its own', { 'UDP in': [() => word(udp(a, own)), 'refused'] })
  await gateway.policy('')
  t.equal(await tables(), '')
})
