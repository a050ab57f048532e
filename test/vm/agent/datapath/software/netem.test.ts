/**
 * A bad wire between the software data path and the kernel's: packets are lost, come late, and come twice. Streams
 * arrive whole, no datagram comes twice, and each packet on the wire was either accepted once or counted as replayed.
 */
import t from 'tap'
import { ownState } from '../../../../support/own-state.ts'
import type { Packet } from '../../../../support/pcap.ts'
import { until } from '../../../support/sockets.ts'
import { type Arrived, datagrams, streams } from '../../../support/streams.ts'
import { kindsOf } from '../../../support/wiretap.ts'
import { loadPolicies, newPair, PLANES, softAndHard, titleOf } from './planes.ts'
import { type Algorithm, apply, deleteState, newState, type TestState } from './sas.ts'

t.setTimeout(300_000)
/** Bytes of a stream: some 350 packets, of which netem spoils a hundred. */
const STREAM = 512 * 1024
const MTU = 1500

ownState(t)
const { soft, hard, wire, connections } = await softAndHard(t)
const stations = [soft, hard] as const

t.before(() => {
  // No ICMP errors about fragments that were lost in an earlier case: the SAs that they would need are gone.
  for (const station of stations) {
    for (const name of ['ipv4/ipfrag_time', 'ipv6/ip6frag_time']) station.sysctl(name, 3600)
  }
  loadPolicies(connections[0], 'near')
  loadPolicies(connections[1], 'far')
})

const GCM: readonly Algorithm[] = [{ kind: 'aead', name: 'rfc4106(gcm(aes))', keyBytes: 20, icvBits: 128 }]
const SHA256: Algorithm = { kind: 'auth', name: 'hmac(sha256)', keyBytes: 32, icvBits: 128 }
const CBC: readonly Algorithm[] = [{ kind: 'crypt', name: 'cbc(aes)', keyBytes: 16, icvBits: 0 }, SHA256]

/** A few that have, together, all of them: transform, mode, family, UDP, ESN. Planes by their place. */
const CASES = [
  { plane: 0, algorithms: GCM, isExtended: false, inUdp: false },
  { plane: 1, algorithms: CBC, isExtended: true, inUdp: false },
  { plane: 3, algorithms: GCM, isExtended: true, inUdp: false },
  { plane: 0, algorithms: GCM, isExtended: true, inUdp: true },
  { plane: 3, algorithms: CBC, isExtended: false, inUdp: true },
  { plane: 4, algorithms: [SHA256], isExtended: true, inUdp: false },
  { plane: 7, algorithms: [SHA256], isExtended: false, inUdp: false },
] as const

/** `tc qdisc` for both ends. */
async function qdisc(...words: readonly string[]): Promise<void> {
  for (const { host } of stations) {
    const { status, stderr } = await host.exec('tc', [
      'qdisc',
      words[0] ?? '',
      'dev',
      host.device,
      'root',
      ...words.slice(1),
    ])
    if (status !== 0) throw new Error(`tc: ${stderr}`)
  }
}

/** Names of the counters that have risen at each host. */
function counts(): () => string[] {
  const before = stations.map((station) => station.refusals())
  return () =>
    stations.flatMap((station, n) =>
      [...station.refusals()]
        .filter(([name, count]) => count > (before[n]?.get(name) ?? 0))
        .map(([name, count]) => `${station.dataPath}: ${name} ${count - (before[n]?.get(name) ?? 0)}`),
    )
}

/** What a receiver has made of the packets of an SA. */
interface Account {
  accepted: number
  replayed: number
  spoilt: number
}

function accountOf({ spi }: TestState, receiver: 0 | 1): Account {
  const { body } = connections[receiver].states().find(({ body }) => body.id.spi === spi) ?? {}
  const { replay = 0, replay_window = 0, integrity_failed = 0 } = body?.stats ?? {}
  return {
    accepted: Number(body?.curlft.packets ?? 0),
    replayed: replay + replay_window,
    spoilt: integrity_failed,
  }
}

const spiOf = ({ protocol, payload }: Packet) => payload.readUInt32BE(protocol === 51 ? 4 : 0)
const isFragment = ({ family, protocol, bytes }: Packet) =>
  family === 6 ? protocol === 44 : (bytes.readUInt16BE(6) & 0x3fff) !== 0

/** The part of a tap test that is needed here. */
interface Check {
  equal(found: unknown, wanted: unknown, title: string): unknown
  ok(value: unknown, title: string): unknown
}

/** Each number that came, once; and how many came. */
function checkArrived(t: Check, title: string, { numbers, spoilt }: Arrived, least: number): void {
  t.equal(spoilt, 0, `${title}: each is what was sent`)
  t.equal(new Set(numbers).size, numbers.length, `${title}: none came twice`)
  t.ok(numbers.length >= least, `${title}: ${numbers.length} came`)
}

for (const { plane: place, algorithms, isExtended, inUdp } of CASES) {
  const plane = PLANES[place]
  if (!plane) throw new RangeError(`no plane ${place}`)
  const name = algorithms.map((one) => one.name).join(' ')
  const title = `${plane.protocol} ${name}, ${titleOf(plane)}${inUdp ? ', in UDP' : ''}${isExtended ? ', ESN' : ''}`
  t.test(title, async (t) => {
    const pair = newPair(plane, { algorithms, isExtended, inUdp })
    for (const connection of connections) apply(connection, pair.map(newState))
    const near = { station: soft, address: plane.near }
    const far = { station: hard, address: plane.far }

    wire.take()
    const begun = performance.now()
    t.equal(streams(near, far, { bytes: STREAM }), 'same', 'streams on a good wire')
    t.equal(streams(far, near, { bytes: STREAM / 2 }), 'same', 'the same from the other side')
    t.comment(`good wire: ${Math.round(performance.now() - begun)} ms`)
    const clean = wire.take()
    t.equal(kindsOf(clean), inUdp ? 'udp-esp' : plane.protocol, 'nothing else is on the wire')
    t.notOk(clean.some(isFragment), 'no packet of a stream was cut')
    if (!inUdp) t.equal(Math.max(...clean.map(({ bytes }) => bytes.length)) <= MTU, true, 'nor too long')

    const risen = counts()
    const netem = 'netem limit 100000 delay 2ms loss 5% duplicate 5% reorder 25%'
    await qdisc('add', ...netem.split(' '))
    t.teardown(() => qdisc('del'))
    const bad = performance.now()
    t.equal(streams(near, far, { bytes: STREAM / 2 }), 'same', 'streams on a bad wire')
    t.comment(`bad wire: ${Math.round(performance.now() - bad)} ms`)
    checkArrived(t, 'datagrams out', datagrams(near, far, { count: 150, size: 200, least: 100 }), 100)
    checkArrived(t, 'datagrams in', datagrams(far, near, { count: 150, size: 200, least: 100 }), 100)

    if (!inUdp) {
      const packets = [...clean, ...wire.take()]
      pair.forEach((sa, n) => {
        const receiver = n === 0 ? 1 : 0
        const count = packets.filter((packet) => spiOf(packet) === sa.spi).length
        const account = until(() => {
          const { accepted, replayed, spoilt } = accountOf(sa, receiver)
          return accepted + replayed + spoilt >= count ? { accepted, replayed, spoilt } : undefined
        }, 5000)
        const { accepted, replayed, spoilt } = account ?? accountOf(sa, receiver)
        const who = connections[receiver] === connections[0] ? 'software' : 'kernel'
        t.equal(accepted + replayed, count, `${who}: ${accepted} accepted, ${replayed} replayed`)
        t.equal(spoilt, 0)
        t.ok(replayed > 0, 'some came twice')
      })
    }

    checkArrived(t, 'long datagrams out', datagrams(near, far, { count: 40, size: 6000, least: 5 }), 5)
    checkArrived(t, 'long datagrams in', datagrams(far, near, { count: 40, size: 6000, least: 5 }), 5)
    t.same(
      risen().filter((line) => !line.includes('XfrmInStateSeqError')),
      [],
      'nothing was refused but what had come before',
    )
    for (const connection of connections) apply(connection, pair.map(deleteState))
  })
}
