/**
 * The way in: protected packets from the network to the device, without protection.
 *
 * @module
 */
import type { Databases } from '../databases.ts'
import { Inbound } from '../inbound.ts'
import { newIpHeader, parseIp } from '../packet/ip-header.ts'
import type { Packet } from '../packet/packet.ts'
import type { Flow } from '../policy/flow.ts'
import type { Counter } from '../state/statistics.ts'
import type { TunDevice } from './tun-device.ts'
import type { Arrivals } from './wire/receiver.ts'

export class Receiving implements Arrivals {
  readonly #databases: Databases
  readonly #inbound: Inbound
  readonly #device: TunDevice
  readonly #ip = newIpHeader()

  constructor(databases: Databases, device: TunDevice, isDeliveredHere: (flow: Flow) => boolean) {
    this.#databases = databases
    this.#inbound = new Inbound(databases, isDeliveredHere)
    this.#device = device
  }

  arrived(packet: Packet, encapsulated: boolean): void {
    const failure = this.#receiveSafely(packet, encapsulated)
    if (failure) this.#databases.statistics[failure]++
    else this.#device.deliver(packet.arena, this.#ip)
  }

  settle(): void {
    this.#device.flush()
    this.#databases.statistics.XfrmInBufferError += this.#device.takeLost()
  }

  /** A fault of ours must cost one packet, not the program with all its SAs. */
  #receiveSafely(packet: Packet, encapsulated: boolean): Counter | undefined {
    const ip = this.#ip
    if (!parseIp(packet.arena.bytes, packet.at, packet.end, ip)) return 'XfrmInHdrError'
    try {
      return this.#inbound.receive(packet, ip, encapsulated)
    } catch {
      return 'XfrmInError'
    }
  }
}
