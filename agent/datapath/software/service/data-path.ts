/**
 * The way of packets through this program: from the device to the network with protection, from the network to the
 * device without.
 *
 * @module
 */
import { type Arena, allocateArena } from '../../../../netlink/libc/arena.ts'
import { readInto, writeFrom } from '../../../../netlink/libc/device.ts'
import { errnoNumber } from '../../../../netlink/libc/errno.ts'
import { type Watch, watchReadable } from '../../../../netlink/libc/poll.ts'
import type { Databases } from '../databases.ts'
import { Inbound } from '../inbound.ts'
import { innerMtu, Outbound, protectedLength } from '../outbound.ts'
import { readFlow } from '../packet/flow-of.ts'
import { fragmentPacket } from '../packet/fragments.ts'
import { icmpKinds, writeIcmpError } from '../packet/icmp.ts'
import { type IpHeader, newIpHeader, parseIp } from '../packet/ip-header.ts'
import { HEADROOM, type Packet, TAILROOM } from '../packet/packet.ts'
import { IPPROTO_TCP, LONGEST } from '../packet/protocols.ts'
import { newFlow } from '../policy/flow.ts'
import type { State } from '../state/state.ts'
import type { Counter } from '../state/statistics.ts'
import type { PathMtu } from './path-mtu.ts'
import { type UdpPort, Wire } from './wire.ts'

/** Packets read in one turn of the event loop, so that the other direction gets its turn, too. */
const PACKETS_A_TURN = 64
const SMALLEST_V6_MTU = 1280
const HOP_LIMIT = 64
/** Of the longest packet over the shortest way of IPv4 (RFC 791: 68 bytes), nearly. */
const MOST_FRAGMENTS = 1400
const EAGAIN = errnoNumber('EAGAIN') ?? 11

export class DataPath {
  readonly #databases: Databases
  readonly #outbound: Outbound
  readonly #inbound: Inbound
  readonly #pathMtu: PathMtu
  readonly #device: number
  readonly #wire: Wire
  readonly #watch: Watch
  readonly #arena = allocateArena(HEADROOM + LONGEST + TAILROOM)
  /** Fragments, one behind the other. */
  readonly #room = allocateArena(2 * LONGEST)
  readonly #ranges = new Uint32Array(2 * MOST_FRAGMENTS)
  readonly #packet: Packet
  readonly #ip = newIpHeader()
  readonly #flow = newFlow()
  #identification = Math.floor(Math.random() * 2 ** 32)

  /** @param device descriptor of the TUN device */
  constructor(databases: Databases, device: number, pathMtu: PathMtu) {
    this.#databases = databases
    this.#outbound = new Outbound(databases)
    this.#inbound = new Inbound(databases)
    this.#pathMtu = pathMtu
    this.#device = device
    this.#packet = { arena: this.#arena, at: 0, end: 0 }
    this.#wire = new Wire((packet, encapsulated) => this.#arrived(packet, encapsulated))
    this.#watch = watchReadable(device, () => this.#read())
  }

  /** Listens for ESP in UDP at these ports. @throws SystemError `EADDRINUSE` */
  listen(ports: readonly UdpPort[]): void {
    this.#wire.listen(ports)
  }

  close(): void {
    this.#watch.close()
    this.#wire.close()
  }

  #read(): void {
    for (let count = 0; count < PACKETS_A_TURN; count++) {
      const length = readInto(this.#device, this.#arena, HEADROOM, LONGEST)
      if (length <= 0) return
      this.#packet.at = HEADROOM
      this.#packet.end = HEADROOM + length
      this.#count(this.#leaveSafely(this.#packet))
    }
  }

  #count(failure: Counter | undefined): void {
    if (failure) this.#databases.statistics[failure]++
  }

  /** A fault of ours must cost one packet, not the program with all its SAs. */
  #leaveSafely(packet: Packet): Counter | undefined {
    try {
      return this.#leave(packet)
    } catch {
      return 'XfrmOutError'
    }
  }

  /** A packet that this host sends. */
  #leave(packet: Packet): Counter | undefined {
    const ip = this.#ip
    const { bytes } = packet.arena
    if (!parseIp(bytes, packet.at, packet.end, ip)) return 'XfrmOutError'
    readFlow(bytes, ip, this.#flow)
    const decision = this.#outbound.decide(this.#flow)
    if (decision.kind === 'refuse') return decision.counter
    // Policy has changed since the packet was steered here. The next one will not be.
    if (decision.kind === 'clear') return 'XfrmOutPolDead'
    const { states } = decision
    const mtu = this.#mtuFor(states)
    if (protectedLength(states, ip.upperAt - ip.at, packet.end - packet.at) <= mtu) {
      return this.#outbound.protect(packet, ip, states) ?? this.#transmit(packet)
    }
    return this.#leaveTooLong(packet, states, mtu)
  }

  /** The sender is told what fits; where it allows that, the protected packet is cut. */
  #leaveTooLong(packet: Packet, states: readonly State[], mtu: number): Counter | undefined {
    const ip = this.#ip
    const fitting = innerMtu(states, ip, mtu)
    if (mayRefuse(ip, fitting)) {
      this.#refuse(packet, ip, fitting)
      return 'XfrmOutError'
    }
    const failure = this.#outbound.protect(packet, ip, states)
    if (failure) return failure
    this.#identification = (this.#identification + 1) >>> 0
    const { bytes } = packet.arena
    const room = this.#room
    const ranges = this.#ranges
    const count = fragmentPacket(bytes, ip, mtu, this.#identification, room.bytes, 0, ranges)
    for (let i = 0; i < count; i++) {
      this.#transmit({ arena: room, at: ranges[2 * i] ?? 0, end: ranges[2 * i + 1] ?? 0 })
    }
    return count > 0 ? undefined : 'XfrmOutError'
  }

  /**
   * Tells the sender which length fits, as if the packet's destination did: to this host, a packet from one of its own
   * addresses would be a forgery.
   */
  #refuse(packet: Packet, ip: IpHeader, fitting: number): void {
    const { bytes } = packet.arena
    const kind = ip.version === 4 ? icmpKinds.tooBig4 : icmpKinds.tooBig6
    const sender = { source: bytes, sourceAt: ip.destinationAt, hopLimit: HOP_LIMIT, identification: 0 }
    const end = writeIcmpError(bytes, ip, kind, fitting, sender, this.#room.bytes, 0)
    if (end > 0) this.#deliver({ arena: this.#room, at: 0, end })
  }

  #mtuFor(states: readonly State[]): number {
    const tunnel = states.findLast(({ isTunnel }) => isTunnel)
    const family = tunnel?.body.family ?? this.#flow.family
    const address = tunnel?.body.id.daddr ?? this.#flow.destination
    return this.#pathMtu.to(address.subarray(0, family === 2 ? 4 : 16), this.#databases.now)
  }

  #transmit(packet: Packet): Counter | undefined {
    return this.#wire.send(packet) < 0 ? 'XfrmOutError' : undefined
  }

  /** A protected packet that the network brought. */
  #arrived(packet: Packet, encapsulated: boolean): void {
    const failure = this.#receiveSafely(packet, encapsulated)
    this.#count(failure)
    if (!failure) this.#deliver(packet)
  }

  #receiveSafely(packet: Packet, encapsulated: boolean): Counter | undefined {
    const ip = this.#ip
    if (!parseIp(packet.arena.bytes, packet.at, packet.end, ip)) return 'XfrmInHdrError'
    try {
      return this.#inbound.receive(packet, ip, encapsulated)
    } catch {
      return 'XfrmInError'
    }
  }

  #deliver({ arena, at, end }: Packet): void {
    const written = writeFrom(this.#device, arena as Arena, at, end - at)
    if (written < 0 && written !== -EAGAIN) this.#databases.statistics.XfrmInBufferError++
  }
}

/**
 * Whether the sender is to send less. Of IPv6 only TCP can: what other programs send reaches us in one piece however
 * long it is, and would again the next time.
 */
function mayRefuse({ version, protocol, dontFragment }: IpHeader, fitting: number): boolean {
  if (version === 6) return protocol === IPPROTO_TCP && fitting >= SMALLEST_V6_MTU
  return dontFragment
}
