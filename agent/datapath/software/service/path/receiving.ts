/**
 * The way in: protected packets from the network to the device, without protection.
 *
 * @module
 */
import { family as af } from '../../../../../netlink/xfrm/constants.ts'
import { newIpHeader, parseIp } from '../../../../packet/ip-header.ts'
import type { Packet } from '../../../../packet/packet.ts'
import type { Databases } from '../../databases.ts'
import { Inbound } from '../../inbound.ts'
import type { Counter } from '../../state/statistics.ts'
import type { Network } from '../network.ts'
import type { PathMtu } from '../path-mtu.ts'
import type { TooBig } from '../wire/error-queue.ts'
import type { Arrivals } from '../wire/receiver.ts'
import type { TunDevice } from './tun-device.ts'

export class Receiving implements Arrivals {
  readonly #databases: Databases
  readonly #inbound: Inbound
  readonly #pathMtu: PathMtu
  readonly #device: TunDevice
  readonly #ip = newIpHeader()

  constructor(databases: Databases, device: TunDevice, network: Network) {
    this.#databases = databases
    this.#inbound = new Inbound(databases, network.isDeliveredHere)
    this.#pathMtu = network.pathMtu
    this.#device = device
  }

  arrived(packet: Packet, encapsulated: boolean): void {
    const outcome = this.#receiveSafely(packet, encapsulated)
    if (outcome === 'held') return
    if (outcome) this.#databases.statistics[outcome]++
    else this.#deliver(packet)
  }

  /** What was put together of fragments lies where the next one will. */
  #deliver(packet: Packet): void {
    const { delivery = packet } = this.#inbound
    if (delivery === packet) this.#device.deliver(packet.arena, this.#ip)
    else this.#device.write(delivery.arena, delivery.at, delivery.end)
  }

  settle(): void {
    this.#device.flush()
    this.#databases.statistics.XfrmInBufferError += this.#device.takeLost()
  }

  /** Believed only of an SA that this host sends with (RFC 4301 section 8.2.1). */
  tooBig({ family, destination, protocol, spi, mtu }: TooBig): void {
    const { states, now } = this.#databases
    if (!states.find({ family, daddr: destination, spi, proto: protocol })) return
    this.#pathMtu.learn(destination.subarray(0, family === af.INET ? 4 : 16), mtu, now)
  }

  /** A fault of ours must cost one packet, not the program with all its SAs. */
  #receiveSafely(packet: Packet, encapsulated: boolean): Counter | 'held' | undefined {
    const ip = this.#ip
    if (!parseIp(packet.arena.bytes, packet.at, packet.end, ip)) return 'XfrmInHdrError'
    try {
      return this.#inbound.receive(packet, ip, encapsulated)
    } catch {
      return 'XfrmInError'
    }
  }
}
