/**
 * The software data path on one host and the kernel's on the other: every transform, in transport and tunnel mode, over
 * IPv4 and IPv6, bare and in UDP, with and without extended sequence numbers, both ways. All at once: SOLIPSEC_FULL=1.
 */
import t from 'tap'
import { EncapSockets } from '../../../../../agent/datapath/kernel/encap-socket.ts'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { Station } from '../../../support/station.ts'
import { tcp, udp, type Verdict } from '../../../support/traffic.ts'
import { kindsOf, Wiretap } from '../../../support/wiretap.ts'
import {
  type Algorithm,
  apply,
  connect,
  deleteState,
  ESP,
  exceptions,
  MACS,
  newState,
  policies,
  type TestState,
} from './sas.ts'

t.setTimeout(900_000)
ownState(t)
const net = new TestNet(t)
const soft = await Station.makeSoftware(t, net)
const [hard] = await Station.make(t, net, 1)

/** Addresses of a mode and family for one protocol. */
interface Plane {
  readonly protocol: 'esp' | 'ah'
  readonly soft: string
  readonly hard: string
  readonly tunnel?: { readonly soft: string; readonly hard: string }
}

const OUTER4 = { soft: '192.0.2.1', hard: '192.0.2.2' }
const OUTER6 = { soft: '2001:db8::1', hard: '2001:db8::2' }
const PLANES: readonly Plane[] = (['esp', 'ah'] as const).flatMap((protocol, n) => [
  { protocol, soft: `10.${n}.1.1`, hard: `10.${n}.1.2` },
  { protocol, soft: `fd0${n}::1:1`, hard: `fd0${n}::1:2` },
  { protocol, soft: `10.${n}.2.1`, hard: `10.${n}.2.2`, tunnel: OUTER4 },
  { protocol, soft: `fd0${n}::2:1`, hard: `fd0${n}::2:2`, tunnel: OUTER6 },
])

const addresses = (side: 'soft' | 'hard') => [
  `${OUTER4[side]}/24`,
  `${OUTER6[side]}/64`,
  ...PLANES.map((plane) => `${plane[side]}/${plane[side].includes(':') ? 64 : 16}`),
]

await net.wire(soft.host, hard.host, addresses('soft'), addresses('hard'))
const wire = Wiretap.open(t, { station: soft }, { station: hard })
const connections = [connect(soft), connect(hard)] as const
t.teardown(() => {
  for (const connection of connections) connection.close()
})
const sockets = hard.visit(() =>
  EncapSockets.bind([
    { family: 'inet', port: 4500 },
    { family: 'inet6', port: 4500 },
  ]),
)
t.teardown(() => sockets.close())

t.before(() => {
  for (const connection of connections) apply(connection, exceptions())
  for (const plane of PLANES) {
    const { protocol, tunnel } = plane
    const turned = (local: 'soft' | 'hard', remote: 'soft' | 'hard') =>
      policies(
        protocol,
        plane[local],
        plane[remote],
        tunnel && { local: tunnel[local], remote: tunnel[remote] },
      )
    apply(connections[0], turned('soft', 'hard'))
    apply(connections[1], turned('hard', 'soft'))
  }
  connections[0].spdInfo()
})

/** Under emulation everything at once takes minutes: each combination has a quarter of the algorithms, in turn. */
const PART = process.env.SOLIPSEC_FULL ? 1 : 4
let combination = 0

let spi = 0x1000

function statesOf(
  plane: Plane,
  algorithms: readonly Algorithm[],
  isExtended: boolean,
  inUdp: boolean,
): TestState[] {
  const ends = plane.tunnel ?? plane
  const common = {
    protocol: plane.protocol,
    algorithms,
    isTunnel: plane.tunnel !== undefined,
    isExtended,
    inUdp,
    window: 128,
  }
  spi += 2
  return [
    { ...common, spi, source: ends.soft, destination: ends.hard },
    { ...common, spi: spi + 1, source: ends.hard, destination: ends.soft },
  ]
}

for (const plane of PLANES) {
  const kind = plane.tunnel ? 'tunnel' : 'transport'
  const version = plane.soft.includes(':') ? 'IPv6' : 'IPv4'
  for (const isExtended of [false, true]) {
    for (const inUdp of plane.protocol === 'esp' ? [false, true] : [false]) {
      const title = `${plane.protocol}, ${kind}, ${version}${inUdp ? ', in UDP' : ''}${isExtended ? ', ESN' : ''}`
      t.test(title, async (t) => {
        const found: Record<string, string> = {}
        const expected: Record<string, string> = {}
        const all = plane.protocol === 'esp' ? ESP : MACS.map((mac) => [mac])
        combination++
        for (const algorithms of all.filter((_, n) => n % PART === combination % PART)) {
          const name = algorithms.map((one) => `${one.name} ${one.keyBytes * 8}/${one.icvBits}`).join(' ')
          found[name] = exchange(plane, statesOf(plane, algorithms, isExtended, inUdp))
          expected[name] = `both ways as ${inUdp ? 'udp-esp' : plane.protocol}`
        }
        t.same(found, expected)
      })
    }
  }
}

/** Traffic under a pair of SAs, in words. */
function exchange(plane: Plane, states: readonly TestState[]): string {
  for (const connection of connections) apply(connection, states.map(newState))
  wire.take()
  const here = { station: soft, address: plane.soft }
  const there = { station: hard, address: plane.hard }
  const verdicts = [once(() => udp(here, there)), once(() => tcp(there, here))]
  const kinds = kindsOf(wire.take())
  for (const connection of connections) apply(connection, states.map(deleteState))
  const failed = verdicts.filter(({ delivered }) => !delivered)
  return failed.length === 0
    ? `both ways as ${kinds}`
    : `${failed.flatMap(({ refusals }) => refusals).join()} as ${kinds}`
}

/** A packet that is lost without anybody refusing it is sent once more: the emulated machine has much to do. */
function once(attempt: () => Verdict): Verdict {
  const verdict = attempt()
  return verdict.delivered || verdict.refusals.length > 0 ? verdict : attempt()
}
