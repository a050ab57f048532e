/**
 * The way of packets through this program: from the device to the network with protection, from the network to the
 * device without.
 *
 * @module
 */
import { family as af } from '../../../../../netlink/xfrm/constants.ts'
import { writeNatKeepalive } from '../../../../packet/nat-keepalive.ts'
import type { Databases } from '../../databases.ts'
import type { State } from '../../state/state.ts'
import type { Network } from '../network.ts'
import { Sender } from '../wire/sender.ts'
import type { UdpPort } from '../wire/sockets.ts'
import { Wire } from '../wire/wire.ts'
import { Receiving } from './receiving.ts'
import { Sending } from './sending.ts'
import type { TunDevice } from './tun-device.ts'

export class PacketPath {
  readonly #device: TunDevice
  readonly #sender: Sender
  readonly #wire: Wire
  readonly #sending: Sending

  /** Packets flow from now on. @param network what the kernel knows of the host's surroundings */
  constructor(databases: Databases, device: TunDevice, network: Network) {
    this.#device = device
    this.#wire = new Wire(new Receiving(databases, device, network))
    this.#sender = new Sender((isV4, port) => this.#wire.udpSocket(isV4, port))
    this.#sending = new Sending(databases, device, this.#sender, network)
  }

  /** Listens for ESP in UDP at these ports. @throws SystemError `EADDRINUSE` */
  listen(ports: readonly UdpPort[]): void {
    this.#wire.listen(ports)
  }

  /** Keeps the mapping of a NAT before this SA's ESP in UDP alive. */
  sendNatKeepalive({ body, attributes: { encap } }: State): void {
    if (!encap) return
    const { arena, place } = this.#sender
    const version = body.family === af.INET ? 4 : 6
    const ends = { version, source: body.saddr, destination: body.id.daddr } as const
    const ports = [encap.encap_sport, encap.encap_dport] as const
    this.#sender.commit(place, writeNatKeepalive(arena.bytes, place, ends, ports))
    this.#sender.flush()
  }

  close(): void {
    this.#sending.close()
    this.#device.close()
    this.#wire.close()
    this.#sender.close()
  }
}
