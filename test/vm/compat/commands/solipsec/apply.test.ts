/** Configurations as a whole on the kernel's own data path: protected, changed in use, refused, taken away. */
import t from 'tap'
import { XfrmConnection } from '../../../../../netlink/xfrm/connection.ts'
import { ConfigurationPlace, espPair, espSa } from '../../../../support/configuration-place.ts'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { Station } from '../../../support/station.ts'
import { ping } from '../../../support/traffic.ts'
import { whatOnlyTheKernelRefuses } from '../ipseckey/support.ts'

t.setTimeout(600_000)
ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, ['10.1.0.1/24', 'fd01::1/64'], ['10.1.0.2/24', 'fd01::2/64'])
const [L, R] = ['10.1.0.1', '10.1.0.2']
const here = new ConfigurationPlace(t, left)
const there = new ConfigurationPlace(t, right)

const between = (local: string, remote: string, encryption: string) => ({
  local,
  remote,
  protect: { encryption, authentication: 'sha256' },
})
const BASE = { policies: [between(L, R, 'aes(128)')], associations: espPair(0x1000, L, R) }
const delivered = () => ping({ station: left, address: L }, { station: right, address: R }).delivered

function tables() {
  return left.visit(() => {
    const connection = XfrmConnection.open()
    try {
      return { policies: connection.policies(), states: connection.states() }
    } finally {
      connection.close()
    }
  })
}

t.test('applied, in use, and untouched by the next', async (t) => {
  await here.apply(BASE)
  await there.apply({ ...BASE, policies: [between(R, L, 'aes(128)')] })
  t.ok(delivered())
  t.same(await here.command('diff', BASE), { code: 0, out: '', err: '' })
  const before = tables().states
  t.ok(before.some(({ body }) => body.curlft.packets > 0n))
  const limited = espSa(0x1001, R, L, { hard: { addTime: 9000 } })
  const next = { ...BASE, associations: [espSa(0x1000, L, R), limited] }
  t.match(await here.apply(next), /Plan: 0 to add, 1 to change, 0 to remove, 2 untouched\./)
  for (const { body } of tables().states) {
    const old = before.find((one) => one.body.id.spi === body.id.spi)
    t.equal(body.curlft.packets, old?.body.curlft.packets, 'the counters live on')
  }
  t.equal((await here.command('diff', next)).code, 0)
  t.ok(delivered())
})

t.test('another class, other keys: everything moves at once', async (t) => {
  const policies = (local: string, remote: string) => [between(local, remote, 'aes')]
  const associations = [espSa(0x1000, L, R), ...espPair(0x2000, L, R)]
  await there.apply({ policies: policies(R, L), associations })
  await here.apply({ policies: policies(L, R), associations })
  t.equal((await here.command('diff', { policies: policies(L, R), associations })).code, 0)
  t.ok(delivered())
})

t.test('what the kernel alone refuses takes everything back; others are not touched', async (t) => {
  await left.host.ip(`xfrm state add src ${L} dst 10.1.0.9 proto esp spi 0x7777 reqid 7 enc 'cipher_null' ''`)
  await whatOnlyTheKernelRefuses(left.host, `src ${L} dst ${R}`)
  const before = tables()
  const refused = await here.command('apply', {
    policies: [between(L, R, 'aes(256)')],
    associations: [...espPair(0x5000, L, R), espSa(2000, L, R)],
  })
  t.match(refused, { code: 1, err: /Nothing was changed/ })
  const after = tables()
  const names = ({ states, policies }: typeof before) => [
    states.map(({ body }) => `${body.id.spi} ${body.reqid}`).sort(),
    policies.map(({ body }) => `${body.index} ${body.priority}`).sort(),
  ]
  t.same(names(after), names(before))
  await here.apply({ policies: [], associations: [] })
  t.equal(tables().policies.length, 0)
  t.ok(tables().states.some(({ body }) => body.id.spi === 0x7777))
  t.notOk(tables().states.some(({ body }) => body.id.spi === 0x2000))
})
