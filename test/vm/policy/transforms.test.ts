/**
 * Every algorithm and key size of the table, as ESP, AH and both, in transport and tunnel mode, over IPv4 and IPv6:
 * traffic flows, nothing else is on the wire, and what is on the wire is what the algorithm's name says.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { tshark } from '../../support/capture.ts'
import { TestNet } from '../../support/namespaces.ts'
import { formatPcap, type Packet } from '../../support/pcap.ts'
import { goodIcv, needsOpenssl, openCombined, tsharkOptions } from '../support/decrypt.ts'
import { keyFile, pairOf, type TestSa } from '../support/keys.ts'
import { ahEspRows, ahRows, espRows, type Row } from '../support/rows.ts'
import { Station } from '../support/station.ts'
import { MARKER, ping, tcp, udp, type Verdict } from '../support/traffic.ts'
import { kindsOf, Wiretap } from '../support/wiretap.ts'

t.setTimeout(600_000)

const ROWS: readonly Row[] = [...espRows, ...ahRows, ...ahEspRows]

/** Where the packets of a row go: in transport mode between these addresses, in tunnel mode through this tunnel. */
interface Plane {
  readonly title: string
  readonly left: (n: number) => string
  readonly right: (n: number) => string
  readonly tunnel?: {
    readonly name: string
    readonly left: string
    readonly right: string
    readonly link: string
  }
}

const PLANES: readonly Plane[] = [
  { title: 'transport, IPv4', left: (n) => `10.1.${n}.1`, right: (n) => `10.1.${n}.2` },
  { title: 'transport, IPv6', left: (n) => `fd01::${n}:1`, right: (n) => `fd01::${n}:2` },
  {
    title: 'tunnel, IPv4',
    left: (n) => `10.2.${n}.1`,
    right: (n) => `10.2.${n}.2`,
    tunnel: { name: 'ip.tun0', left: '192.0.2.1', right: '192.0.2.2', link: 'type ipip' },
  },
  {
    title: 'tunnel, IPv6',
    left: (n) => `fd02::${n}:1`,
    right: (n) => `fd02::${n}:2`,
    tunnel: { name: 'ip6.tun0', left: '2001:db8::1', right: '2001:db8::2', link: 'type ip6tnl mode ip6ip6' },
  },
]

const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, wireAddresses('left'), wireAddresses('right'))
for (const plane of PLANES) {
  await addTunnel(left, plane, 'left', 'right')
  await addTunnel(right, plane, 'right', 'left')
}

type Side = 'left' | 'right'

function wireAddresses(side: Side): string[] {
  return PLANES.flatMap(({ tunnel, ...plane }) => {
    if (tunnel) return [`${tunnel[side]}/${tunnel.left.includes(':') ? 64 : 24}`]
    return ROWS.map((_, n) =>
      plane[side](n).includes(':') ? `${plane[side](n)}/64` : `${plane[side](n)}/16`,
    )
  })
}

async function addTunnel(station: Station, plane: Plane, own: Side, other: Side): Promise<void> {
  const { tunnel } = plane
  if (!tunnel) return
  const { name } = tunnel
  const nodad = plane.left(0).includes(':') ? ' nodad' : ''
  await station.host.ip(
    `link add ${name} ${tunnel.link} local ${tunnel[own]} remote ${tunnel[other]}`,
    `link set ${name} addrgenmode none`,
    `link set ${name} up`,
    ...ROWS.map((_, n) => `addr add ${plane[own](n)} peer ${plane[other](n)} dev ${name}${nodad}`),
  )
}

/** A row's rule for one side. */
function ruleOf({ properties }: Row, n: number, plane: Plane, own: Side, other: Side): string {
  const tunnel = plane.tunnel ? `tunnel ${plane.tunnel.name} negotiate tunnel ` : ''
  return `{${tunnel}laddr ${plane[own](n)} raddr ${plane[other](n)}} ipsec {${properties}}\n`
}

/** A row's SAs from left to right, innermost first. Around a tunnel's ESP, AH is in transport mode. */
function sasOf({ transforms }: Row, n: number, plane: Plane): TestSa[] {
  const { tunnel } = plane
  return transforms.map((transform, depth) => {
    const spi = 0x1_0000 * (PLANES.indexOf(plane) + 1) + 0x10 * n + 4 * depth
    if (!tunnel) return { ...transform, spi, source: plane.left(n), destination: plane.right(n) }
    const ends = { source: tunnel.left, destination: tunnel.right }
    if (depth > 0) return { ...transform, spi, ...ends }
    return { ...transform, spi, ...ends, inner: { source: plane.left(n), destination: plane.right(n) } }
  })
}

/** One protected datagram: what was sent, under which SAs, and what was on the wire. */
interface Specimen {
  readonly title: string
  readonly sas: readonly TestSa[]
  readonly payload: Buffer
  readonly packet: Packet
}

const everySa = PLANES.flatMap((plane) => ROWS.flatMap((row, n) => sasOf(row, n, plane)))
const wire = Wiretap.open(t, { station: left }, { station: right })
const specimens: Specimen[] = []

t.test('load policy', async () => {
  const rules = (own: Side, other: Side) =>
    PLANES.flatMap((plane) => ROWS.map((row, n) => ruleOf(row, n, plane, own, other))).join('')
  await left.policy(rules('left', 'right'))
  await right.policy(rules('right', 'left'))
})

t.test('load keys', async () => {
  for (const station of [left, right]) await station.keys(keyFile(everySa.flatMap(pairOf)))
})

for (const plane of PLANES) {
  t.test(`${plane.title}: UDP, TCP and ICMP flow, and only ESP or AH is on the wire`, async (t) => {
    const found: Record<string, string> = {}
    const expected: Record<string, string> = {}
    ROWS.forEach((row, n) => {
      const from = { station: left, address: plane.left(n) }
      const to = { station: right, address: plane.right(n) }
      const payload = randomBytes(MARKER + n)
      const outermost = row.transforms.at(-1)?.protocol ?? ''
      wire.take()
      const verdicts = [udp(from, to, { payload })]
      const [packet, ...rest] = wire.take()
      if (packet) specimens.push({ title: row.properties, sas: sasOf(row, n, plane), payload, packet })
      verdicts.push(tcp(from, to), ping(from, to))
      const kinds = kindsOf([...(packet ? [packet] : []), ...rest, ...wire.take()])
      found[row.properties] = `${verdicts.map(wordOf)} as ${kinds}`
      expected[row.properties] = `delivered,delivered,delivered as ${outermost}`
    })
    t.same(found, expected)
  })
}

t.test('tshark decrypts each datagram to what was sent, and finds the ICV good', async (t) => {
  const readable = specimens.filter(({ sas }) => !sas.some(needsOpenssl))
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'wire.pcap')
  writeFileSync(file, formatPcap(readable.map(({ packet }) => packet)))
  const rows = await tshark(file, ['udp.payload', 'esp.icv_good'], tsharkOptions(everySa))
  const found = readable.map(({ title }, i) => [title, ...(rows[i] ?? [])])
  const expected = readable.map(({ title, payload, sas }) => [
    title,
    payload.toString('hex'),
    sas[0] && goodIcv(sas[0]),
  ])
  t.same(found, expected)
  t.ok(readable.length > 100, 'there were many')
})

t.test('OpenSSL decrypts those of CCM, GMAC and ChaCha20-Poly1305', async (t) => {
  const combined = specimens.filter(({ sas }) => sas.some(needsOpenssl))
  for (const { title, sas, payload, packet } of combined) {
    const [sa] = sas
    const plain = sa && openCombined(packet, sa)
    t.same(plain?.subarray(-payload.length), payload, title)
  }
  t.equal(combined.length, 13 * PLANES.length)
})

t.test('HMAC-SHA-256 is cut to 128 bits', async (t) => {
  const null256 = specimens.filter(({ title }) => title === 'encr_algs null encr_auth_algs sha256')
  // ESP without encryption: header, UDP header, payload, padding to four bytes with two bytes of trailer, ICV.
  const icv = ({ packet, payload }: Specimen) => {
    const inner = 8 + payload.length + 2
    return packet.payload.length - 8 - Math.ceil(inner / 4) * 4
  }
  t.same(null256.slice(0, 2).map(icv), [16, 16])
  const ah = specimens.filter(({ title }) => title === 'auth_algs hmac-sha256')
  // AH's second byte is its length in words, minus two; twelve bytes come before the ICV.
  t.same(
    ah.slice(0, 2).map(({ packet }) => ((packet.payload[1] ?? 0) + 2) * 4 - 12),
    [16, 20],
    'AH is as long as RFC 4302 wants it: whole words in IPv4, pairs of them in IPv6',
  )
})

t.test('clear text between the same addresses is refused', async (t) => {
  await left.policy('')
  for (const plane of PLANES) {
    const delivered = ROWS.filter((_, n) => {
      const { delivered, refusals } = udp(
        { station: left, address: plane.left(n) },
        { station: right, address: plane.right(n) },
      )
      return delivered || refusals.length === 0
    })
    t.same(delivered, [], plane.title)
  }
})

function wordOf({ delivered, refusals, error }: Verdict): string {
  return delivered ? 'delivered' : `refused (${error ?? refusals.join(' ')})`
}
