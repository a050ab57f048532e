/** Live capture with the keys of the kernel's SADB: transport and tunnel, AH around ESP, extended sequence numbers. */
import t from 'tap'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { SnoopProcess } from '../../../../support/snoop-process.ts'
import { AES_GCM, AES_SHA256, AH_SHA256, keyFile, pairOf } from '../../../support/keys.ts'
import { Station } from '../../../support/station.ts'
import { ping } from '../../../support/traffic.ts'

t.setTimeout(250_000)
ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, ['10.1.0.1/24', 'fd01::1/64'], ['10.1.0.2/24', 'fd01::2/64'])

const FAMILIES = [
  { L: '10.1.0.1', R: '10.1.0.2', base: 0x1000 },
  { L: 'fd01::1', R: 'fd01::2', base: 0x2000 },
] as const

const KINDS = [
  { rule: 'encr_algs aes-gcm', covers: /ESP SPI/ },
  { rule: 'auth_algs sha256 encr_algs aes(128) encr_auth_algs sha256', covers: /AH SPI.*ESP SPI/ },
] as const

const sas = FAMILIES.flatMap(({ L, R, base }) =>
  [AES_SHA256, AES_GCM, AH_SHA256].flatMap((transform, n) =>
    pairOf({ ...transform, spi: base + 2 * n, source: L, destination: R }),
  ),
)

for (const { rule, covers } of KINDS) {
  t.test(rule, async (t) => {
    const rules = (own: 'L' | 'R', other: 'L' | 'R') =>
      FAMILIES.map((family) => `{laddr ${family[own]} raddr ${family[other]}} ipsec {${rule}}`).join('\n')
    await left.policy(rules('L', 'R'))
    await right.policy(rules('R', 'L'))
    for (const station of [left, right]) await station.keys(keyFile(sas))
    const viewer = await SnoopProcess.start(t, left.host.namespace, '-c', '4', 'ah or esp')
    for (const { L, R } of FAMILIES) {
      t.ok(ping({ station: left, address: L }, { station: right, address: R }).delivered)
    }
    t.equal(await viewer.ended(), 0)
    const lines = viewer.out.split('\n').slice(0, -1)
    t.equal(lines.length, 4)
    for (const line of lines) {
      t.match(line, covers)
      t.match(line, /ICMP(v6)? Echo re/)
    }
    t.match(viewer.err, /AH and ESP: 4 opened\n$/)
  })
}

t.test('an SA with extended sequence numbers, made by another program, in a tunnel', async (t) => {
  await left.policy('')
  await right.policy('')
  for (const station of [left, right]) await station.keys('')
  const key = `0x${'ab'.repeat(20)}`
  // 2 to the power of 32 is near: the upper half of the numbers becomes 6.
  const state = (source: string, destination: string, spi: number) =>
    `xfrm state add src ${source} dst ${destination} proto esp spi ${spi} mode tunnel reqid 77 flag esn ` +
    `replay-window 64 replay-oseq 0xfffffffe replay-oseq-hi 5 replay-seq 0xfffffffe replay-seq-hi 5 ` +
    `aead rfc4106(gcm(aes)) ${key} 128`
  const policy = (source: string, destination: string, dir: string) =>
    `xfrm policy add src ${source} dst ${destination} dir ${dir} tmpl src ${source} dst ${destination} ` +
    `proto esp reqid 77 mode tunnel`
  const both = [state('10.1.0.1', '10.1.0.2', 0x7001), state('10.1.0.2', '10.1.0.1', 0x7002)]
  await left.host.ip(...both, policy('10.1.0.1', '10.1.0.2', 'out'), policy('10.1.0.2', '10.1.0.1', 'in'))
  await right.host.ip(...both, policy('10.1.0.2', '10.1.0.1', 'out'), policy('10.1.0.1', '10.1.0.2', 'in'))
  const viewer = await SnoopProcess.start(t, left.host.namespace, '-V', '-c', '8', 'esp')
  for (let i = 0; i < 4; i++) {
    t.ok(ping({ station: left, address: '10.1.0.1' }, { station: right, address: '10.1.0.2' }).delivered)
  }
  t.equal(await viewer.ended(), 0)
  t.match(viewer.err, /AH and ESP: 8 opened\n$/)
  t.match(viewer.out, /ESP SPI=0x7001 Replay=1 \(opened: aes-gcm\b/)
})
