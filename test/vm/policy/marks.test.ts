/**
 * Mark bits that others use: other bits are taken, and where somebody overwrites ours, packets are refused, never
 * accepted for something that they are not.
 */
import t from 'tap'
import { check, type Expectations } from '../support/check.ts'
import { type Addresses, AH, ESP, INET, INET6, TwoStations } from '../support/two-stations.ts'

t.setTimeout(600_000)

const two = await TwoStations.make(t)
const { left, right } = two
const EITHER = `{ulp udp} ipsec {${ESP}} or ipsec {${AH}}`

// The sender's port says how it protects: 1001 ESP, 1002 AH, 1003 both, others not at all.
await right.policy(
  [`{lport 1001} ipsec {${ESP}}`, `{lport 1002} ipsec {${AH}}`, `{lport 1003} ipsec {${AH} ${ESP}}`].join(
    '\n',
  ),
)

type Word = 'accepted' | 'refused'

function inbound(on: Addresses, esp: Word, ah: Word): Expectations {
  return {
    ESP: [() => two.in(on, { sourcePort: 1001 }), esp],
    AH: [() => two.in(on, { sourcePort: 1002 }), ah],
    'ESP and AH': [() => two.in(on, { sourcePort: 1003 }), 'refused'],
    clear: [() => two.in(on), 'refused'],
  }
}

t.test('the usual bits are free', async (t) => {
  await left.policy(EITHER)
  for (const on of [INET, INET6]) check(t, on.family, inbound(on, 'accepted', 'accepted'))
})

t.test('a routing rule looks at the usual bits: others are taken', async (t) => {
  await left.policy('')
  await left.host.ip('rule add fwmark 0x1000000/0xff000000 lookup 100')
  t.teardown(() => left.host.ip('rule delete fwmark 0x1000000/0xff000000 lookup 100'))
  const { code, err } = await left.ipsecconf(['-a', '-'], `${EITHER}\n`)
  t.equal(code, 0)
  t.match(err, /using 0xff0000 instead/)
  for (const on of [INET, INET6]) check(t, on.family, inbound(on, 'accepted', 'accepted'))
  t.match(await left.host.ip('xfrm policy list'), /mark 0x[0-9a-f]{1,6}\/0x[0-9a-f]{1,6}\b/)
  await left.policy('')
})

t.test(
  'an nftables rule overwrites every mark: alternatives are refused, clear text stays out',
  async (t) => {
    await left.host.exec('nft', ['-f', '-'], NFT_OVERWRITES)
    t.teardown(async () => void (await left.host.exec('nft', ['delete', 'table', 'inet', 'overwrite'])))
    await left.policy(EITHER)
    for (const on of [INET, INET6]) check(t, on.family, inbound(on, 'refused', 'refused'))
    await left.policy(`{ulp udp} ipsec {${ESP}}`)
    for (const on of [INET, INET6]) {
      check(t, `${on.family}, a rule that needs no mark`, {
        ESP: [() => two.in(on, { sourcePort: 1001 }), 'accepted'],
        AH: [() => two.in(on, { sourcePort: 1002 }), 'refused'],
        clear: [() => two.in(on), 'refused'],
      })
    }
  },
)

const NFT_OVERWRITES = `table inet overwrite {
  chain prerouting { type filter hook prerouting priority -150; policy accept; meta mark set 0x7; }
}
`

t.test('no bits at all: a rule is narrowed to one alternative, never widened', async (t) => {
  await left.policy(EITHER, '--mark-mask', 'none')
  for (const on of [INET, INET6]) {
    const { 'ESP and AH': _extra, ...expectations } = inbound(on, 'accepted', 'refused')
    check(t, on.family, expectations)
  }
  await left.policy(EITHER, '--mark-mask', '0xff000000')
  for (const on of [INET, INET6]) check(t, `${on.family}, bits again`, inbound(on, 'accepted', 'accepted'))
})
