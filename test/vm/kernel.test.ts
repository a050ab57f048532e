import t from 'tap'
import { tshark } from '../support/capture.ts'
import { type Host, twoHosts } from '../support/namespaces.ts'

/** The ground of the VM tier, without a line of the product: SAs by iproute2, packets by the kernel. */

const encryptionKey = `0x${'11'.repeat(16)}`
const authenticationKey = `0x${'22'.repeat(32)}`
const authentication = `auth-trunc "hmac(sha256)" ${authenticationKey} 128`

interface Protection {
  readonly proto: 'esp' | 'ah'
  readonly number: number
  readonly algorithms: string
}

const protections: readonly Protection[] = [
  { proto: 'esp', number: 50, algorithms: `${authentication} enc "cbc(aes)" ${encryptionKey}` },
  { proto: 'ah', number: 51, algorithms: authentication },
]

const spis = { esp: { out: 0x1001, back: 0x1002 }, ah: { out: 0x2001, back: 0x2002 } }

/** Both SAs on both hosts, and policies that demand them in both directions. */
async function protect(
  hosts: readonly [Host, Host],
  key: 'address4' | 'address6',
  { proto, algorithms }: Protection,
) {
  const [left, right] = hosts.map((host) => host[key])
  const state = (src: string | undefined, dst: string | undefined, spi: number) =>
    `xfrm state add src ${src} dst ${dst} proto ${proto} spi ${spi} reqid 1 mode transport ${algorithms}`
  for (const [index, host] of hosts.entries()) {
    const [mine, other] = index === 0 ? [left, right] : [right, left]
    const template = `tmpl proto ${proto} reqid 1 mode transport`
    await host.ip(
      state(left, right, spis[proto].out),
      state(right, left, spis[proto].back),
      `xfrm policy add dir out src ${mine} dst ${other} ${template}`,
      `xfrm policy add dir in src ${other} dst ${mine} ${template}`,
    )
  }
}

for (const protection of protections)
  for (const [family, key] of [
    [4, 'address4'],
    [6, 'address6'],
  ] as const)
    t.test(`${protection.proto} over IPv${family}`, async (t) => {
      const { left, right } = await twoHosts(t)
      await right.tcpEcho(7)
      await protect([left, right], key, protection)
      const wire = await left.capture()
      t.ok(await left.ping(right[key]), 'ping')
      t.same(await left.tcpSend(right[key], 7, 'secret'), { reply: 'secret' }, 'TCP')
      const packets = await wire.stop()
      t.ok(packets.length >= 6, 'packets both ways')
      for (const packet of packets)
        t.match(packet, { family, protocol: protection.number }, 'protected on the wire')
      const clear = packets.some(({ bytes }) => bytes.includes('secret'))
      t.equal(clear, protection.proto === 'ah', 'ESP hides the payload, AH does not')
      const { stdout } = await left.exec('ip', ['-statistics', 'xfrm', 'state'])
      t.match(stdout, /current:\s+[1-9]\d*\(bytes\)/, 'the SAs counted')
    })

t.test('clear text is dropped where a policy demands protection', async (t) => {
  const { left, right } = await twoHosts(t)
  await right.udpEcho(7)
  await right.ip(
    `xfrm policy add dir in src ${left.address4} dst ${right.address4} tmpl proto esp reqid 1 mode transport`,
  )
  t.same(await left.udpSend(right.address4, 7, 'clear', { timeout: 500 }), { error: 'timeout' })
  t.same(await right.received(7), [], 'nothing reached the service')
})

t.test('tshark, given the keys, decrypts what the kernel encrypted', async (t) => {
  const { left, right } = await twoHosts(t)
  const [esp] = protections
  if (!esp) return
  await right.udpEcho(7)
  await protect([left, right], 'address4', esp)
  const wire = await left.capture()
  t.same(await left.udpSend(right.address4, 7, 'plain'), { reply: 'plain' })
  await wire.stop()
  const sa = `"IPv4","*","*","*","AES-CBC [RFC3602]","${encryptionKey}","HMAC-SHA-256-128 [RFC4868]","${authenticationKey}"`
  const rows = await tshark(
    wire.file,
    ['esp.spi', 'udp.dstport', 'data.data'],
    [
      '-o',
      'esp.enable_encryption_decode:TRUE',
      '-o',
      'esp.enable_authentication_check:TRUE',
      '-o',
      `uat:esp_sa:${sa}`,
      '-d',
      'udp.port==7,data',
    ],
  )
  t.same(rows[0], ['0x00001001', '7', Buffer.from('plain').toString('hex')])
})

t.test('modules load on demand', async (t) => {
  const { left, right } = await twoHosts(t)
  const ends = (family: 'address4' | 'address6') => `local ${left[family]} remote ${right[family]}`
  const kinds = [
    'bridge',
    'veth',
    'nlmon',
    `ipip ${ends('address4')}`,
    `sit ${ends('address4')}`,
    `gre ${ends('address4')}`,
    `ip6tnl ${ends('address6')}`,
    'xfrm if_id 1',
  ]
  for (const [index, kind] of kinds.entries()) {
    const [name = ''] = kind.split(' ')
    await left.ip(`link add on${index} type ${kind}`)
    t.match(await left.ip(`link show type ${name}`), `on${index}`, `link type ${name}`)
  }
  const delay = await left.exec('tc', ['qdisc', 'add', 'dev', left.device, 'root', 'netem', 'delay', '1ms'])
  t.same(delay, { stdout: '', stderr: '', status: 0 }, 'netem')
  const rules = await left.exec('nft', ['add', 'table', 'inet', 'x'])
  t.same(rules, { stdout: '', stderr: '', status: 0 }, 'nf_tables')
})
