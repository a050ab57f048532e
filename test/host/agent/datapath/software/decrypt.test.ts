/**
 * What the software data path puts on the wire, opened by a program that is not ours: with its table of SAs, tshark finds
 * in each packet the datagram that was sent, and calls ICV and checksum good.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { saFromDump } from '../../../../../agent/capture/viewed-sa.ts'
import { type TableRow, tableLine, wiresharkRow } from '../../../../../agent/capture/wireshark.ts'
import { defaultAlgorithmTable } from '../../../../../agent/model/default-algorithms.ts'
import { tshark } from '../../../../support/capture.ts'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { formatPcap, type Packet } from '../../../../support/pcap.ts'
import {
  PLANES as ALL_PLANES,
  addressesOf,
  loadPolicies,
  newPair,
  type Plane,
  titleOf,
} from '../../../../vm/agent/datapath/software/planes.ts'
import {
  type Algorithm,
  apply,
  connect,
  deleteState,
  ESP,
  newState,
  type TestState,
} from '../../../../vm/agent/datapath/software/sas.ts'
import { Station } from '../../../../vm/support/station.ts'
import { MARKER, udp } from '../../../../vm/support/traffic.ts'
import { kindOf, Wiretap } from '../../../../vm/support/wiretap.ts'

t.setTimeout(240_000)
const absent =
  spawnSync('tshark', ['--version'], { stdio: 'ignore' }).status !== 0 &&
  'tshark is not installed: nobody else has opened these packets'

const PORT = 7
const SOURCE_PORT = 1234

ownState(t)
const net = new TestNet(t)
const left = await Station.makeSoftware(t, net)
const right = await Station.makeSoftware(t, net)

const PLANES = ALL_PLANES.filter(({ protocol }) => protocol === 'esp')

await net.wire(left.host, right.host, addressesOf('near'), addressesOf('far'))
const wire = Wiretap.open(t, { station: left })
const connections = [connect(left), connect(right)] as const
t.teardown(() => {
  for (const connection of connections) connection.close()
})

/** One protected datagram: what was sent, as which SA, and what was on the wire. */
interface Specimen {
  readonly title: string
  readonly plane: Plane
  readonly row: TableRow
  readonly payload: Buffer
  readonly packets: readonly Packet[]
}

const specimens: Specimen[] = []
let leftOut = 0

t.before(() => {
  loadPolicies(connections[0], 'near')
  loadPolicies(connections[1], 'far')
})

/** The SA as a dump has it, as a line of the table. */
function rowOf(sa: TestState): TableRow | undefined {
  const state = connections[0].states().find(({ body }) => body.id.spi === sa.spi)
  const viewed = state && saFromDump(state, defaultAlgorithmTable)
  return viewed && wiresharkRow(viewed)
}

/** Sends one datagram, and keeps what was on the wire. @returns whether it arrived */
function record(plane: Plane, algorithms: readonly Algorithm[], inUdp: boolean): boolean {
  const [sa] = newPair(plane, { algorithms, isExtended: false, inUdp })
  for (const connection of connections) apply(connection, [newState(sa)])
  const name = algorithms.map((one) => `${one.name} ${one.keyBytes * 8}/${one.icvBits}`).join(' ')
  const payload = randomBytes(MARKER + (sa.spi % 40))
  wire.take()
  const { delivered } = udp(
    { station: left, address: plane.near },
    { station: right, address: plane.far },
    { port: PORT, sourcePort: SOURCE_PORT, payload },
  )
  const row = rowOf(sa)
  const title = `${name}, ${titleOf(plane)}${inUdp ? ', in UDP' : ''}`
  if (row) specimens.push({ title, plane, row, payload, packets: wire.take() })
  else leftOut++
  for (const connection of connections) apply(connection, [deleteState(sa)])
  return delivered
}

for (const plane of PLANES) {
  for (const inUdp of [false, true]) {
    t.test(
      `${titleOf(plane)}${inUdp ? ', in UDP' : ''}: packets arrive, and nothing else is sent`,
      async (t) => {
        const before = specimens.length
        const lost = ESP.filter((algorithms) => !record(plane, algorithms, inUdp))
        t.same(lost, [])
        const kind = inUdp ? 'udp-esp' : 'esp'
        for (const { title, packets } of specimens.slice(before)) t.same(packets.map(kindOf), [kind], title)
      },
    )
  }
}

const FIELDS = [
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'esp.spi',
  'esp.icv_good',
  'udp.srcport',
  'udp.dstport',
  'udp.checksum.status',
  'udp.payload',
]

/** What tshark says of a good ICV: 1; 0 where it does not check. */
const goodIcv = ({ authentication }: TableRow) => (authentication.startsWith('ANY') ? '0' : '1')

/** Of each field the innermost value, but of addresses all of them. */
function wanted({ title, plane, row, payload }: Specimen): string[] {
  const ends = (['near', 'far'] as const).map((side) =>
    [...(plane.tunnel ? [plane.tunnel[side]] : []), plane[side]].join(','),
  )
  const isV4 = row.version === 4
  const addresses = isV4 ? [...ends, '', ''] : ['', '', ...ends]
  const number = `0x${row.spi.toString(16).padStart(8, '0')}`
  return [
    title,
    ...addresses,
    number,
    goodIcv(row),
    String(SOURCE_PORT),
    String(PORT),
    '1',
    payload.toString('hex'),
  ]
}

function seen({ title }: Specimen, values: readonly string[]): string[] {
  return [title, ...values.map((value, n) => (n < 4 ? value : (value.split(',').at(-1) ?? '')))]
}

t.test('tshark decrypts each packet to the datagram that was sent', { skip: absent }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'wire.pcap')
  writeFileSync(file, formatPcap(specimens.flatMap(({ packets }) => packets)))
  const settings = [
    'esp.enable_encryption_decode:TRUE',
    'esp.enable_authentication_check:TRUE',
    'udp.check_checksum:TRUE',
    ...specimens.map(({ row }) => `uat:esp_sa:${tableLine(row)}`),
  ]
  const rows = await tshark(
    file,
    FIELDS,
    settings.flatMap((setting) => ['-o', setting]),
  )
  t.equal(rows.length, specimens.length, 'a row a packet')
  specimens.forEach((specimen, n) => {
    t.same(seen(specimen, rows[n] ?? []), wanted(specimen), specimen.title)
  })
  t.equal(specimens.length + leftOut, ESP.length * PLANES.length * 2, 'every transform was there')
  t.comment(`opened: ${specimens.length}; unknown to Wireshark: ${leftOut}`)
})
