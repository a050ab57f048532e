/**
 * What lies beside the rules: key lengths, unique SAs, packets that must pass whatever the rules say, and packets
 * that must not although no rule is about them.
 */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { check, type Expectations } from '../support/check.ts'
import { AES_SHA256, keyFile, pairOf, type TestSa } from '../support/keys.ts'
import { icmp, MARKER, ping, tcp, udp } from '../support/traffic.ts'
import { type Addresses, AH, ESP, INET, INET6, TwoStations } from '../support/two-stations.ts'
import { kindsOf, Wiretap } from '../support/wiretap.ts'

t.setTimeout(600_000)

const two = await TwoStations.make(t)
const { left, right } = two
const BOTH = [INET, INET6] as const
const AES256_SHA256 = { ...AES_SHA256, cipher: { name: 'aes', bits: 256 } } as const

const between = (on: Addresses, spi: number, transform: Pick<TestSa, 'protocol'>, more = ''): TestSa[] =>
  pairOf({ ...transform, spi, source: on.L, destination: on.R, more })

/** In front of IKE on port 4500 stand four zero bytes, where ESP has its SPI (RFC 3948). */
const IKE_OVER_NAT = {
  sourcePort: 4500,
  port: 4500,
  payload: Buffer.concat([Buffer.alloc(4), randomBytes(MARKER)]),
}

t.afterEach(async () => {
  await right.policy('')
  await two.keys(two.sharedSas())
})

t.test('an SA with a shorter key than the rule asks for carries nothing out', async (t) => {
  await left.policy('{ulp udp} ipsec {encr_algs aes(256..) encr_auth_algs sha256}')
  for (const on of BOTH) {
    await two.keys(between(on, 0x3000, AES_SHA256))
    check(t, `128 bits only, ${on.family}`, { out: [() => two.out(on), 'XfrmOutNoStates'] })
    await two.keys([...between(on, 0x3000, AES_SHA256), ...between(on, 0x3010, AES256_SHA256)])
    const wire = Wiretap.open(t, { station: left })
    check(t, `256 bits as well, ${on.family}`, { out: [() => two.out(on), 'esp'] })
    t.equal(wire.take()[0]?.payload.readUInt32BE(0), 0x3010, 'the SPI is that of the long key')
  }
})

t.test('sa unique: an SA for each flow, for that flow alone', async (t) => {
  const rule = (own: string, other: string) =>
    `{laddr ${own} raddr ${other} ulp udp} ipsec {${ESP} sa unique}`
  for (const on of BOTH) {
    const { L, R } = on
    await left.policy(rule(L, R))
    await right.policy(rule(R, L))
    const flow = (spi: number, from: number, to: number) => [
      { ...AES_SHA256, spi, source: L, destination: R, more: `proto udp sport ${from} dport ${to}` },
      { ...AES_SHA256, spi: spi + 1, source: R, destination: L, more: `proto udp sport ${to} dport ${from}` },
    ]
    await two.keys([
      ...flow(0x3000, 1000, 2000),
      ...flow(0x3010, 1001, 2000),
      ...between(on, 0x3020, AES_SHA256),
    ])
    const wire = Wiretap.open(t, { station: left }, { station: right })
    const spiOf = (sourcePort: number, port: number) => () => {
      const { delivered } = udp(
        { station: left, address: L },
        { station: right, address: R },
        { sourcePort, port },
      )
      const [packet] = wire.take()
      return `${delivered ? 'delivered' : 'refused'} ${packet ? packet.payload.readUInt32BE(0).toString(16) : 'unseen'}`
    }
    check(t, on.family, {
      'first flow': [spiOf(1000, 2000), 'delivered 3000'],
      'second flow': [spiOf(1001, 2000), 'delivered 3010'],
      'a flow without an SA, though there is a shared one': [spiOf(1002, 2000), 'refused unseen'],
      back: [() => two.in(on, { sourcePort: 2000, port: 1000 }), 'accepted'],
    })
    // The sender takes the first flow's SA for another flow: its own SA is not bound to one.
    await right.policy(`{laddr ${R} raddr ${L} ulp udp} ipsec {${ESP}}`)
    await right.keys(keyFile([{ ...AES_SHA256, spi: 0x3001, source: R, destination: L }]))
    check(t, `${on.family}, a sender that mixes flows`, {
      'the right flow': [() => two.in(on, { sourcePort: 2000, port: 1000 }), 'accepted'],
      'another one': [() => two.in(on, { sourcePort: 2000, port: 1001 }), 'refused'],
    })
  }
})

t.test('a rule for everything leaves alone what a host lives by', async (t) => {
  await left.policy(`{} ipsec {${ESP}}`)
  for (const on of BOTH) {
    check(t, on.family, {
      out: [() => two.out(on), 'esp'],
      in: [() => two.in(on), 'refused'],
      'IKE out': [() => two.out(on, { sourcePort: 500, port: 500 }), 'clear'],
      'IKE in': [() => two.in(on, { sourcePort: 500, port: 500 }), 'accepted'],
      'IKE over NAT out': [() => two.out(on, IKE_OVER_NAT), 'clear'],
      'IKE over NAT in': [() => two.in(on, IKE_OVER_NAT), 'accepted'],
      'TCP on the same port': [() => two.inTcp(on, { port: 500 }), 'refused'],
    })
    const own = { station: left, address: on.L }
    const otherOwn = { station: left, address: on.L2 }
    const loopback = { station: left, address: on === INET ? '127.0.0.1' : '::1' }
    check(t, `${on.family}, within the host`, {
      'loopback, UDP': [() => String(udp(loopback, loopback).delivered), 'true'],
      'loopback, TCP': [() => String(tcp(loopback, loopback).delivered), 'true'],
      'loopback, ICMP': [() => String(ping(loopback, loopback).delivered), 'true'],
      'own address, UDP': [() => String(udp(own, own).delivered), 'true'],
      'own address, TCP': [() => String(tcp(own, own).delivered), 'true'],
      'two own addresses': [() => String(tcp(own, otherOwn).delivered), 'true'],
      'from loopback': [() => String(udp(loopback, own).delivered), 'true'],
    })
  }
  await left.host.ip('neigh flush all')
  await right.host.ip('neigh flush all')
  check(t, 'after the neighbour caches were emptied', {
    IPv4: [() => two.out(INET), 'esp'],
    IPv6: [() => two.out(INET6), 'esp'],
  })
})

t.test('a packet from outside under an address of this host does not pass for its own', async (t) => {
  await left.policy(`{} ipsec {${ESP}}`)
  const { L, L2 } = INET6
  await right.host.ip(`addr add ${L2}/128 dev lo nodad`)
  const wire = Wiretap.open(t, { station: right })
  const { delivered } = udp({ station: right, address: L2 }, { station: left, address: L })
  t.notOk(delivered)
  t.equal(kindsOf(wire.take()), 'udp', 'it was on the wire')
  await right.host.ip(`addr delete ${L2}/128 dev lo`)
})

t.test('ICMP errors and replies come in in clear, requests do not', async (t) => {
  const inbound = (on: Addresses, type: number, code: number) => () => two.inIcmp(on, [type, code])
  const rules = BOTH.map(({ L, R }) => `{laddr ${L} raddr ${R}} ipsec {${ESP}}`).join('\n')
  await left.policy(rules)
  const inet: Expectations = {
    'echo reply': [inbound(INET, 0, 0), 'accepted'],
    'network unreachable': [inbound(INET, 3, 0), 'accepted'],
    'host unreachable': [inbound(INET, 3, 1), 'accepted'],
    'port unreachable': [inbound(INET, 3, 3), 'refused'],
    'fragmentation needed': [inbound(INET, 3, 4), 'accepted'],
    redirect: [inbound(INET, 5, 1), 'refused'],
    'echo request': [inbound(INET, 8, 0), 'refused'],
    'time exceeded': [inbound(INET, 11, 0), 'accepted'],
    'timestamp request': [inbound(INET, 13, 0), 'refused'],
    'timestamp reply': [inbound(INET, 14, 0), 'accepted'],
  }
  const inet6: Expectations = {
    unreachable: [inbound(INET6, 1, 0), 'accepted'],
    'packet too big': [inbound(INET6, 2, 0), 'accepted'],
    'time exceeded': [inbound(INET6, 3, 0), 'accepted'],
    'parameter problem': [inbound(INET6, 4, 0), 'refused'],
    'echo request': [inbound(INET6, 128, 0), 'refused'],
    'echo reply': [inbound(INET6, 129, 0), 'accepted'],
  }
  check(t, 'IPv4', inet)
  check(t, 'IPv6', inet6)
  await left.policy(`${rules}\n{raddr ${INET.R2} ulp icmp dir in} drop {}`)
  const fromR2 = (type: number, code: number) => () => two.inIcmp(INET, [type, code], { remote: INET.R2 })
  check(t, 'not where a rule drops what comes in', {
    'echo reply': [fromR2(0, 0), 'refused'],
    'fragmentation needed': [fromR2(3, 4), 'refused'],
    'fragmentation needed, from elsewhere': [inbound(INET, 3, 4), 'accepted'],
  })
})

t.test('a protected packet that no rule asked for is refused', async (t) => {
  await left.policy(`{ulp udp lport 1000} ipsec {${ESP}}\n{ulp udp lport 1001} ipsec {${AH}}`)
  for (const on of BOTH) {
    await right.policy(`{laddr ${on.R}} ipsec {${ESP}}`)
    check(t, `ESP, ${on.family}`, {
      'to the rule': [() => two.in(on, { port: 1000 }), 'accepted'],
      'beside it': [() => two.in(on), 'refused'],
      ICMP: [() => two.inIcmp(on, [200, 0]), 'refused'],
    })
    await right.policy(`{laddr ${on.R}} ipsec {${AH}}`)
    check(t, `AH, ${on.family}`, {
      'to the rule': [() => two.in(on, { port: 1001 }), 'accepted'],
      'beside it': [() => two.in(on), 'refused'],
    })
    await right.policy('')
    check(t, `clear, ${on.family}`, { 'beside it': [() => two.in(on), 'accepted'] })
  }
})

t.test('ESP in UDP', async (t) => {
  const wire = Wiretap.open(t, { station: left }, { station: right })
  const { L, R } = INET
  await left.policy(`{laddr ${L} raddr ${R}} ipsec {${ESP}}`)
  await right.policy(`{laddr ${R} raddr ${L}} ipsec {${ESP}}`)
  await two.keys([
    { ...AES_SHA256, spi: 0x3000, source: L, destination: R, more: `encap udp nat_loc ${L} nat_rem ${R}` },
    { ...AES_SHA256, spi: 0x3001, source: R, destination: L, more: `encap udp nat_loc ${R} nat_rem ${L}` },
  ])
  const ends = [
    { station: left, address: L },
    { station: right, address: R },
  ] as const
  check(t, 'flows', {
    UDP: [() => String(udp(...ends).delivered), 'true'],
    TCP: [() => String(tcp(...ends).delivered), 'true'],
    ICMP: [() => String(icmp(...ends, [13, 0]).delivered), 'true'],
  })
  t.equal(kindsOf(wire.take()), 'udp-esp')
})
