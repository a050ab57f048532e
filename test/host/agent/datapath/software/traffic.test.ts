/**
 * Two hosts whose kernel has neither ESP nor AH, with unchanged policy and key files: what should be protected is, what
 * should pass in clear does, what should be refused is.
 */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { ownState } from '../../../../support/own-state.ts'
import { softwarePair } from '../../../../support/software-pair.ts'
import { AES_GCM, AES_SHA256, AH_SHA256, keyFile, pairOf, type TestSa } from '../../../../vm/support/keys.ts'
import { icmp, ping, tcp, udp } from '../../../../vm/support/traffic.ts'
import { kindsOf, Wiretap } from '../../../../vm/support/wiretap.ts'

t.setTimeout(240_000)

const CLEAR = 'clear text '
const longPayload = () => Buffer.concat([Buffer.alloc(4000, CLEAR), randomBytes(24)])

ownState(t)
const { left, right } = await softwarePair(t)
const wire = Wiretap.open(t, { station: left }, { station: right })

const FAMILIES = [
  { title: 'IPv4', L: '10.1.0.1', R: '10.1.0.2', base: 0x1000 },
  { title: 'IPv6', L: 'fd01::1', R: 'fd01::2', base: 0x2000 },
] as const

const PORTS = [
  {
    port: 1001,
    kind: 'esp',
    title: 'ESP, AES-CBC and SHA-256',
    rule: 'encr_algs aes(128) encr_auth_algs sha256',
  },
  { port: 1002, kind: 'esp', title: 'ESP, AES-GCM', rule: 'encr_algs aes-gcm(128)' },
  { port: 1003, kind: 'ah', title: 'AH', rule: 'auth_algs sha256' },
  {
    port: 1004,
    kind: 'ah',
    title: 'AH around ESP',
    rule: 'auth_algs sha256 encr_algs aes(128) encr_auth_algs sha256',
  },
] as const

function rules(own: 'L' | 'R', other: 'L' | 'R'): string {
  const lines = FAMILIES.flatMap((family) => {
    const ends = `laddr ${family[own]} raddr ${family[other]}`
    const side = (port: number) => (own === 'R' ? `lport ${port}` : `rport ${port}`)
    return [
      ...PORTS.map(({ port, rule }) => `{${ends} ${side(port)}} ipsec {${rule}}`),
      `{${ends} ${side(1005)}} bypass {}`,
      `{${ends} ${side(1006)} dir both} drop {}`,
    ]
  })
  return `${lines.join('\n')}\n`
}

const sas: TestSa[] = FAMILIES.flatMap(({ L, R, base }) =>
  [AES_SHA256, AES_GCM, AH_SHA256].flatMap((transform, n) =>
    pairOf({ ...transform, spi: base + 2 * n, source: L, destination: R }),
  ),
)

t.test('policy and keys are loaded', async (t) => {
  await left.policy(rules('L', 'R'))
  await right.policy(rules('R', 'L'))
  for (const station of [left, right]) await station.keys(keyFile(sas))
  const { out } = await left.ipsecconf(['-l'])
  t.match(out, /^#DATAPATH software\n/, 'the listing says who carries the packets')
})

t.test('the other data path is refused while this one is in use', async (t) => {
  const { code, err } = await left.ipsecconf(['-a', '-', '--datapath', 'kernel'], '{} bypass {dir in}\n')
  t.not(code, 0)
  t.match(err, 'loaded on the software data path')
})

for (const { title, L, R } of FAMILIES) {
  const from = { station: left, address: L }
  const to = { station: right, address: R }
  for (const { title: what, port, kind } of PORTS) {
    t.test(`${title}: ${what}`, async (t) => {
      wire.take()
      t.ok(udp(from, to, { port }).delivered, 'UDP')
      t.ok(tcp(from, to, { port }).delivered, 'TCP')
      t.equal(kindsOf(wire.take()), kind, 'nothing else is on the wire')
      t.ok(udp(from, to, { port, payload: longPayload() }).delivered, 'longer than the wire takes')
      const fragments = wire.take()
      // The end of the TCP connection may still be among them.
      t.match(kindsOf(fragments), title === 'IPv4' ? kind : 'fragment')
      t.notMatch(kindsOf(fragments), /udp|tcp/)
      t.notOk(fragments.some(({ bytes }) => bytes.includes(CLEAR)) && kind === 'esp', 'no clear text')
    })
  }
  t.test(`${title}: what passes in clear does, what is dropped is`, async (t) => {
    wire.take()
    t.ok(udp(from, to, { port: 1005 }).delivered, 'bypass')
    t.ok(ping(from, to).delivered, 'no rule')
    t.notOk(udp(from, to, { port: 1006 }).delivered, 'drop')
    const kinds = kindsOf(wire.take())
    t.notMatch(kinds, /esp|ah/, kinds)
  })
}

t.test('clear text where protection is asked for is refused, and counted', async (t) => {
  await left.policy('')
  for (const { L, R } of FAMILIES) {
    for (const { port } of PORTS) {
      const { delivered, refusals } = udp(
        { station: left, address: L },
        { station: right, address: R },
        { port },
      )
      t.notOk(delivered, `${R} ${port}`)
      t.match(refusals.join(), /^Xfrm(InPolBlock|InTmplMismatch)$/, 'refused')
    }
  }
})

t.test('protection that no rule asks for is refused', async (t) => {
  await left.policy(`{laddr 10.1.0.1 raddr 10.1.0.2} ipsec {encr_algs aes(128) encr_auth_algs sha256}`)
  const from = { station: left, address: '10.1.0.1' }
  const to = { station: right, address: '10.1.0.2' }
  t.ok(udp(from, to, { port: 1001 }).delivered)
  for (const port of [1002, 1003, 1004, 1005, 1007]) {
    const { delivered, refusals } = udp(from, to, { port })
    t.notOk(delivered, String(port))
    t.not(refusals.length, 0, refusals.join(' '))
  }
  t.notOk(icmp(from, to, [8, 0]).delivered, 'an echo request')
})
