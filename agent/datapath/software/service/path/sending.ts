/**
 * The way out: packets of this host from the device to the network, with protection.
 *
 * @module
 */
import { allocateArena } from '../../../../../netlink/libc/arena.ts'
import { family as af } from '../../../../../netlink/xfrm/constants.ts'
import { newFlow } from '../../../../packet/flow.ts'
import { readFlow } from '../../../../packet/flow-of.ts'
import { fragmentPacket } from '../../../../packet/fragments.ts'
import { icmpKinds, writeIcmpError } from '../../../../packet/icmp.ts'
import { type IpHeader, newIpHeader, parseIp } from '../../../../packet/ip-header.ts'
import type { Packet } from '../../../../packet/packet.ts'
import { IPPROTO_TCP, LONGEST, V6_MIN_MTU } from '../../../../packet/protocols.ts'
import type { Databases } from '../../databases.ts'
import { finishChecksum, Segments } from '../../offload/segments.ts'
import { NEEDS_CHECKSUM, segmentation, type VirtioHeader } from '../../offload/virtio-header.ts'
import { innerMtu, Outbound, protectedLength } from '../../outbound.ts'
import { countPacket, type Policy } from '../../policy/policy.ts'
import type { State } from '../../state/state.ts'
import type { Counter } from '../../state/statistics.ts'
import type { Network } from '../network.ts'
import type { KnownMtu } from '../path-mtu.ts'
import { innerAt } from '../tunnels.ts'
import type { Sender } from '../wire/sender.ts'
import { type Piece, ReadAhead } from './read-ahead.ts'
import { DEVICE_ROOM, type TunDevice } from './tun-device.ts'

/** Packets in one turn of the event loop, so that the other direction gets its turn, too. */
const PACKETS_A_TURN = 128
const HOP_LIMIT = 64
/** Of the longest packet over the shortest way of IPv4 (RFC 791: 68 bytes), nearly. */
const MOST_FRAGMENTS = 1400

const NO_PROTECTION: readonly State[] = []

export class Sending {
  readonly #databases: Databases
  readonly #outbound: Outbound
  readonly #network: Network
  readonly #device: TunDevice
  readonly #sender: Sender
  /** Fragments, one behind the other. */
  readonly #room = allocateArena(2 * LONGEST)
  readonly #ranges = new Uint32Array(2 * MOST_FRAGMENTS)
  readonly #packet: Packet
  /** What lets the packets under way leave. */
  #policy: Policy | undefined
  readonly #ip = newIpHeader()
  readonly #flow = newFlow()
  readonly #ahead: ReadAhead
  readonly #readDevice: Parameters<ReadAhead['fill']>[0]
  /** In the next turn, what is left over is gone on with. */
  #nextTurn: NodeJS.Immediate | undefined
  readonly #segments = new Segments()
  readonly #mtus = new WeakMap<readonly State[], KnownMtu>()
  #identification = Math.floor(Math.random() * 2 ** 32)
  /** Of this turn. */
  #packets = 0

  constructor(databases: Databases, device: TunDevice, sender: Sender, network: Network) {
    this.#databases = databases
    this.#outbound = new Outbound(databases)
    this.#network = network
    this.#device = device
    this.#sender = sender
    this.#ahead = new ReadAhead(sender.arena, sender.spare)
    this.#readDevice = (at, into) => device.read(sender.arena, at, into)
    this.#packet = { arena: sender.arena, at: 0, end: 0 }
    device.watch(() => this.#read())
  }

  /** Reads nothing more. */
  close(): void {
    clearImmediate(this.#nextTurn)
  }

  #read(): void {
    if (this.#nextTurn) return
    const { statistics } = this.#databases
    const ahead = this.#ahead
    ahead.fill(this.#readDevice)
    this.#packets = 0
    while (this.#packets < PACKETS_A_TURN) {
      const piece = ahead.take()
      if (!piece) break
      this.#packets++
      const failure = this.#leaveSafely(piece)
      if (failure) statistics[failure]++
      ahead.done(piece)
    }
    this.#sender.flush()
    statistics.XfrmOutError += this.#sender.takeLost()
    // The device may have nothing more to wake us for.
    if (!ahead.isEmpty) this.#nextTurn = setImmediate(() => this.#goOn())
  }

  #goOn(): void {
    this.#nextTurn = undefined
    this.#read()
  }

  /** A fault of ours must cost one packet, not the program with all its SAs. */
  #leaveSafely(piece: Piece): Counter | undefined {
    try {
      return this.#leave(piece)
    } catch {
      return 'XfrmOutError'
    }
  }

  /** What the device gave: a packet, or several that have but one header; perhaps in a tunnel's own header. */
  #leave({ at, end, header }: Piece): Counter | undefined {
    const ip = this.#ip
    const { arena } = this.#sender
    const { bytes } = arena
    if (!parseIp(bytes, at, end, ip)) return 'XfrmOutError'
    const isMany = header.kind !== segmentation.NONE
    const needsChecksum = !isMany && (header.flags & NEEDS_CHECKSUM) !== 0
    if (needsChecksum && !finishChecksum(arena, at, end, header)) return 'XfrmOutError'
    const tunnel = this.#network.tunnels.of(bytes, ip)
    if (tunnel && !parseInner(bytes, ip)) return 'XfrmOutError'
    readFlow(bytes, ip, this.#flow)
    this.#flow.ifindex = tunnel?.ifindex ?? 0
    return this.#leaveByPolicy(isMany ? header : undefined, tunnel !== undefined)
  }

  /** What is routed into a tunnel never leaves it in clear. */
  #leaveByPolicy(many: VirtioHeader | undefined, isTunnelled: boolean): Counter | undefined {
    const ip = this.#ip
    const { at, end } = ip
    const { arena } = this.#sender
    const decision = this.#outbound.decide(this.#flow)
    if (decision.kind === 'refuse') return decision.counter
    if (decision.kind === 'clear') {
      if (isTunnelled) return 'XfrmOutPolBlock'
      // Policy has changed since the packet was steered here. The next one will not be.
      if (!decision.isChoice) return 'XfrmOutPolDead'
    }
    this.#policy = decision.policy
    const states = decision.kind === 'protect' ? decision.states : NO_PROTECTION
    const mtu = this.#mtuFor(states)
    if (many && !this.#segments.begin(arena, ip, many)) return 'XfrmOutError'
    const longest = many ? this.#segments.longest : end - at
    if (protectedLength(states, ip.upperAt - at, longest) > mtu) {
      const fitting = innerMtu(states, ip, mtu)
      if (mayRefuse(ip, fitting)) {
        this.#refuse(ip, fitting)
        return 'XfrmOutError'
      }
    }
    return many ? this.#leaveAll(states, mtu) : this.#leaveWhole(at, end, states, mtu)
  }

  #leaveAll(states: readonly State[], mtu: number): Counter | undefined {
    for (;;) {
      const place = this.#sender.place
      const end = this.#segments.next(this.#sender.arena, place)
      if (end === 0) return undefined
      this.#packets++
      const failure = this.#leaveOne(place, end, states, mtu)
      if (failure) return failure
    }
  }

  #leaveWhole(at: number, end: number, states: readonly State[], mtu: number): Counter | undefined {
    const { arena, place } = this.#sender
    arena.bytes.copyWithin(place, at, end)
    return this.#leaveOne(place, place + end - at, states, mtu)
  }

  /** One packet at the sender's place: protected and, if it is too long for the path then, cut. */
  #leaveOne(at: number, end: number, states: readonly State[], mtu: number): Counter | undefined {
    const packet = this.#packet
    const ip = this.#ip
    packet.at = at
    packet.end = end
    if (!parseIp(packet.arena.bytes, at, end, ip)) return 'XfrmOutError'
    const failure = this.#outbound.protect(packet, ip, states)
    if (failure) return failure
    if (this.#policy) countPacket(this.#policy, end - at, this.#databases.now)
    if (packet.end - packet.at <= mtu) {
      this.#sender.commit(packet.at, packet.end)
      return undefined
    }
    return this.#sendFragments(packet, ip, mtu)
  }

  #sendFragments({ arena: { bytes } }: Packet, ip: IpHeader, mtu: number): Counter | undefined {
    this.#identification = (this.#identification + 1) >>> 0
    const sender = this.#sender
    const room = this.#room.bytes
    const ranges = this.#ranges
    const count = fragmentPacket(bytes, ip, mtu, this.#identification, room, 0, ranges)
    for (let i = 0; i < count; i++) {
      const fragment = room.subarray(ranges[2 * i] ?? 0, ranges[2 * i + 1] ?? 0)
      const { place } = sender
      bytes.set(fragment, place)
      sender.commit(place, place + fragment.length)
    }
    return count > 0 ? undefined : 'XfrmOutError'
  }

  /**
   * Tells the sender which length fits, as if the packet's destination did: to this host, a packet from one of its own
   * addresses would be a forgery.
   */
  #refuse(ip: IpHeader, fitting: number): void {
    const { bytes } = this.#sender.arena
    const kind = ip.version === 4 ? icmpKinds.tooBig4 : icmpKinds.tooBig6
    const sender = { source: bytes, sourceAt: ip.destinationAt, hopLimit: HOP_LIMIT, identification: 0 }
    const end = writeIcmpError(bytes, ip, kind, fitting, sender, this.#room.bytes, DEVICE_ROOM)
    if (end > 0) this.#device.write(this.#room, DEVICE_ROOM, end)
  }

  /** The SAs of a decision always go the same way. */
  #mtuFor(states: readonly State[]): number {
    const { now } = this.#databases
    if (states === NO_PROTECTION) return this.#askMtu(states, now).mtu
    const known = this.#mtus.get(states)
    if (known && now < known.until) return known.mtu
    const path = this.#askMtu(states, now)
    this.#mtus.set(states, path)
    return path.mtu
  }

  #askMtu(states: readonly State[], now: number): KnownMtu {
    const tunnel = states.findLast(({ isTunnel }) => isTunnel)
    const family = tunnel?.body.family ?? this.#flow.family
    const address = tunnel?.body.id.daddr ?? this.#flow.destination
    return this.#network.pathMtu.to(address.subarray(0, family === af.INET ? 4 : 16), now)
  }
}

/**
 * Whether the sender is to send less. Of IPv6 only TCP can: what other programs send reaches us in one piece however
 * long it is, and would again the next time.
 */
function mayRefuse({ version, protocol, dontFragment }: IpHeader, fitting: number): boolean {
  if (version === 6) return protocol === IPPROTO_TCP && fitting >= V6_MIN_MTU
  return dontFragment
}

/** `ip` becomes the header of the packet inside. */
function parseInner(bytes: Uint8Array, ip: IpHeader): boolean {
  const at = innerAt(bytes, ip)
  return at >= 0 && parseIp(bytes, at, ip.end, ip)
}
