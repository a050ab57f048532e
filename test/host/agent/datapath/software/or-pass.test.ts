/**
 * A rule with `or pass`: packets are protected while there is an SA, and pass in clear while there is none, whoever adds and
 * removes SAs. With `or pass` on the other side as well, both are let in.
 */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { OpenConnection } from '../../../../support/open-connection.ts'
import { ownState } from '../../../../support/own-state.ts'
import { softwarePair } from '../../../../support/software-pair.ts'
import { AES_SHA256, keyFile, pairOf } from '../../../../vm/support/keys.ts'
import { ping, tcp, udp } from '../../../../vm/support/traffic.ts'
import { kindsOf, Wiretap } from '../../../../vm/support/wiretap.ts'

t.setTimeout(120_000)
ownState(t)
const { left, right } = await softwarePair(t)
const wire = Wiretap.open(t, { station: left }, { station: right })

const ACTION = 'ipsec {encr_algs aes(128) encr_auth_algs sha256} or pass {}'
const FAMILIES = [
  { L: '10.1.0.1', R: '10.1.0.2', spi: 0x1000 },
  { L: 'fd01::1', R: 'fd01::2', spi: 0x2000 },
] as const

for (const station of [left, right]) {
  const [own, other] = station === left ? (['L', 'R'] as const) : (['R', 'L'] as const)
  await station.policy(
    FAMILIES.map((ends) => `{laddr ${ends[own]} raddr ${ends[other]}} ${ACTION}\n`).join(''),
  )
}

for (const { L, R, spi } of FAMILIES) {
  const [from, to] = [
    { station: left, address: L },
    { station: right, address: R },
  ]
  const seen = (): string => {
    wire.take()
    if (!udp(from, to).delivered) return 'no UDP'
    if (!tcp(from, to).delivered) return 'no TCP'
    if (!ping(from, to).delivered) return 'no ping'
    if (!udp(from, to, { payload: randomBytes(4000) }).delivered) return 'no long datagram'
    const kinds = kindsOf(wire.take())
    return /esp/.test(kinds) ? (/udp|tcp|icmp/.test(kinds) ? `mixture: ${kinds}` : 'esp') : 'clear'
  }
  const sas = pairOf({ ...AES_SHA256, spi, source: L, destination: R })

  t.test(`${L}: SAs come and go`, async (t) => {
    t.equal(seen(), 'clear', 'there is none')
    const connection = OpenConnection.open(from, to, 2000)
    for (const station of [left, right]) await station.keys(keyFile(sas))
    t.equal(seen(), 'esp')
    wire.take()
    t.ok(connection.passes(true))
    t.equal(kindsOf(wire.take()), 'esp', 'of a connection that began in clear as well')
    for (const station of [left, right]) await station.ipseckey(['flush'])
    t.ok(connection.passes(true))
    connection.close()
    t.equal(seen(), 'clear')
  })
}

t.test('an SA that ends with its bytes', async (t) => {
  const [{ L, R, spi }] = FAMILIES
  const sas = pairOf({ ...AES_SHA256, spi, source: L, destination: R, more: 'hard_bytes 400' })
  for (const station of [left, right]) await station.keys(keyFile(sas))
  const kinds = Array.from({ length: 8 }, () => {
    wire.take()
    udp({ station: left, address: L }, { station: right, address: R }, { payload: randomBytes(100) })
    return kindsOf(wire.take())
  })
  t.equal(kinds[0], 'esp')
  t.equal(kinds.at(-1), 'udp')
  t.notMatch(kinds.join(' '), /udp.*esp/, 'once it is gone it is gone')
})
