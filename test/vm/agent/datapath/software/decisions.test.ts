/**
 * The same packets to a host with the kernel's ESP and AH and to one with the software data path: in order and out of
 * it, twice, too late, changed, cut off, under the wrong number. Both take and refuse the same ones, for the same reason,
 * and their windows and counters are the same after.
 */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { Outbound } from '../../../../../agent/datapath/software/outbound.ts'
import { newIpHeader, parseIp } from '../../../../../agent/packet/ip-header.ts'
import { HEADROOM, TAILROOM } from '../../../../../agent/packet/packet.ts'
import { allocateArena } from '../../../../../netlink/libc/arena.ts'
import { withNetns } from '../../../../../netlink/libc/netns.ts'
import { close, send } from '../../../../../netlink/libc/socket.ts'
import { IPPROTO_RAW } from '../../../../../netlink/libc/socket-options.ts'
import { emptyDatabases, stateOf } from '../../../../agent/datapath/software/surroundings.ts'
import { type Host, TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { bound, receive, SOCK_DGRAM, SOCK_RAW, sockaddr, until } from '../../../support/sockets.ts'
import { Station } from '../../../support/station.ts'
import { type Algorithm, apply, connect, ESP, MACS, newState, policies, type TestState } from './sas.ts'

t.setTimeout(600_000)
const SOURCE = '10.1.0.1'
const DESTINATION = '10.1.0.2'
const PORT = 7
const MARKER = 16

const NONE = new Uint8Array(0)
const NOBODY = Buffer.alloc(MARKER)

ownState(t)
const net = new TestNet(t)

/** A receiver, and a host that sends it whatever it is told. */
interface Lane {
  readonly receiver: Station
  readonly sender: Host
}

async function lane(receiver: Station): Promise<Lane> {
  const sender = await net.host()
  await net.wire(sender, receiver.host, [`${SOURCE}/24`], [`${DESTINATION}/24`])
  return { receiver, sender }
}

const [hard] = await Station.make(t, net, 1)
const lanes = [await lane(hard), await lane(await Station.makeSoftware(t, net))] as const
const raws = lanes.map(({ sender }) =>
  withNetns(sender.namespace, () => bound(SOCK_RAW, IPPROTO_RAW, SOURCE)),
)
const sinks = lanes.map(({ receiver }) => receiver.visit(() => bound(SOCK_DGRAM, 0, DESTINATION, PORT)))
const connections = lanes.map(({ receiver }) => connect(receiver))
t.teardown(() => {
  for (const fd of [...raws, ...sinks]) close(fd)
  for (const connection of connections) connection.close()
})

/** A datagram to the receivers' port, as an IP packet. */
function datagram(marker: Buffer): Uint8Array {
  const packet = Buffer.alloc(28 + 40)
  packet.set([0x45, 0, 0, packet.length, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2])
  packet.writeUInt16BE(1000, 20)
  packet.writeUInt16BE(PORT, 22)
  packet.writeUInt16BE(packet.length - 20, 24)
  packet.set(marker, packet.length - MARKER)
  return packet
}

/** Protects packets as the peer would. */
class Sealer {
  readonly #outbound = new Outbound(emptyDatabases())
  readonly #state
  readonly #arena = allocateArena(HEADROOM + 4096 + TAILROOM)
  readonly #ip = newIpHeader()

  constructor(sa: TestState) {
    this.#state = stateOf(newState(sa))
  }

  seal(bytes: Uint8Array): Uint8Array {
    this.#arena.bytes.set(bytes, HEADROOM)
    const packet = { arena: this.#arena, at: HEADROOM, end: HEADROOM + bytes.length }
    if (!parseIp(this.#arena.bytes, packet.at, packet.end, this.#ip)) throw new Error('no packet')
    const failure = this.#outbound.protect(packet, this.#ip, [this.#state])
    if (failure) throw new Error(failure)
    return this.#arena.bytes.slice(packet.at, packet.end)
  }

  skip(count: number): void {
    for (let i = 0; i < count; i++) this.#state.sequence.take()
  }
}

/** What a receiver does with a packet: `delivered`, or what it counts. */
function outcome(n: 0 | 1, packet: Uint8Array, marker: Buffer): string {
  const { receiver } = lanes[n]
  const before = receiver.refusals()
  send(raws[n] ?? -1, packet, 0, sockaddr(DESTINATION))
  const risen = () =>
    [...receiver.refusals()].filter(([name, count]) => count > (before.get(name) ?? 0)).map(([name]) => name)
  const arrived = () => {
    for (let got = receive(sinks[n] ?? -1); got; got = receive(sinks[n] ?? -1)) {
      if (marker.equals(got.subarray(-MARKER))) return true
    }
    return false
  }
  const end = until(() => {
    if (arrived()) return 'delivered'
    const refused = risen()
    return refused.length > 0 ? refused.join() : undefined
  }, 3000)
  return end ?? 'lost'
}

interface Case {
  readonly title: string
  readonly change: (packet: Uint8Array) => Uint8Array
}

const at = (place: number, change: (byte: number) => number) => (packet: Uint8Array) => {
  const copy = packet.slice()
  const index = place < 0 ? copy.length + place : place
  copy[index] = change(copy[index] ?? 0)
  return copy
}

/** The IP header's length follows, so that what is cut is a packet still. */
const cut = (length: number) => (packet: Uint8Array) => {
  const copy = packet.slice(0, length)
  copy[2] = copy.length >> 8
  copy[3] = copy.length
  return copy
}

const CASES: readonly Case[] = [
  { title: 'as it is', change: (packet) => packet },
  { title: 'another SPI', change: at(23, (byte) => byte ^ 1) },
  { title: 'another sequence number', change: at(27, (byte) => byte ^ 0x40) },
  { title: 'sequence number 0', change: (packet) => new Uint8Array(packet).fill(0, 24, 28) },
  ...[28, 30, 36, 44, 60].map((place) => ({
    title: `byte ${place} changed`,
    change: at(place, (byte) => byte ^ 4),
  })),
  { title: 'the last byte changed', change: at(-1, (byte) => byte ^ 0x80) },
  ...[24, 27, 28, 30, 32, 36, 44, 52, 60, 61].map((length) => ({
    title: `cut to ${length}`,
    change: cut(length),
  })),
  { title: 'another hop limit', change: at(8, () => 3) },
]

/** One of each kind; under emulation all of them take minutes. All: SOLIPSEC_FULL=1. */
const isWanted = (n: number) => process.env.SOLIPSEC_FULL !== undefined || [1, 7, 15, 24, 25].includes(n)

const TRANSFORMS: readonly { protocol: 'esp' | 'ah'; algorithms: readonly Algorithm[] }[] = [
  ...ESP.filter((_, n) => isWanted(n)).map((algorithms) => ({
    protocol: 'esp' as const,
    algorithms,
  })),
  ...MACS.filter((_, n) => isWanted(n)).map((mac) => ({ protocol: 'ah' as const, algorithms: [mac] })),
]

let spi = 0x7000
let loaded: 'esp' | 'ah' | undefined

for (const { protocol, algorithms } of TRANSFORMS) {
  for (const isExtended of [false, true]) {
    const name = algorithms.map((one) => one.name).join(' ')
    t.test(`${protocol} ${name}${isExtended ? ', ESN' : ''}`, async (t) => {
      if (loaded !== protocol) {
        for (const connection of connections) {
          apply(connection, [{ name: 'FLUSHPOLICY', body: {}, attributes: {} } as never])
          apply(connection, policies(protocol, DESTINATION, SOURCE))
          connection.spdInfo()
        }
        loaded = protocol
      }
      const sa: TestState = {
        protocol,
        algorithms,
        spi: ++spi,
        source: SOURCE,
        destination: DESTINATION,
        isTunnel: false,
        isExtended,
        inUdp: false,
        window: 64,
      }
      for (const connection of connections) apply(connection, [newState(sa)])
      const sealer = new Sealer(sa)
      const found: [string, string][] = []
      const both = (title: string, packet: Uint8Array, marker: Buffer) =>
        found.push([title, `${outcome(0, packet, marker)} | ${outcome(1, packet, marker)}`])
      for (const { title, change } of CASES) {
        const marker = randomBytes(MARKER)
        both(title, change(sealer.seal(datagram(marker))), marker)
      }
      const markers = Array.from({ length: 6 }, () => randomBytes(MARKER))
      const packets = markers.map((marker) => sealer.seal(datagram(marker)))
      for (const n of [3, 0, 5, 0, 1, 5, 2])
        both(`out of order: ${n}`, packets[n] ?? NONE, markers[n] ?? NOBODY)
      sealer.skip(70)
      const far = randomBytes(MARKER)
      both('far ahead', sealer.seal(datagram(far)), far)
      both('behind the window', packets[4] ?? NONE, markers[4] ?? NOBODY)
      for (const [title, outcomes] of found) {
        const [kernel, software] = outcomes.split(' | ')
        t.equal(software, kernel, `${title}: ${kernel}`)
      }
      t.ok(found.some(([, outcomes]) => outcomes.startsWith('delivered')))
      const [kernelState, softwareState] = connections.map((connection) => {
        const state = connection.states().find(({ body }) => body.id.spi === sa.spi)
        const { curlft, stats } = state?.body ?? {}
        const { bmp, seq, seq_hi } = state?.attributes.replay_esn_val ?? {}
        return { bytes: curlft?.bytes, packets: curlft?.packets, stats, bmp, seq, seq_hi }
      })
      t.same(softwareState, kernelState, 'counters and window')
    })
  }
}
