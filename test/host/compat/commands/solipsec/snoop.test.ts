/** Live capture between hosts of our own: what the software data path protects is shown opened, as it comes. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ipv4, readBack } from '../../../../agent/capture/files.ts'
import { sendFrames } from '../../../../support/frames.ts'
import { ownState } from '../../../../support/own-state.ts'
import { SnoopProcess } from '../../../../support/snoop-process.ts'
import { softwarePair } from '../../../../support/software-pair.ts'
import { until } from '../../../../support/until.ts'
import { AES_SHA256, AH_SHA256, keyFile, pairOf } from '../../../../vm/support/keys.ts'
import { ping } from '../../../../vm/support/traffic.ts'

t.setTimeout(120_000)
ownState(t)
const { left, right } = await softwarePair(t)
const folder = mkdtempSync(join(tmpdir(), 'solipsec-live-'))
t.teardown(() => rmSync(folder, { recursive: true }))

const from = { station: left, address: '10.1.0.1' }
const to = { station: right, address: '10.1.0.2' }
const snoop = (...argv: string[]) => SnoopProcess.start(t, left.host.namespace, ...argv)
const refused = (argv: readonly string[], uid?: number) =>
  SnoopProcess.refused(t, left.host.namespace, argv, uid)

const ends = { source: '10.1.0.1', destination: '10.1.0.2' }

const rule = (own: string, other: string, algorithms: string) =>
  `{laddr ${own} raddr ${other}} ipsec {${algorithms}}`

async function protectBy(algorithms: string, keys: string): Promise<void> {
  await left.policy(rule('10.1.0.1', '10.1.0.2', algorithms))
  await right.policy(rule('10.1.0.2', '10.1.0.1', algorithms))
  for (const station of [left, right]) await station.keys(keys)
}

const ESP = 'encr_algs aes(128) encr_auth_algs sha256'

t.test('pings through ESP, on one interface', async (t) => {
  await protectBy(ESP, keyFile(pairOf({ ...AES_SHA256, spi: 0x1000, ...ends })))
  const viewer = await snoop('-D', '-c', '2', 'icmp')
  t.match(viewer.err, /^Using device eth0 \(promiscuous mode\)/)
  t.ok(ping(from, to).delivered)
  t.ok(ping(from, to).delivered)
  t.equal(await viewer.ended(), 0)
  const lines = viewer.out.split('\n').slice(0, -1)
  t.equal(lines.length, 2)
  for (const line of lines)
    t.match(line, /^drops: 0 +10\.1\.0\.\d +-> 10\.1\.0\.\d +ESP SPI=0x100[01] ICMP Echo re/)
  t.match(viewer.err, /2 shown, 0 dropped; AH and ESP: 2 opened/)
})

t.test('new keys are found while it runs; everything is in the file when it is interrupted', async (t) => {
  const file = join(folder, 'any.pcapng')
  const table = join(folder, 'esp_sa')
  const viewer = await snoop('-i', 'any', '-w', file, '--wireshark', table, 'esp or ah')
  t.match(viewer.err, /^Using device all interfaces \(non-promiscuous mode\)/)
  const kinds = async () =>
    (await readBack(readFileSync(file))).frames.filter(({ hex }) => hex.startsWith('0800'))
  t.ok(ping(from, to).delivered)
  await viewer.until(() => readFileSync(file).length > 200)
  await protectBy(
    `auth_algs sha256 ${ESP}`,
    keyFile([
      ...pairOf({ ...AES_SHA256, spi: 0x2000, ...ends }),
      ...pairOf({ ...AH_SHA256, spi: 0x3000, ...ends }),
    ]),
  )
  // Once a second, SAs are looked for.
  await sleep(1100)
  t.ok(ping(from, to).delivered)
  await until(async () => (await kinds()).length >= 4)
  t.equal(await viewer.stop(), 0)
  t.match(viewer.err, /\d+ packets, \d+ written to .*any\.pcapng, 0 dropped; AH and ESP: \d+ opened\n$/)
  t.notMatch(viewer.err, 'no key')
  const frames = await kinds()
  t.ok(frames.length >= 4)
  // SLL2, IPv4 from its 21st byte on, with the protocol as its 10th: ICMP, and no AH or ESP.
  for (const { link, hex } of frames) t.same([link, hex.slice(58, 60)], ['cooked2', '01'])
  const spis = [...readFileSync(table, 'utf8').matchAll(/"0x0000(\d000)"/g)].map(([, spi]) => spi)
  t.same(spis.sort(), ['1000', '2000'])
})

t.test('ESP in UDP that the kernel shows before it is cut, or when it is joined', async (t) => {
  const places = [ends.source, ends.destination]
  await protectBy(ESP, '')
  for (const [i, station] of [left, right].entries()) {
    const more = `encap udp nat_loc ${places[i]} nat_rem ${places[1 - i]}`
    await station.keys(keyFile(pairOf({ ...AES_SHA256, spi: 0x5000, ...ends, more })))
  }
  await right.host.tcpEcho(7)
  const viewer = await snoop('-S', 'tcp port 7')
  const payload = 'a lot of text '.repeat(40_000)
  t.ok((await left.host.tcpSend('10.1.0.2', 7, payload)).reply === payload)
  // More than this there were, both ways.
  await viewer.until(() => viewer.out.split('\n').length > 800)
  t.equal(await viewer.stop(), 0)
  t.notMatch(viewer.out, /wrong ICV/)
  const { shown = '0', opened } =
    /(?<shown>\d+) shown.*: (?<opened>\d+) opened$/m.exec(viewer.err)?.groups ?? {}
  t.equal(shown, opened, 'all were opened')
})

t.test('VLAN tags are where they were', async (t) => {
  const file = join(folder, 'vlan.pcapng')
  const viewer = await snoop('-w', file, '-c', '1', 'vlan')
  const packet = ipv4(Buffer.from('9c4003e7000a0000 4142'.replace(' ', ''), 'hex'), 17)
  const frame = Buffer.concat([Buffer.from('ffffffffffff0202020202028100a0050800', 'hex'), packet])
  sendFrames(right, [frame])
  t.equal(await viewer.ended(), 0)
  const { frames } = await readBack(readFileSync(file))
  t.equal(frames[0]?.hex.slice(0, 2 * frame.length), frame.toString('hex'))
  t.equal(frames[0]?.ipAt, 18)
})

t.test('what is refused', async (t) => {
  t.match(await refused(['-i', 'eth9']), 'there is no interface eth9; there are: lo, eth0')
  await left.host.ip('link add dummy0 type veth peer name dummy1')
  t.match(await refused(['-i', 'dummy0']), 'the interface dummy0 is down')
  chmodSync(folder, 0o755)
  const err = await refused(['-i', 'lo'], 65_534)
  t.match(err, /CAP_|privilege|permission/i)
  t.notMatch(err, /internal error|\n +at /)
})

t.test('an interface that goes away ends it', async (t) => {
  await left.host.ip('link set dummy0 up')
  const viewer = await snoop('-i', 'dummy0')
  await left.host.ip('link set dummy0 down')
  t.equal(await viewer.ended(), 1)
  t.match(viewer.err, /dummy0: ENETDOWN/)
})
