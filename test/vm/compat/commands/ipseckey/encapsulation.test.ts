import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { helperName } from '../../../../../agent/runtime/helper.ts'
import { type Host, TestNet, twoHosts } from '../../../../support/namespaces.ts'
import type { Packet } from '../../../../support/pcap.ts'
import { Commands, key, until, whatOnlyTheKernelRefuses } from './support.ts'

t.setTimeout(250_000)

const algorithms = (number: number) =>
  `encr_alg aes encrkey ${key(number)} auth_alg sha256 authkey ${key(number + 1000, 256)}`

/** Both directions between two addresses, as the host with `own` and port 4500 sees them. */
function association(spi: number, own: string, ownPort: number, other: string, otherPort: number): string {
  const nat = `encap udp nat_loc ${own} nat_lport ${ownPort} nat_rem ${other} nat_rport ${otherPort}`
  const [first, second] = ownPort < otherPort ? [own, other] : [other, own]
  return (
    `add esp spi ${spi} src ${first} dst ${second} ${nat} ${algorithms(spi)}\n` +
    `add esp spi ${spi + 1} src ${second} dst ${first} ${nat} ${algorithms(spi + 1)}\n`
  )
}

const rule = (other: string) => `{raddr ${other} ulp tcp} ipsec {encr_algs aes encr_auth_algs sha256}`

/** Process numbers of the holders. */
function holders(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(helperName.encap)
    } catch {
      return false // it ended just now
    }
  })
}

async function boundPorts(host: Host): Promise<string[]> {
  const { stdout } = await host.exec('ss', ['-Huanp'])
  return stdout
    .split('\n')
    .filter((line) => holders().some((pid) => line.includes(`pid=${pid},`)))
    .map((line) => line.trim().split(/\s+/)[3] ?? '')
    .sort()
}

function udpPorts({ payload }: Packet): string {
  return `${payload.readUInt16BE(0)}-${payload.readUInt16BE(2)}`
}

t.test('TCP in ESP in UDP, over IPv4 and IPv6, for as long as there are SAs', async (t) => {
  const { left, right } = await twoHosts(t)
  const ends = [new Commands(t, left.namespace), new Commands(t, right.namespace)] as const
  for (const [i, own] of [left, right].entries()) {
    const other = own === left ? right : left
    const ports = own === left ? ([4500, 4501] as const) : ([4501, 4500] as const)
    await ends[i]?.loaded(
      association(0x1000, own.address4, ports[0], other.address4, ports[1]) +
        association(0x2000, own.address6, ports[0], other.address6, ports[1]),
    )
    await ends[i]?.policy(`${rule(other.address4)}\n${rule(other.address6)}\n`)
  }
  t.same(await boundPorts(left), ['0.0.0.0:4500', '[::]:4500'])
  t.same(await boundPorts(right), ['0.0.0.0:4501', '[::]:4501'])
  await right.tcpEcho(7)
  for (const [to, family] of [
    [right.address4, 4],
    [right.address6, 6],
  ] as const) {
    const wire = await left.capture()
    t.match(await left.tcpSend(to, 7, `hello over ${family}`), { reply: `hello over ${family}` })
    const packets = await wire.stop()
    t.ok(packets.length > 4)
    t.same([...new Set(packets.map(({ protocol, family }) => `${family} ${protocol}`))], [`${family} 17`])
    t.same([...new Set(packets.map(udpPorts))].sort(), ['4500-4501', '4501-4500'])
    t.notOk(packets.some(({ bytes }) => bytes.includes('hello')))
    // After the UDP header an SPI of ours: ESP, not IKE (four zero bytes).
    t.same([...new Set(packets.map(({ payload }) => payload.readUInt32BE(8) & 0xfff))].sort(), [0, 1])
  }
  t.match((await ends[0].dump()).get(0x1001), {
    direction: 'in',
    encapsulation: { local: '192.0.2.1', localPort: 4500, remote: '192.0.2.2', remotePort: 4501 },
  })
  await ends[0].loaded('update esp spi 0x1001 dst 192.0.2.1 hard_addtime 7000')
  t.match(await left.tcpSend(right.address4, 7, 'again'), { reply: 'again' }, 'an update keeps the ports')

  t.equal(holders().length, 2)
  await ends[0].done('flush')
  await until('the left holder ends', async () => (await boundPorts(left)).length === 0)
  t.same(await boundPorts(right), ['0.0.0.0:4501', '[::]:4501'])
  await ends[0].loaded(association(0x3000, left.address4, 4500, right.address4, 4501))
  t.same(await boundPorts(left), ['0.0.0.0:4500'])
  await left.ip('xfrm state flush')
  await until(
    'it ends also when another program takes the SAs',
    async () => (await boundPorts(left)).length === 0,
  )
  await ends[1].done('flush')
  await until('no holder is left', () => holders().length === 0)
})

t.test('a port that another program has is left to it', async (t) => {
  const { left, right } = await twoHosts(t)
  const commands = new Commands(t, left.namespace)
  await left.udpEcho(4500)
  await commands.loaded(association(0x1000, left.address4, 4500, right.address4, 4501))
  t.same(await boundPorts(left), [])
  t.same(holders(), [])
  t.equal(commands.states().length, 2)
})

t.test('nothing is bound for a file that the kernel refuses', async (t) => {
  const { left, right } = await twoHosts(t)
  const commands = new Commands(t, left.namespace)
  const bad = await whatOnlyTheKernelRefuses(left, 'src 192.0.2.1 dst 192.0.2.2')
  const { code } = await commands.keys(association(0x1000, left.address4, 4500, right.address4, 4501) + bad)
  t.equal(code, 1)
  t.same(await commands.spis(), [])
  t.same(await boundPorts(left), [])
  t.same(holders(), [])
})

t.test('a namespace that is deleted does not live on in its holder', async (t) => {
  const net = new TestNet(t)
  const host = await net.host()
  const commands = new Commands(t, host.namespace)
  await commands.loaded(association(0x1000, '127.0.0.1', 4500, '127.0.0.2', 4501))
  t.equal(holders().length, 1)
  await net.close()
  // This thread has been in it all the time.
  await (await new TestNet(t).host()).exec('true')
  const elsewhere = new Commands(t, (await new TestNet(t).host()).namespace)
  await elsewhere.done('dump')
  await until('the holder ends', () => holders().length === 0)
})
