/**
 * The data path's side to the network: sockets that receive ESP and AH, bare or in UDP.
 *
 * @module
 */
import { MessageVector } from '../../../../../netlink/libc/message-vector.ts'
import { AF_INET, AF_INET6 } from '../../../../../netlink/libc/socket.ts'
import { IPPROTO_AH, IPPROTO_ESP } from '../../packet/protocols.ts'
import { asItIs, type HeaderMaker, headerMaker6, udpHeaderMaker } from './headers.ts'
import { type Arrivals, Receiver } from './receiver.ts'
import { SLOT_SIZE } from './slot.ts'
import { receivingSocket, type UdpPort, udpSocket } from './sockets.ts'

const BATCH = 64
/** The last one takes the ancillary data, or an IPv6 header and its extensions that are put together again. */
const CONTROL = 2560

/** Everything that receives. */
export class Wire {
  readonly #arrivals: Arrivals
  readonly #vector = new MessageVector(BATCH, SLOT_SIZE, CONTROL)
  readonly #receivers: Receiver[] = []
  readonly #udp = new Map<string, Receiver>()

  /** Opens everything but UDP ports, in the calling thread's network namespace. */
  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals
    for (const protocol of [IPPROTO_ESP, IPPROTO_AH]) {
      this.#receivers.push(this.#receiver(receivingSocket(AF_INET, protocol), asItIs, false))
      const six = receivingSocket(AF_INET6, protocol)
      this.#receivers.push(this.#receiver(six, headerMaker6(protocol), false))
    }
  }

  #receiver(fd: number, makeHeader: HeaderMaker, encapsulated: boolean): Receiver {
    return new Receiver(fd, makeHeader, encapsulated, this.#vector, this.#arrivals)
  }

  /**
   * Listens at these UDP ports and at no others.
   *
   * @throws SystemError `EADDRINUSE`
   */
  listen(ports: readonly UdpPort[]): void {
    const wanted = new Map(ports.map((port) => [`${port.family} ${port.port}`, port]))
    for (const [key, receiver] of this.#udp) {
      if (wanted.has(key)) continue
      receiver.close()
      this.#udp.delete(key)
    }
    for (const [key, port] of wanted) {
      if (!this.#udp.has(key)) this.#udp.set(key, this.#receiver(udpSocket(port), udpHeaderMaker(port), true))
    }
  }

  close(): void {
    for (const receiver of [...this.#receivers, ...this.#udp.values()]) receiver.close()
  }
}
